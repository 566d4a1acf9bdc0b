"""Certificates that near their end: told from two weeks before, by a plain repeated enable too, without a restart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dockyard_contract.status import StatusWord
from tests.scenario.kit import CERTS, GOOD_CERTIFICATE, NOW, Context, State, machine_with_running_engine

DAY = 86400.0
END = 90


def enabled(context: Context) -> State:
    state = machine_with_running_engine().settings({"docker": {"port": 2376}}, {"certs": CERTS})
    return context.enable(state)


def at_day(state: State, day: float) -> State:
    return replace(state, world={"now": day * DAY})


@pytest.mark.parametrize("day", [1, END - 15])
def test_a_repeated_enable_more_than_two_weeks_before_the_end_touches_nothing(context: Context, day: int) -> None:
    first = enabled(context)
    again = context.enable(at_day(first, day))
    assert again.events == ()
    assert again.files == first.files


@pytest.mark.parametrize("day", [END - 14, END - 10, END - 0.1])
def test_a_repeated_enable_within_two_weeks_of_the_end_reports_it_without_a_restart(
    context: Context, day: float
) -> None:
    first = enabled(context)
    again = context.enable(at_day(first, day))
    word, text = again.part("certificates")
    assert word is StatusWord.WARNING
    assert text.startswith("soon to expire: CN = web for web, valid until ")
    assert again.status().status is StatusWord.SUCCESS
    assert again.events == ("start the work for 0",)
    assert again.running == first.running


def test_the_warning_is_written_once(context: Context) -> None:
    warned = context.enable(at_day(enabled(context), END - 10))
    again = context.enable(at_day(warned, END - 9))
    assert again.events == ()
    assert again.files == warned.files


@pytest.mark.parametrize("seen", [END - 30, END - 10])
def test_a_repeated_enable_after_the_end_is_an_error_and_leaves_the_engine_alone(context: Context, seen: int) -> None:
    before = context.enable(at_day(enabled(context), seen))
    again = context.enable(at_day(before, END))
    assert again.exit_code == 53
    assert again.status().code == 53
    assert "`certs.cert` has expired at " in again.message()
    assert again.running == before.running


def test_an_authority_that_ends_before_its_certificates_is_told_too(context: Context) -> None:
    short = replace(GOOD_CERTIFICATE, authority_not_after=NOW + 40 * DAY)
    first = context.enable(
        replace(enabled(context).settings({"docker": {"port": 2377}}, {"certs": CERTS}, number=1), certificate=short),
        number=1,
    )
    warned = context.enable(at_day(first, 30), number=1)
    assert warned.part("certificates", 1)[0] is StatusWord.WARNING
    assert "its authority only until" in warned.part("certificates", 1)[1]
    assert "`certs.ca` has expired at " in context.enable(at_day(warned, 40), number=1).message(1)


def test_new_certificates_end_the_warning(context: Context) -> None:
    warned = context.enable(at_day(enabled(context), END - 10))
    renewed = replace(GOOD_CERTIFICATE, not_after=NOW + 2 * END * DAY)
    state = replace(warned.settings({"docker": {"port": 2376}}, {"certs": CERTS}, number=1), certificate=renewed)
    out = context.enable(at_day(state, END - 10), number=1)
    assert out.part("certificates", 1)[0] is StatusWord.SUCCESS


def test_a_machine_without_certificates_has_nothing_that_ends(context: Context) -> None:
    first = context.enable(machine_with_running_engine().settings({}))
    assert context.enable(at_day(first, 4000)).events == ()

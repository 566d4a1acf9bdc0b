"""Judgement of what only a real agent and a real machine show, and what a report makes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from dockyard.authoring import report
from dockyard.authoring.judging import judge
from dockyard.authoring.observations import (
    Execution,
    LeftKind,
    Leftover,
    Moment,
    Observations,
    PackageSeen,
    Place,
    Runner,
    Sighting,
    StatusSeen,
    Step,
    WorkSeen,
)
from dockyard.authoring.rules import Finding, Level, Rule
from dockyard_contract.environment import Command

PAGE = Path(__file__).parents[3] / report.RULES_PAGE
PACKAGE = PackageSeen(
    handler="Contoso.Agent", version="1.0", commands={command: f"bin/x {command.value}" for command in Command}
)


def ran(command: Command, **more: object) -> Execution:
    usual = Execution(step=Step.FIRST, command=command, version="1.0", sequence_number=0, exit_code=0, seconds=1.0)
    return replace(usual, **more)  # type: ignore[arg-type]


FIRST = (ran(Command.INSTALL), ran(Command.ENABLE))


def seen(*executions: Execution, runner: Runner = Runner.MACHINE) -> Observations:
    return Observations(runner=runner, package=PACKAGE, executions=executions)


def found(observations: Observations) -> list[tuple[Rule, Level]]:
    return [(finding.rule, finding.level) for finding in judge(observations)]


def test_the_usual_order_is_no_finding() -> None:
    assert judge(seen(*FIRST)) == []


def test_an_enable_that_the_agent_repeats_is_no_other_order() -> None:
    assert judge(seen(*FIRST, ran(Command.ENABLE))) == []


def test_an_unusual_order_is_an_error_that_names_both() -> None:
    (finding,) = judge(seen(*reversed(FIRST)))
    assert (finding.rule, finding.level) == (Rule.ORDER, Level.ERROR)
    assert finding.message == "The agent ran enable, install; usual is install, enable."


def test_a_change_of_version_tells_the_two_sides_apart() -> None:
    wrong = [
        ran(Command.DISABLE, step=Step.UPDATE, version="1.1"),
        ran(Command.ENABLE, step=Step.UPDATE, version="1.1"),
    ]
    (finding,) = judge(seen(*wrong))
    usual = "old disable, update, old uninstall, install, enable"
    assert finding.message == f"The agent ran disable, enable; usual is {usual}."


@pytest.mark.parametrize(("runner", "level"), [(Runner.FAST, Level.WARNING), (Runner.MACHINE, Level.ERROR)])
def test_a_system_that_is_not_supported_counts_where_it_is_the_real_one(runner: Runner, level: Level) -> None:
    assert found(seen(ran(Command.INSTALL, exit_code=51), runner=runner)) == [(Rule.EXIT_CODE, level)]


def test_a_slow_enable_is_a_warning() -> None:
    assert found(seen(ran(Command.INSTALL), ran(Command.ENABLE, seconds=45.0))) == [(Rule.SLOW, Level.WARNING)]


def test_work_inside_the_agents_service_is_an_error() -> None:
    work = WorkSeen(step=Step.FIRST, name="worker", in_agent=True)
    assert found(replace(seen(*FIRST), works=(work,))) == [(Rule.IN_AGENT, Level.ERROR)]


@pytest.mark.parametrize("place", Place)
def test_a_secret_is_an_error_wherever_it_is(place: Place) -> None:
    sightings = (Sighting(Step.FIRST, place, "there"),) * 2
    assert found(replace(seen(*FIRST), sightings=sightings)) == [(Rule.SECRET, Level.ERROR)]


@pytest.mark.parametrize(
    ("left", "level"),
    [
        (Leftover(Step.REMOVAL, LeftKind.UNIT, "/etc/systemd/system/x.service", is_tied=True), Level.ERROR),
        (Leftover(Step.REMOVAL, LeftKind.PROCESS, "sleep 9", is_tied=True), Level.ERROR),
        (Leftover(Step.REMOVAL, LeftKind.UNIT, "/etc/systemd/system/x.service"), Level.WARNING),
        (Leftover(Step.REMOVAL, LeftKind.FILE, "/etc/x"), Level.WARNING),
        (Leftover(Step.REMOVAL, LeftKind.USER, "mallory"), Level.WARNING),
        (Leftover(Step.REMOVAL, LeftKind.FILE, "/var/lib/kept/data"), Level.NOTE),
    ],
)
def test_what_is_left_weighs_by_whether_it_can_still_work_and_is_meant_to_stay(left: Leftover, level: Level) -> None:
    findings = judge(replace(seen(*FIRST), leftovers=(left,)), keeps=["/var/lib/kept/*"])
    assert [(finding.rule, finding.level) for finding in findings] == [(Rule.LEFT, level)]


def status(text: str) -> StatusSeen:
    return StatusSeen(step=Step.FIRST, moment=Moment.SETTLED, version="1.0", sequence_number=0, text=text)


def test_an_error_that_the_handler_reports_is_one_under_the_real_agent() -> None:
    text = '[{"status": {"status": "error", "formattedMessage": {"lang": "en", "message": "no such disk"}}}]'
    (finding,) = judge(replace(seen(*FIRST), statuses=(status(text),)))
    assert (finding.rule, finding.level) == (Rule.STATUS_ERROR, Level.ERROR)
    assert "no such disk" in finding.message


def test_a_status_above_128_kib_is_an_error_and_a_long_part_a_warning() -> None:
    part = '{"name": "part", "status": "success", "formattedMessage": {"lang": "en", "message": "%s"}}'
    parts = ", ".join([part % ("x" * 11_000)] * 13)
    text = f'[{{"status": {{"status": "success", "substatus": [{parts}]}}}}]'
    levels = [finding.level for finding in judge(replace(seen(*FIRST), statuses=(status(text),)))]
    assert levels == [Level.ERROR] + [Level.WARNING] * 13


def test_every_rule_says_where_it_comes_from() -> None:
    laws = [rule.law for rule in Rule]
    assert len({law.name for law in laws}) == len(laws)
    assert all(law.cure.endswith(".") for law in laws)
    page = PAGE.read_text("utf-8")
    assert [law.name for law in laws if f"\n## {law.source}\n" not in page or f"`{law.name}`" not in page] == []


def findings() -> tuple[Observations, list[Finding]]:
    observations = replace(
        seen(ran(Command.INSTALL, exit_code=1, tail="bad \x1b[31m& <worse>")),
        sightings=(Sighting(Step.FIRST, Place.LOG, "a.log"),),
    )
    return observations, judge(observations)


def test_junit_has_a_failure_for_each_broken_rule_alone() -> None:
    root = ET.fromstring(report.junit(*findings()))  # noqa: S314 - our own text
    (suite,) = root
    broken = [case.get("name") for case in suite if case.find("failure") is not None]
    assert broken == ["exit-code", "secret"]
    assert (suite.get("tests"), suite.get("failures")) == (str(1 + len(Rule)), "2")
    assert len(suite) == 1 + len(Rule)
    told = [case.findtext("system-out") for case in suite if case.get("name") == "exit-code-meaning"]
    assert told[0] is not None
    assert told[0].startswith("warning: Exit code 1")


def test_the_document_says_whether_it_passed() -> None:
    document = report.document(*findings())
    assert document["passed"] is False
    assert document["findings"][0]["source"] == "docs/reference/extension-rules.md#exit-codes"
    assert document["operations"][0]["exitCode"] == 1
    assert report.document(seen(*FIRST), [])["passed"] is True
    assert report.verdict(*findings()).startswith("Contoso.Agent 1.0 does not pass: 2 errors, 1 warning, 0 notes;")

"""The status file: both ways, what the agent refuses, and the limits it cuts to."""

from __future__ import annotations

import pytest

from dockyard_contract.errors import MalformedDocument
from dockyard_contract.status import (
    DOCUMENT_LIMIT,
    MESSAGE_LIMIT,
    SUBSTATUS_TEXT_LIMIT,
    FormattedMessage,
    Status,
    StatusWord,
    Substatus,
    cut,
    dump_status,
    parse_status,
)

FULL = Status(
    status=StatusWord.SUCCESS,
    operation="Enable Docker",
    name="docker",
    message=FormattedMessage("bereit, mit Umlauten: äöü"),
    code=0,
    timestamp="2026-01-01T00:00:00Z",
    configuration_applied_time="2026-01-01T00:00:00Z",
    substatus=(
        Substatus(name="engine", status=StatusWord.WARNING, message=FormattedMessage("x", lang="de"), code="7"),
        Substatus(name="endpoint", status=StatusWord.ERROR, code=53),
    ),
)


@pytest.mark.parametrize("status", [FULL, Status(status=StatusWord.TRANSITIONING)])
def test_a_status_survives_the_way_through_a_file(status: Status) -> None:
    assert parse_status(dump_status(status), document="0.status") == status


def test_a_null_substatus_is_none_at_all() -> None:
    assert parse_status('[{"status":{"status":"error","substatus":null}}]', document="0.status").substatus == ()


def test_a_code_may_be_a_text() -> None:
    assert parse_status('[{"status":{"status":"success","code":"0"}}]', document="0.status").code == "0"


@pytest.mark.parametrize(
    ("text", "member", "expected"),
    [
        ("{}", "", "an array"),
        ("[]", "", "one element"),
        ("[{}]", "[0].status", "a member of this name"),
        ('[{"status":{}}]', "[0].status.status", "a member of this name"),
        ('[{"status":{"status":"failed"}}]', "[0].status.status", "one of transitioning, warning, error, success"),
        ('[{"status":{"status":1}}]', "[0].status.status", "a string"),
        (
            '[{"status":{"status":"error","formattedMessage":{"message":"x"}}}]',
            "[0].status.formattedMessage.lang",
            "a member of this name",
        ),
        (
            '[{"status":{"status":"error","formattedMessage":{"lang":"x"}}}]',
            "[0].status.formattedMessage.message",
            "a member of this name",
        ),
        ('[{"status":{"status":"error","code":[]}}]', "[0].status.code", "an integer"),
        ('[{"status":{"status":"error","substatus":{}}}]', "[0].status.substatus", "an array"),
        ('[{"status":{"status":"error","substatus":[{}]}}]', "[0].status.substatus[0].status", "a member of this name"),
    ],
)
def test_a_malformed_file_is_named_with_its_member(text: str, member: str, expected: str) -> None:
    with pytest.raises(MalformedDocument) as caught:
        parse_status(text, document="0.status")
    assert (caught.value.member, caught.value.expected) == (member, expected)


def test_a_long_main_message_is_cut_to_what_a_portal_shows() -> None:
    status = Status(status=StatusWord.ERROR, message=FormattedMessage("ä" * 5000))
    message = parse_status(dump_status(status), document="0.status").message
    assert message is not None
    assert len(message.message.encode()) <= MESSAGE_LIMIT
    assert message.message.endswith("[…]")


def test_long_parts_are_cut_and_the_last_ones_dropped() -> None:
    part = Substatus(name="n" * 20_000, status=StatusWord.SUCCESS, message=FormattedMessage("m" * 20_000))
    text = dump_status(Status(status=StatusWord.SUCCESS, substatus=(part,) * 20))
    kept = parse_status(text, document="0.status").substatus
    assert len(text.encode()) <= DOCUMENT_LIMIT
    assert 5 <= len(kept) < 20
    assert all(len(item.name.encode()) <= SUBSTATUS_TEXT_LIMIT for item in kept)


@pytest.mark.parametrize("text", ["", "short", "x" * 20])
def test_a_text_that_fits_is_not_cut(text: str) -> None:
    assert cut(text, limit=20) == text


def test_a_text_that_is_no_unicode_can_still_be_written() -> None:
    message = FormattedMessage("a\udcffb")
    assert "a?b" in dump_status(Status(status=StatusWord.ERROR, message=message)).encode().decode()


def test_only_transitioning_is_not_final_and_only_error_is_failure() -> None:
    assert [word for word in StatusWord if not word.is_final] == [StatusWord.TRANSITIONING]
    assert [word for word in StatusWord if word.is_failure] == [StatusWord.ERROR]

"""The heartbeat file: both ways, and what the agent refuses."""

from __future__ import annotations

import pytest

from dockyard_contract.errors import MalformedDocument
from dockyard_contract.heartbeat import HandlerState, Heartbeat, dump_heartbeat, parse_heartbeat
from dockyard_contract.status import FormattedMessage


@pytest.mark.parametrize("code", [0, "7"])
@pytest.mark.parametrize("state", list(HandlerState))
def test_a_heartbeat_survives_the_way_through_a_file(state: HandlerState, code: int | str) -> None:
    heartbeat = Heartbeat(status=state, message=FormattedMessage("alive"), code=code)
    assert parse_heartbeat(dump_heartbeat(heartbeat), document="heartbeat.log") == heartbeat


@pytest.mark.parametrize(
    ("text", "member", "expected"),
    [
        ('{"heartbeat":{}}', "", "an array"),
        ("[]", "", "one element"),
        ("[{}]", "[0].heartbeat", "a member of this name"),
        ('[{"heartbeat":{"status":"Ready"}}]', "[0].heartbeat.formattedMessage", "a member of this name"),
        (
            '[{"heartbeat":{"status":"ready","formattedMessage":{"lang":"","message":""}}}]',
            "[0].heartbeat.status",
            "one of Ready, NotReady, Installing, Unresponsive",
        ),
    ],
)
def test_a_malformed_file_is_named_with_its_member(text: str, member: str, expected: str) -> None:
    with pytest.raises(MalformedDocument) as caught:
        parse_heartbeat(text, document="heartbeat.log")
    assert (caught.value.member, caught.value.expected) == (member, expected)


def test_only_ready_is_healthy() -> None:
    assert [state for state in HandlerState if state.is_healthy] == [HandlerState.READY]

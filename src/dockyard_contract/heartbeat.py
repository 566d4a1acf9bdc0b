"""The heartbeat file: how a handler that declares ``reportHeartbeat`` says that it is alive.

Written by a handler into the file its environment names; WALinuxAgent 2.12 reads it, and takes one that has not
been rewritten for `STALE_SECONDS` as "Unresponsive". The document is an array of one.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from .documents import JsonObject, dump_json, parse_json
from .status import FormattedMessage, parse_code

STALE_SECONDS = 600
"""Age of the file, by its modification time, from which the agent calls the handler unresponsive."""


class HandlerState(enum.Enum):
    """The words the agent knows for a handler as a whole."""

    READY = "Ready"
    NOT_READY = "NotReady"
    INSTALLING = "Installing"
    UNRESPONSIVE = "Unresponsive"

    @property
    def is_healthy(self) -> bool:
        """Whether the handler can do its work."""
        return self is HandlerState.READY


@dataclass(frozen=True)
class Heartbeat:
    """One heartbeat; its three members replace the handler's status in the agent's report."""

    status: HandlerState
    message: FormattedMessage
    code: int | str = 0


def parse_heartbeat(text: str | bytes, *, document: str) -> Heartbeat:
    """Read a heartbeat file.

    Raises:
        MalformedDocument: The text is not JSON, a bare object instead of an array, or a member is missing or wrong.
    """
    root = parse_json(text, document=document)
    elements = root.array()
    if not elements:
        raise root.malformed(expected="one element", found="an empty array")
    heartbeat = elements[0].object().object("heartbeat")
    message = heartbeat.object("formattedMessage")
    return Heartbeat(
        status=_state(heartbeat),
        message=FormattedMessage(message=message.string("message"), lang=message.string("lang")),
        code=parse_code(heartbeat),
    )


def dump_heartbeat(heartbeat: Heartbeat) -> str:
    """The heartbeat file's text."""
    members = {
        "status": heartbeat.status.value,
        "code": heartbeat.code,
        "formattedMessage": {"lang": heartbeat.message.lang, "message": heartbeat.message.message},
    }
    return dump_json([{"version": 1.0, "heartbeat": members}])


def _state(heartbeat: JsonObject) -> HandlerState:
    value = heartbeat.value("status")
    text = value.string()
    try:
        return HandlerState(text)
    except ValueError as error:
        words = ", ".join(state.value for state in HandlerState)
        raise value.malformed(expected=f"one of {words}", found="another word") from error

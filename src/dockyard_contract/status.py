"""The status file ``status/<N>.status``: what a handler reports for one sequence number.

Written by guest handlers, read by the agent and by the host's tests of handlers. The agent (WALinuxAgent 2.12) reads
element 0 of the array, refuses a file that lacks a required member or has an unknown word in a substatus, and cuts
texts that are too long; `dump_status` keeps within those limits itself, so that it decides what is lost.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace

from .documents import JsonObject, JsonValue, dump_json, parse_json

MESSAGE_LIMIT = 1024
"""Bytes of the main message that the agent passes on and a portal shows."""

SUBSTATUS_TEXT_LIMIT = 10 * 1024
"""Bytes of a substatus name and of a substatus message that the agent passes on."""

DOCUMENT_LIMIT = 128 * 1024
"""Bytes of the whole file above which the agent begins to drop substatus entries."""

_CUT = " […]"
_ENVELOPE_ALLOWANCE = 2048


class StatusWord(enum.Enum):
    """The four words a status can be; any other word the agent turns into `error`."""

    TRANSITIONING = "transitioning"
    WARNING = "warning"
    ERROR = "error"
    SUCCESS = "success"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will come for this sequence number by itself."""
        return self is not StatusWord.TRANSITIONING

    @property
    def is_failure(self) -> bool:
        """Whether what was asked for has not been done."""
        return self is StatusWord.ERROR


@dataclass(frozen=True)
class FormattedMessage:
    """A text for people and its language."""

    message: str
    lang: str = "en-US"


@dataclass(frozen=True)
class Substatus:
    """The status of one part of the work. The code passes through as it is: an integer, or a string."""

    name: str
    status: StatusWord
    message: FormattedMessage | None = None
    code: int | str = 0


@dataclass(frozen=True)
class Status:
    """What a handler reports for one sequence number.

    Attributes:
        status: The word for the whole.
        operation: What was being done, for example ``Enable Docker``.
        name: A name for the whole; the agent forwards the handler's name instead.
        message: The text for people; kept within `message_limit` bytes when written.
        code: 0 or the handler's own code; strings pass through.
        timestamp: When this was written, ISO 8601 in UTC; the agent puts its own time.
        configuration_applied_time: When the settings took effect, ISO 8601 in UTC.
        substatus: The parts, in order.
        message_limit: Bytes of the message that are kept. More than `MESSAGE_LIMIT` is for programs: the agent passes
            it on as long as the whole file stays below `DOCUMENT_LIMIT`, and cuts it to a kilobyte above that.
    """

    status: StatusWord
    operation: str | None = None
    name: str | None = None
    message: FormattedMessage | None = None
    code: int | str = 0
    timestamp: str | None = None
    configuration_applied_time: str | None = None
    substatus: tuple[Substatus, ...] = field(default=())
    message_limit: int = field(default=MESSAGE_LIMIT, compare=False)


def parse_status(text: str | bytes, *, document: str) -> Status:
    """Read a status file.

    Raises:
        MalformedDocument: The text is not JSON, not an array, or a member the agent requires is missing or wrong.
    """
    root = parse_json(text, document=document)
    elements = root.array()
    if not elements:
        raise root.malformed(expected="one element", found="an empty array")
    outer = elements[0].object()
    inner = outer.object("status")
    return Status(
        status=_word(inner.value("status")),
        operation=inner.optional_string("operation"),
        name=inner.optional_string("name"),
        message=_message(inner),
        code=parse_code(inner),
        timestamp=outer.optional_string("timestampUTC"),
        configuration_applied_time=inner.optional_string("configurationAppliedTime"),
        substatus=tuple(_substatus(item.object()) for item in inner.optional_array("substatus") or ()),
    )


def dump_status(status: Status) -> str:
    """The status file's text, cut to what the agent passes on."""
    fitted = fit(status)
    inner: dict[str, object] = {
        "name": fitted.name,
        "operation": fitted.operation,
        "configurationAppliedTime": fitted.configuration_applied_time,
        **_dump_common(fitted),
        "substatus": [{"name": item.name, **_dump_common(item)} for item in fitted.substatus],
    }
    return dump_json([{"version": "1.0", "timestampUTC": fitted.timestamp, "status": _without_none(inner)}])


def fit(status: Status) -> Status:
    """The status with its texts cut to the agent's limits and the last parts dropped if the sum is too large."""
    parts: list[Substatus] = []
    message = _cut_message(status.message, limit=status.message_limit)
    taken = 0 if message is None else len(dump_json(message.message).encode())
    room = DOCUMENT_LIMIT - max(taken, MESSAGE_LIMIT) - _ENVELOPE_ALLOWANCE
    for item in status.substatus:
        part = replace(
            item,
            name=cut(item.name, limit=SUBSTATUS_TEXT_LIMIT),
            message=_cut_message(item.message, limit=SUBSTATUS_TEXT_LIMIT),
        )
        room -= len(dump_json({"name": part.name, **_dump_common(part)}).encode())
        if room < 0:
            break
        parts.append(part)
    return replace(status, message=message, substatus=tuple(parts))


def parse_code(item: JsonObject) -> int | str:
    """The member ``code``, which may be an integer or a string and is 0 when absent."""
    value = item.optional("code")
    if value is None:
        return 0
    if isinstance(value.raw, str):
        return value.raw
    return value.integer()


def cut(text: str, *, limit: int) -> str:
    """The text, or as much of its beginning as fits into `limit` bytes of UTF-8 with a mark that it was cut."""
    encoded = text.encode(errors="replace")
    if len(encoded) <= limit:
        return encoded.decode()
    return encoded[: limit - len(_CUT.encode())].decode(errors="ignore") + _CUT


def _cut_message(message: FormattedMessage | None, *, limit: int) -> FormattedMessage | None:
    return None if message is None else replace(message, message=cut(message.message, limit=limit))


def _dump_common(item: Status | Substatus) -> dict[str, object]:
    text = item.message
    formatted = None if text is None else {"lang": text.lang, "message": text.message}
    return _without_none({"status": item.status.value, "code": item.code, "formattedMessage": formatted})


def _without_none(members: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in members.items() if value is not None}


def _substatus(item: JsonObject) -> Substatus:
    return Substatus(
        name=item.optional_string("name") or "",
        status=_word(item.value("status")),
        message=_message(item),
        code=parse_code(item),
    )


def _word(value: JsonValue) -> StatusWord:
    text = value.string()
    try:
        return StatusWord(text)
    except ValueError as error:
        words = ", ".join(word.value for word in StatusWord)
        raise value.malformed(expected=f"one of {words}", found="another word") from error


def _message(item: JsonObject) -> FormattedMessage | None:
    formatted = item.optional_object("formattedMessage")
    if formatted is None:
        return None
    return FormattedMessage(message=formatted.string("message"), lang=formatted.string("lang"))

"""The agent's status report: what WALinuxAgent 2.12 uploads after each look at the goal state.

Parsed by the host when a report arrives; written by tests and by whatever stands in for an agent. What the agent itself
states is read strictly. What a handler wrote and the agent only passes on (codes, texts) is read leniently: one
handler's odd code must not cost the report of the whole machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from json import dumps

from .documents import JsonObject, JsonValue, dump_json, parse_json
from .status import StatusWord

DOCUMENT = "aggregate status"

_LANGUAGE = "en-US"
_HANDLER_WORDS = ("Ready", "NotReady", "Unresponsive", "Installing")
_FAILURE_WORDS = ("NotReady", "Unresponsive")
_LARGEST_CODE = 2**63


@dataclass(frozen=True)
class SubStatusReport:
    """One step of a handler's work, as its status file told it. ``status`` is one of `StatusWord`'s values."""

    name: str
    status: str
    code: int = 0
    message: str = ""


@dataclass(frozen=True)
class SettingsReport:
    """A handler's own status for one sequence number. ``status`` is one of `StatusWord`'s values."""

    status: str
    code: int = 0
    message: str = ""
    operation: str = ""
    name: str = ""
    configuration_applied_time: str | None = None
    substatuses: tuple[SubStatusReport, ...] = ()

    @property
    def is_final(self) -> bool:
        """Whether nothing more will come for this sequence number by itself.

        A handler may say success for work that nobody is to wait for; then a step of it is still transitioning.
        """
        return all(StatusWord(word).is_final for word in (self.status, *(part.status for part in self.substatuses)))


@dataclass(frozen=True)
class HandlerReport:
    """The agent's word on one handler, and the handler's own when it has settings.

    Attributes:
        name: ``Publisher.Type``.
        version: The version that is installed, or was to be.
        status: ``Ready``, ``NotReady``, ``Unresponsive`` or ``Installing``.
        code: 0, or the agent's code of a failed command.
        sequence_number: What ``settings_status`` is about; ``None`` when that is.
        extension_name: Name of the configuration, for handlers that take several.
    """

    name: str
    version: str
    status: str
    code: int = 0
    message: str = ""
    settings_status: SettingsReport | None = None
    sequence_number: int | None = None
    extension_name: str | None = None

    @property
    def is_final(self) -> bool:
        """Whether the handler has done what the goal state asked of it, or failed to: nothing is under way."""
        if self.status in _FAILURE_WORDS:
            return True
        return self.status == "Ready" and (self.settings_status is None or self.settings_status.is_final)


@dataclass(frozen=True)
class GuestAgentReport:
    """The agent's word on itself; ``status`` is ``Ready`` or ``NotReady``."""

    version: str
    status: str
    message: str = ""


@dataclass(frozen=True)
class GoalStateReport:
    """How the last goal state went. ``in_svd_seq_no`` is the incarnation of a wire server's goal state, as text."""

    status: str
    in_svd_seq_no: str
    code: int = 0
    message: str = ""
    processed_at: str = ""


@dataclass(frozen=True)
class GuestOsReport:
    """What the guest runs; ``version`` is the agent's."""

    computer_name: str = ""
    os_name: str = ""
    os_version: str = ""
    version: str = ""


@dataclass(frozen=True)
class AggregateStatus:
    """One whole report. ``goal_state`` is ``None`` until the agent has processed a goal state."""

    guest_agent: GuestAgentReport
    handlers: tuple[HandlerReport, ...] = ()
    goal_state: GoalStateReport | None = None
    guest_os: GuestOsReport | None = None
    timestamp: str = ""
    supported_features: tuple[str, ...] = ()

    @property
    def incarnation(self) -> int | None:
        """The incarnation the agent has processed, or ``None`` when it says none."""
        text = self.goal_state.in_svd_seq_no if self.goal_state else ""
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def parse_aggregate_status(text: str | bytes, *, document: str = DOCUMENT) -> AggregateStatus:
    """Read a report.

    Raises:
        MalformedDocument: The text is not JSON, or a member of the agent's own is missing or wrong.
    """
    root = parse_json(text, document=document).object()
    aggregate = root.object("aggregateStatus")
    guest_os = root.optional_object("guestOSInfo")
    return AggregateStatus(
        guest_agent=_guest_agent(aggregate.object("guestAgentStatus")),
        handlers=tuple(_handler(item.object()) for item in aggregate.optional_array("handlerAggregateStatus") or ()),
        goal_state=_goal_state(aggregate),
        guest_os=None if guest_os is None else _guest_os(guest_os),
        timestamp=root.optional_string("timestampUTC") or "",
        supported_features=tuple(
            item.object().string("Key") for item in root.optional_array("supportedFeatures") or ()
        ),
    )


def dump_aggregate_status(status: AggregateStatus) -> str:
    """The report's text, as the agent writes it."""
    aggregate: dict[str, object] = {
        "guestAgentStatus": {
            "version": status.guest_agent.version,
            "status": status.guest_agent.status,
            "formattedMessage": _formatted(status.guest_agent.message),
        },
        "handlerAggregateStatus": [_dump_handler(handler) for handler in status.handlers],
    }
    if status.goal_state is not None:
        aggregate["vmArtifactsAggregateStatus"] = {"goalStateAggregateStatus": _dump_goal_state(status.goal_state)}
    members: dict[str, object] = {
        "version": "1.1",
        "timestampUTC": status.timestamp,
        "aggregateStatus": aggregate,
        "guestOSInfo": None if status.guest_os is None else _dump_guest_os(status.guest_os),
        "supportedFeatures": [{"Key": feature, "Value": "1.0"} for feature in status.supported_features],
    }
    return dump_json(members)


def _guest_agent(item: JsonObject) -> GuestAgentReport:
    return GuestAgentReport(
        version=item.string("version"),
        status=_word(item.value("status"), words=("Ready", "NotReady")),
        message=_message(item),
    )


def _handler(item: JsonObject) -> HandlerReport:
    settings = item.optional_object("runtimeSettingsStatus")
    return HandlerReport(
        name=item.string("handlerName"),
        version=item.string("handlerVersion"),
        status=_handler_word(item),
        code=_code(item),
        message=_message(item),
        settings_status=None if settings is None else _settings(settings.object("settingsStatus").object("status")),
        sequence_number=None if settings is None else _sequence_number(settings),
        extension_name=None if settings is None else settings.optional_string("extensionName"),
    )


def _sequence_number(item: JsonObject) -> int:
    value = item.value("sequenceNumber")
    # The agent passes on what the goal state said, a number, or a text when it could not read one.
    if isinstance(value.raw, str) and value.raw.isascii() and value.raw.isdigit():
        return int(value.raw[:18])
    return value.integer()


def _settings(item: JsonObject) -> SettingsReport:
    return SettingsReport(
        status=_status_word(item.value("status")),
        code=_code(item),
        message=_message(item),
        operation=_text(item.optional("operation")),
        name=_text(item.optional("name")),
        configuration_applied_time=_text(item.optional("configurationAppliedTime")) or None,
        substatuses=tuple(_substatus(part.object()) for part in item.optional_array("substatus") or ()),
    )


def _substatus(item: JsonObject) -> SubStatusReport:
    return SubStatusReport(
        name=_text(item.optional("name")),
        status=_status_word(item.value("status")),
        code=_code(item),
        message=_message(item),
    )


def _goal_state(aggregate: JsonObject) -> GoalStateReport | None:
    outer = aggregate.optional_object("vmArtifactsAggregateStatus")
    item = None if outer is None else outer.optional_object("goalStateAggregateStatus")
    if item is None:
        return None
    return GoalStateReport(
        status=_word(item.value("status"), words=("Success", "Failed")),
        in_svd_seq_no=_text(item.value("inSvdSeqNo")),
        code=_code(item),
        message=_message(item),
        processed_at=item.optional_string("timestampUTC") or "",
    )


def _guest_os(item: JsonObject) -> GuestOsReport:
    return GuestOsReport(
        computer_name=_text(item.optional("computerName")),
        os_name=_text(item.optional("osName")),
        os_version=_text(item.optional("osVersion")),
        version=_text(item.optional("version")),
    )


def _word(value: JsonValue, *, words: tuple[str, ...]) -> str:
    word = value.string()
    if word not in words:
        raise value.malformed(expected=f"one of {', '.join(words)}", found="another word")
    return word


def _handler_word(item: JsonObject) -> str:
    """The handler's status; a heartbeat file's own word replaces the agent's, so any spelling can arrive."""
    found = _text(item.optional("status")).lower()
    return next((word for word in _HANDLER_WORDS if word.lower() == found), "NotReady")


def _status_word(value: JsonValue) -> str:
    return _word(value, words=tuple(word.value for word in StatusWord))


def _code(item: JsonObject) -> int:
    """The code as an integer; handlers may write anything, and what is no integer says no more than 0."""
    value = item.optional("code")
    raw = 0 if value is None else value.raw
    if isinstance(raw, str):
        digits = raw.strip()
        sign, digits = (-1, digits[1:]) if digits.startswith("-") else (1, digits)
        raw = sign * int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else 0
    if not isinstance(raw, int) or isinstance(raw, bool) or not -_LARGEST_CODE < raw < _LARGEST_CODE:
        return 0
    return raw


def _message(item: JsonObject) -> str:
    formatted = item.optional_object("formattedMessage")
    return "" if formatted is None else _text(formatted.optional("message"))


def _text(value: JsonValue | None) -> str:
    """A text of the handler's; anything else it wrote in that place is shown as JSON."""
    if value is None or value.is_null:
        return ""
    return value.raw if isinstance(value.raw, str) else dumps(value.raw, ensure_ascii=False)


def _formatted(message: str) -> dict[str, object]:
    return {"lang": _LANGUAGE, "message": message}


def _dump_handler(handler: HandlerReport) -> dict[str, object]:
    members: dict[str, object] = {
        "handlerVersion": handler.version,
        "handlerName": handler.name,
        "status": handler.status,
        "code": handler.code,
        "useExactVersion": True,
        "formattedMessage": _formatted(handler.message),
    }
    if handler.settings_status is not None:
        settings: dict[str, object] = {
            "settingsStatus": {"status": _dump_settings(handler.settings_status), "version": 1.0},
            "sequenceNumber": handler.sequence_number,
        }
        if handler.extension_name is not None:
            settings["extensionName"] = handler.extension_name
        members["runtimeSettingsStatus"] = settings
    return members


def _dump_settings(settings: SettingsReport) -> dict[str, object]:
    members: dict[str, object] = {
        "name": settings.name,
        "configurationAppliedTime": settings.configuration_applied_time,
        "operation": settings.operation,
        "status": settings.status,
        "code": settings.code,
        "formattedMessage": _formatted(settings.message),
    }
    if settings.substatuses:
        members["substatus"] = [
            {
                "name": part.name,
                "status": part.status,
                "code": part.code,
                "formattedMessage": _formatted(part.message),
            }
            for part in settings.substatuses
        ]
    return members


def _dump_goal_state(goal_state: GoalStateReport) -> dict[str, object]:
    return {
        "formattedMessage": _formatted(goal_state.message),
        "timestampUTC": goal_state.processed_at,
        "inSvdSeqNo": goal_state.in_svd_seq_no,
        "status": goal_state.status,
        "code": goal_state.code,
    }


def _dump_guest_os(guest_os: GuestOsReport) -> dict[str, object]:
    return {
        "computerName": guest_os.computer_name,
        "osName": guest_os.os_name,
        "osVersion": guest_os.os_version,
        "version": guest_os.version,
    }

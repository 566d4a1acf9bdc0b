"""What ARM says of a machine, as typed values: the codec between the SDK's documents and the front doors.

Used by ``virtual_machines``, ``extensions`` and ``progress``. Unknown members are ignored, for Azure sends many more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

from dockyard.client.names import MachineName
from dockyard.model.provisioning import PowerState, ProvisioningState

Document = Mapping[str, Any]
E = TypeVar("E", bound=Enum)
SSH_PORT_TAG = "dockyard-ssh-port"
DOCKER_PORT_TAG = "dockyard-docker-port"
FORWARD_TAG = "dockyard-forward-"
_TOOK = re.compile(r"\s*\((\d+(?:\.\d+)?) s\)$")  # how our server and our handlers end their texts: "done (12.3 s)"


class Phase(Enum):
    """How far a stage of work is; server steps, handlers and their sub-statuses all end up here."""

    RUNNING = "running"
    DONE = "done"
    WARNING = "warning"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to the stage."""
        return self is not Phase.RUNNING

    @classmethod
    def of(cls, word: str) -> Phase:
        """Read the last segment of a status code in any of the dialects ARM and handlers use."""
        return _PHASES.get(word.lower(), cls.RUNNING)


_PHASES = {
    "done": Phase.DONE,
    "success": Phase.DONE,
    "succeeded": Phase.DONE,
    "warning": Phase.WARNING,
    "failed": Phase.FAILED,
    "error": Phase.FAILED,
}


@dataclass(frozen=True, kw_only=True)
class StageReport:
    """One step as the server or a handler reports it.

    ``at`` is the start while it runs, else the end; ``seconds`` is how long it took, when the reporter says so.
    """

    name: str
    phase: Phase
    message: str
    at: datetime | None
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class ExtensionView:
    """An extension as the agent reported it; ``phase`` is None before any report."""

    name: str
    type: str
    version: str
    phase: Phase | None
    message: str
    stages: tuple[StageReport, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MachineView:
    """A virtual machine. Without its instance view, ``power`` is None and ``stages`` and ``extensions`` are empty.

    ``document`` is what ARM answered, for those who asked for JSON. ``forwards`` are the other ports of this computer
    that lead into the machine, as ``HOST:GUEST`` or ``HOST:GUEST/udp``.
    """

    document: Document
    id: MachineName
    vm_id: str
    size: str
    image: str
    disk_gib: int | None
    admin_username: str
    ssh_public_keys: tuple[str, ...]
    ssh_port: int | None
    docker_port: int | None
    forwards: tuple[str, ...]
    created_at: datetime | None
    provisioning: ProvisioningState | None
    failure: str
    power: PowerState | None
    agent: str
    stages: tuple[StageReport, ...]
    extensions: tuple[ExtensionView, ...]

    def extension(self, name: str) -> ExtensionView | None:
        """Return the report of the extension called ``name``, compared without case, or None."""
        return next((item for item in self.extensions if item.name.lower() == name.lower()), None)

    @property
    def state(self) -> str:
        """One word for people: what is being done to the machine, else whether it runs."""
        if self.provisioning is not None and self.provisioning is not ProvisioningState.SUCCEEDED:
            return str(self.provisioning.value).lower()
        return str(self.power.value) if self.power else "unknown"


def machine(document: Document) -> MachineView:
    """Decode a virtual machine with or without its instance view."""
    properties = _object(document, "properties")
    view = _object(properties, "instanceView")
    os_profile = _object(properties, "osProfile")
    storage = _object(properties, "storageProfile")
    statuses = _list(view, "statuses")
    tags = _object(document, "tags")
    return MachineView(
        document=document,
        id=MachineName(_group(str(document.get("id", ""))), str(document.get("name", ""))),
        vm_id=str(properties.get("vmId", "")),
        size=str(_object(properties, "hardwareProfile").get("vmSize", "")),
        image=_image(_object(storage, "imageReference")),
        disk_gib=_integer(_object(storage, "osDisk").get("diskSizeGB")),
        admin_username=str(os_profile.get("adminUsername", "")),
        ssh_public_keys=_public_keys(os_profile),
        ssh_port=_integer(tags.get(SSH_PORT_TAG)),
        docker_port=_integer(tags.get(DOCKER_PORT_TAG)),
        forwards=tuple(str(text) for tag, text in tags.items() if tag.startswith(FORWARD_TAG)),
        created_at=_time(properties.get("timeCreated")),
        provisioning=_member(ProvisioningState, str(properties.get("provisioningState", "")).lower()),
        failure=_provisioning_failure(statuses),
        power=_member(PowerState, _word(statuses, "PowerState")),
        agent=_agent(_object(view, "vmAgent")),
        stages=tuple(_stage(status) for status in statuses if _kind(status) == "Step"),
        extensions=tuple(extension(item) for item in _list(view, "extensions")),
    )


def extension(document: Document) -> ExtensionView:
    """Decode one entry of ``instanceView.extensions``, or the ``instanceView`` of an extension itself."""
    statuses = _list(document, "statuses")
    provisioning = next((status for status in statuses if _kind(status) == "ProvisioningState"), None)
    return ExtensionView(
        name=str(document.get("name", "")),
        type=str(document.get("type", "")),
        version=str(document.get("typeHandlerVersion", "")),
        phase=Phase.of(_code(provisioning)[-1]) if provisioning else None,
        message=_text(provisioning or {}, "message") or _text(provisioning or {}, "displayStatus"),
        stages=tuple(_stage(status) for status in _list(document, "substatuses")),
    )


def _stage(status: Document) -> StageReport:
    code = _code(status)
    message = _text(status, "message")
    took = _TOOK.search(_text(status, "displayStatus")) or _TOOK.search(message)
    return StageReport(
        name="/".join(code[1:-1]),
        phase=Phase.of(code[-1]),
        message=_TOOK.sub("", message),
        at=_time(status.get("time")),
        seconds=float(took[1]) if took else None,
    )


def _provisioning_failure(statuses: Sequence[Document]) -> str:
    failed = [s for s in statuses if _code(s) == ["ProvisioningState", "failed"]]
    return _text(failed[0], "message") if failed else ""


def _agent(document: Document) -> str:
    statuses = _list(document, "statuses")
    return _text(statuses[0], "displayStatus") if statuses else ""


def _public_keys(os_profile: Document) -> tuple[str, ...]:
    ssh = _object(_object(os_profile, "linuxConfiguration"), "ssh")
    return tuple(_text(item, "keyData") for item in _list(ssh, "publicKeys"))


def _image(reference: Document) -> str:
    parts = [_text(reference, name) for name in ("publisher", "offer", "sku", "version")]
    return parts[2] if parts[1] == "alias" else ":".join(part for part in parts if part)


def _group(resource_id: str) -> str:
    segments = resource_id.split("/")
    return segments[4] if len(segments) > 4 else ""


def _code(status: Document) -> list[str]:
    return _text(status, "code").split("/")


def _kind(status: Document) -> str:
    return _code(status)[0]


def _word(statuses: Sequence[Document], kind: str) -> str:
    return next((_code(status)[-1] for status in statuses if _kind(status) == kind), "")


def _object(document: Document, name: str) -> Document:
    value = document.get(name)
    return value if isinstance(value, Mapping) else {}


def _list(document: Document, name: str) -> Sequence[Document]:
    value = document.get(name)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _text(document: Document, name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""


def _integer(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isdecimal() else None


def _time(value: object) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) and value else None


def _member(kind: type[E], word: str) -> E | None:
    return next((item for item in kind if str(item.value).lower() == word), None)

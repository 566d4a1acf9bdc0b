"""``/etc/docker/daemon.json``: the user's own members are kept, the extension's are added, and taken back by name.

Pure. A member never stands both here and among the daemon's flags, which dockerd refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard_contract.documents import dump_json, parse_json

from .flags import flags_of
from .places import AUTHORITY, CERTIFICATE, DAEMON_CONFIG, KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .settings import DockerSettings

LIVE_RESTORE = "live-restore"


@dataclass(frozen=True)
class Merged:
    """A new daemon configuration.

    Attributes:
        content: Text of the file; ``None`` when there should be none.
        ours: The members that are there because of the extension, and their values.
    """

    content: bytes | None
    ours: Mapping[str, object]


def wanted_members(settings: DockerSettings, *, existing: bytes | None, swarm: bool) -> dict[str, object]:
    """The members the extension wants.

    Containers outlive a restart of the daemon with ``live-restore``, so that changing a port or a certificate, or
    closing the remote access, does not stop them. Swarm cannot have it, and a user's own word on it counts.
    """
    members: dict[str, object] = {}
    if settings.bundle is not None:
        members |= {"tlsverify": True, "tlscacert": AUTHORITY, "tlscert": CERTIFICATE, "tlskey": KEY}
    by_flag = any(flag.name == LIVE_RESTORE for flag in flags_of(settings.options))
    if not swarm and not by_flag and LIVE_RESTORE not in _members(existing):
        members[LIVE_RESTORE] = True
    return members


def merge(existing: bytes | None, *, wanted: Mapping[str, object], ours: Mapping[str, object]) -> Merged:
    """Add what is wanted, take back what was ours and is no longer wanted; everything else stays as it is.

    Raises:
        MalformedDocument: The existing text is not a JSON object.
    """
    before = _members(existing)
    after = {name: value for name, value in before.items() if not _obsolete(name, value, wanted=wanted, ours=ours)}
    after |= wanted
    now_ours = {
        name: value for name, value in wanted.items() if name in ours or name not in before or before[name] != value
    }
    if after == before:
        return Merged(content=existing, ours=now_ours)
    return Merged(content=dump_json(after).encode() if after else None, ours=now_ours)


def foreign(existing: bytes | None, *, ours: Mapping[str, object]) -> bytes | None:
    """The text without what is ours; for reading what the user has said himself."""
    return merge(existing, wanted={}, ours=ours).content


def _obsolete(name: str, value: object, *, wanted: Mapping[str, object], ours: Mapping[str, object]) -> bool:
    return name in ours and name not in wanted and ours[name] == value


def _members(text: bytes | None) -> dict[str, object]:
    if text is None or not text.strip():
        return {}
    return dict(parse_json(text, document=DAEMON_CONFIG).object().members)

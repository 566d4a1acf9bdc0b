"""``/etc/docker/daemon.json``: the user's own members are kept, the extension's are added, and taken back by name.

Pure. A member never stands both here and among the daemon's flags, which dockerd refuses. A member of the user's that
the settings replace is remembered, and comes back when the settings no longer have it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockyard_contract.documents import dump_json, parse_json

from .places import AUTHORITY, CERTIFICATE, DAEMON_CONFIG, KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .settings import Bundle

LIVE_RESTORE = "live-restore"

RELOADED = frozenset(
    (
        *("debug", "labels", "live-restore", "registry-mirrors", "insecure-registries", "shutdown-timeout"),
        *("max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts"),
        *("default-runtime", "runtimes", "features"),
    )
)
"""Members a running daemon takes over when it is told to read its file again. Not all of them when they go away."""

_NOTHING = object()


@dataclass(frozen=True)
class Merged:
    """A new daemon configuration.

    Attributes:
        content: Text of the file; ``None`` when there should be none.
        ours: The members that are there because of the extension, and their values.
        displaced: The members the user had in their place.
    """

    content: bytes | None
    ours: Mapping[str, object]
    displaced: Mapping[str, object] = field(default_factory=dict)


def tls_members(bundle: Bundle | None) -> dict[str, object]:
    """The members that make the engine demand certificates."""
    if bundle is None:
        return {}
    return {"tlsverify": True, "tlscacert": AUTHORITY, "tlscert": CERTIFICATE, "tlskey": KEY}


def merge(
    existing: bytes | None,
    *,
    wanted: Mapping[str, object],
    ours: Mapping[str, object],
    displaced: Mapping[str, object] | None = None,
) -> Merged:
    """Add what is wanted, take back what was ours and is no longer wanted; everything else stays as it is.

    Raises:
        MalformedDocument: The existing text is not a JSON object.
    """
    before = members_of(existing)
    obsolete = {name for name, value in before.items() if _obsolete(name, value, wanted=wanted, ours=ours)}
    remembered = dict(displaced or {})
    returned = {name: value for name, value in remembered.items() if name in obsolete}
    after = {name: value for name, value in before.items() if name not in obsolete} | returned | dict(wanted)
    now_ours = {
        name: value for name, value in wanted.items() if name in ours or name not in before or before[name] != value
    }
    # A member that is ours but has been changed since by the user is his again.
    users = {name: value for name, value in before.items() if name not in ours or ours[name] != value}
    now_displaced = {name: value for name, value in {**remembered, **users}.items() if name in now_ours}
    if after == before:
        return Merged(content=existing, ours=now_ours, displaced=now_displaced)
    content = dump_json(after).encode() if after else None
    return Merged(content=content, ours=now_ours, displaced=now_displaced)


def foreign(
    existing: bytes | None, *, ours: Mapping[str, object], displaced: Mapping[str, object] | None = None
) -> bytes | None:
    """The text without what is ours; for reading what the user has said himself."""
    return merge(existing, wanted={}, ours=ours, displaced=displaced).content


def members_of(text: bytes | None) -> dict[str, object]:
    """The members of a configuration.

    Raises:
        MalformedDocument: The text is not a JSON object.
    """
    if text is None or not text.strip():
        return {}
    return dict(parse_json(text, document=DAEMON_CONFIG).object().members)


def can_be_reloaded(before: bytes | None, after: bytes | None) -> bool:
    """Whether a running daemon learns all that differs by reading its file again."""
    old, new = members_of(before), members_of(after)
    changed = {name for name in (*old, *new) if old.get(name, _NOTHING) != new.get(name, _NOTHING)}
    return changed <= RELOADED and changed <= set(new)


def _obsolete(name: str, value: object, *, wanted: Mapping[str, object], ours: Mapping[str, object]) -> bool:
    return name in ours and name not in wanted and ours[name] == value

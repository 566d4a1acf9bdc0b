"""Which distribution this is, from ``/etc/os-release`` (os-release(5))."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from dockyard_guest.values import OsRelease

if TYPE_CHECKING:
    from dockyard_guest.ports import Files

_CODENAMES = ("UBUNTU_CODENAME", "DEBIAN_CODENAME", "VERSION_CODENAME")
_PLACES = ("/etc/os-release", "/usr/lib/os-release")


class SystemIdentity:
    """What this machine is."""

    def __init__(self, *, files: Files) -> None:
        self._files = files

    def release(self) -> OsRelease:
        """The distribution; one without an id when the machine does not say."""
        for place in _PLACES:
            content = self._files.read(place)
            if content is not None:
                return parse_os_release(content.decode(errors="replace"))
        return OsRelease(id="")


def parse_os_release(text: str) -> OsRelease:
    """Read the file's text; lines that are no assignment are passed over, as os-release(5) asks."""
    members = dict(_assignment(line) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return OsRelease(
        id=members.get("ID", "linux"),
        id_like=tuple(members.get("ID_LIKE", "").split()),
        version_id=members.get("VERSION_ID", ""),
        pretty_name=members.get("PRETTY_NAME", ""),
        # Made from Ubuntu or Debian, and named otherwise, a distribution says whose packages fit it.
        codename=next((members[name] for name in _CODENAMES if members.get(name)), ""),
    )


def _assignment(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    try:
        words = shlex.split(value)
    except ValueError:
        words = [value]
    return name.strip(), words[0] if words else ""

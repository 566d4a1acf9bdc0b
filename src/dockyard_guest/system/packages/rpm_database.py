"""The packages of a machine that rpm keeps, whatever program fetches them: which there are, and taking them away.

Used by `dnf` and `zypper`. Taking away goes past those two: they would take what nobody named as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .attempts import UPDATE_LIMIT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dockyard_guest.ports import Commands
    from dockyard_guest.values import Repository, TextFile

    from .attempts import Attempts

LOCKS = (
    "/var/lib/rpm/.rpm.lock",
    "/usr/lib/sysimage/rpm/.rpm.lock",
)
KEYS = "/etc/pki/rpm-gpg"
_KEY = "gpg-pubkey"
_FORMAT = "%{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE}\\n"


class RpmDatabase:
    """What rpm knows and does."""

    def __init__(self, *, commands: Commands, attempts: Attempts) -> None:
        self._commands = commands
        self._attempts = attempts

    def versions(self) -> Mapping[str, str]:
        """The installed packages' versions as ``epoch:version-release``.

        Trusted keys are packages to rpm, all of the same name; each is listed with its version as part of its name.
        """
        output = self._commands.run(
            ["rpm", "--query", "--all", f"--queryformat={_FORMAT}"], timeout=UPDATE_LIMIT
        ).output
        rows = [line.split() for line in output.splitlines()]
        return dict(_named(*row) for row in rows if len(row) == 2)

    def remove(self, names: Sequence[str]) -> None:
        """Remove packages and nothing besides; those that other packages need stay.

        Raises:
            PermanentError: rpm refused.
        """
        installed = self.versions()
        left = [name for name in names if name in installed]
        if left and self._may_go(left):
            self._erase(left)
            return
        progress = True
        while progress:
            free = [name for name in left if self._may_go([name])]
            for name in free:
                self._erase([name])
            left = [name for name in left if name not in free]
            progress = bool(free and left)

    def trust(self, files: Sequence[TextFile]) -> None:
        """Trust the keys among these files."""
        for file in files:
            if file.path.startswith(f"{KEYS}/"):
                self._attempts.act(["rpm", "--import", file.path], what="rpm --import")

    def _may_go(self, names: Sequence[str]) -> bool:
        return self._commands.run(["rpm", "--erase", "--test", *names], timeout=UPDATE_LIMIT).succeeded

    def _erase(self, names: Sequence[str]) -> None:
        self._attempts.act(["rpm", "--erase", *names], what="rpm --erase")


def repository_section(repository: Repository, *, key: str) -> str:
    """The lines that dnf and zypper both read: packages are taken only with a good signature by this key."""
    lines = {
        "name": repository.title,
        "baseurl": f"{repository.base}/{repository.suite}/$basearch/stable",
        "enabled": "1",
        "gpgcheck": "1",
        "gpgkey": f"file://{key}",
    }
    return f"[{repository.name}]\n" + "".join(f"{name}={value}\n" for name, value in lines.items())


def key_path(repository: Repository) -> str:
    """Where the repository's key lies."""
    return f"{KEYS}/RPM-GPG-KEY-{repository.name}"


def _named(name: str, version: str) -> tuple[str, str]:
    return (f"{name}-{version.partition(':')[2]}", version) if name == _KEY else (name, version)

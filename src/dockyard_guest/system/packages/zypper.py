"""zypper: SUSE Linux Enterprise and openSUSE.

A key is trusted because rpm was told so by name; zypper is never let trust what a repository brings along.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard_guest.values import TextFile

from .attempts import INSTALL_LIMIT, UPDATE_LIMIT, Attempts, Manner
from .locks import lock_holder, pid_file_holder
from .rpm_database import LOCKS, RpmDatabase, key_path, repository_section
from .rpm_versions import compare, newest_first

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dockyard_guest.ports import Clock, Commands, Step
    from dockyard_guest.values import Repository

    from .locks import LockHolder

_PID_FILES = ("/run/zypp.pid", "/var/run/zypp.pid")
_LOCKERS = ("zypp", "packagekit", "y2", "ruby", "rpm")
_QUIETLY = ("zypper", "--non-interactive", "--no-color")
_SOLVABLE = re.compile(r"<solvable ([^>]*)/>")
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')
MANNER = Manner(
    environment={"ZYPP_LOCK_TIMEOUT": "60"},
    trouble=(
        re.compile(r"(Download \(curl\) error for) '([^']+)'"),
        re.compile(r"(Timeout exceeded when accessing) '([^']+)'"),
        re.compile(r"(Could not resolve host): (\S+)"),
        re.compile(r"(Failed to connect to) (\S+)"),
        re.compile(r"(System management is locked by the application with pid) (\d+)"),
    ),
    distrust=("Signature verification failed", "is not signed", "unknown key", "No public key", "NOKEY"),
    errors=("Problem", "Error", "Signature", "Warning"),
    # 100 to 103: done, and there is more news; 106: some other repository was left out; 107: done, but a script of a
    # package failed, which the engine's own start will show (zypper(8), exit codes).
    good_codes=frozenset({0, 100, 101, 102, 103, 106, 107}),
)


class Zypper:
    """Packages by way of ``zypper`` and ``rpm``."""

    def __init__(self, *, commands: Commands, clock: Clock) -> None:
        self._commands = commands
        self._attempts = Attempts(commands=commands, clock=clock, manner=MANNER, first_holder=_first_holder)
        self._rpm = RpmDatabase(commands=commands, attempts=self._attempts)
        self._fresh = False

    def is_available(self) -> bool:
        """Whether this machine has zypper."""
        return self._commands.find("zypper") is not None

    def versions(self) -> Mapping[str, str]:
        """The installed packages' versions as ``epoch:version-release``."""
        return self._rpm.versions()

    def installed(self) -> frozenset[str]:
        """Names of the packages that are installed."""
        return frozenset(self.versions())

    def refresh(self, *, step: Step) -> None:
        """Fetch the lists anew; see `ports.Packages`."""
        self._attempts.persist([*_QUIETLY, "refresh"], what="zypper refresh", step=step, limit=UPDATE_LIMIT)
        self._fresh = True

    def offered(self, name: str) -> tuple[str, ...]:
        """The versions that repositories have, newest first."""
        argv = ["zypper", "--xmlout", *_QUIETLY[1:], "search", "--details", "--match-exact", "--type", "package", name]
        found = offered_in(self._commands.run(argv, timeout=UPDATE_LIMIT).output, name=name)
        return tuple(newest_first(found))

    def is_newer(self, version: str, *, than: str) -> bool:
        """Whether a version comes after another, by rpm's order."""
        return compare(version, than) > 0

    def install(
        self,
        names: Sequence[str],
        *,
        if_known: Sequence[str],
        step: Step,
        versions: Mapping[str, str] | None = None,
        replaces: Sequence[str] = (),
    ) -> None:
        """Install packages; see `ports.Packages`."""
        if not self._fresh:
            self.refresh(step=step)
        exact = {name: version.removeprefix("0:") for name, version in (versions or {}).items()}
        known = [name for name in if_known if self.offered(name)]
        words = [f"{name}={exact[name]}" if name in exact else name for name in (*names, *known)]
        options = ["--no-recommends", "--auto-agree-with-licenses", *(["--oldpackage"] if exact else [])]
        options += ["--force-resolution"] if replaces else ["--no-force-resolution"]
        argv = [*_QUIETLY, "install", *options, *words]
        self._attempts.persist(argv, what="zypper install", step=step, limit=INSTALL_LIMIT)

    def remove(self, names: Sequence[str]) -> None:
        """Remove packages and nothing besides; those that other packages need stay."""
        self._rpm.remove(names)

    def repository_files(self, repository: Repository) -> tuple[TextFile, ...]:
        """The key, and a section as zypper(8) has it."""
        key = key_path(repository)
        section = repository_section(repository, key=key) + "autorefresh=1\ntype=rpm-md\n"
        return TextFile(path=key, text=repository.key), TextFile(
            path=f"/etc/zypp/repos.d/{repository.name}.repo", text=section
        )

    def trust(self, files: Sequence[TextFile]) -> None:
        """Trust the keys among these files."""
        self._rpm.trust(files)


def offered_in(output: str, *, name: str) -> list[str]:
    """The versions of a package that an answer of ``zypper --xmlout search`` has, as ``epoch:version-release``."""
    found = [dict(_ATTRIBUTE.findall(attributes)) for attributes in _SOLVABLE.findall(output)]
    editions = [
        item.get("edition", "")
        for item in found
        if item.get("name") == name and item.get("repository") != "(System Packages)"
    ]
    return list(dict.fromkeys(edition if ":" in edition else f"0:{edition}" for edition in editions if edition))


def _first_holder() -> LockHolder | None:
    for path in LOCKS:
        holder = lock_holder(path)
        if holder is not None:
            return holder
    held = (pid_file_holder(path, programs=_LOCKERS) for path in _PID_FILES)
    return next((holder for holder in held if holder is not None), None)

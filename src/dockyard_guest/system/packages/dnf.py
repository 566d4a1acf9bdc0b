"""dnf, tdnf and yum: Fedora, Red Hat Enterprise Linux, what is made from them, and Azure Linux.

dnf itself waits for its own locks, for ever and in silence; here they are looked at first, up to a deadline. Packages
are taken only with a good signature.
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

_PROGRAMS = ("dnf", "tdnf", "yum")
_PID_FILES = (
    "/var/cache/dnf/metadata_lock.pid",
    "/var/cache/dnf/download_lock.pid",
    "/var/lib/dnf/rpmdb_lock.pid",
    "/var/run/yum.pid",
)
_RECORD_LOCKS = ("/run/dnf/rpmtransaction.lock", *LOCKS)
_LOCKERS = ("dnf", "yum", "packagekit", "rpm")
_FORMAT = "%{name} %{epoch}:%{version}-%{release}\\n"
MANNER = Manner(
    trouble=(
        re.compile(r"([Cc]url error \(\d+\): [^\n]*? for) (\S+)"),
        re.compile(r"(Status code: \d+ for) (\S+)"),
        re.compile(r"([Cc]url#\d+:) ([^\n]+)"),
        re.compile(r"(Failed to download metadata for repo) '([^']+)'"),
    ),
    distrust=("GPG check FAILED", "is not signed", "signature not found", "not installed. Failing package"),
    errors=("Error", "error:", "Failed"),
)


class Dnf:
    """Packages by way of ``dnf`` or what stands in for it, and ``rpm``."""

    def __init__(self, *, commands: Commands, clock: Clock) -> None:
        self._commands = commands
        self._attempts = Attempts(commands=commands, clock=clock, manner=MANNER, first_holder=_first_holder)
        self._rpm = RpmDatabase(commands=commands, attempts=self._attempts)
        self._fresh = False

    def is_available(self) -> bool:
        """Whether this machine has dnf, tdnf or yum."""
        return any(self._commands.find(program) is not None for program in _PROGRAMS)

    def versions(self) -> Mapping[str, str]:
        """The installed packages' versions as ``epoch:version-release``."""
        return self._rpm.versions()

    def installed(self) -> frozenset[str]:
        """Names of the packages that are installed."""
        return frozenset(self.versions())

    def refresh(self, *, step: Step) -> None:
        """Fetch the lists anew; see `ports.Packages`."""
        argv = [self._program, "--assumeyes", "--refresh", "makecache"]
        self._attempts.persist(argv, what=f"{self._program} makecache", step=step, limit=UPDATE_LIMIT)
        self._fresh = True

    def offered(self, name: str) -> tuple[str, ...]:
        """The versions that repositories have, newest first."""
        argv = [self._program, "--quiet", "repoquery", "--showduplicates", f"--queryformat={_FORMAT}", name]
        rows = [line.split() for line in self._commands.run(argv, timeout=UPDATE_LIMIT).output.splitlines()]
        return tuple(newest_first(list(dict.fromkeys(row[1] for row in rows if len(row) == 2 and row[0] == name))))

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
        exact = versions or {}
        known = [name for name in if_known if self.offered(name)]
        words = [f"{name}-{exact[name]}" if name in exact else name for name in (*names, *known)]
        options = ["--assumeyes", "--setopt=install_weak_deps=False", *(["--allowerasing"] if replaces else [])]
        argv = [self._program, *options, "install", *words]
        self._attempts.persist(argv, what=f"{self._program} install", step=step, limit=INSTALL_LIMIT)

    def remove(self, names: Sequence[str]) -> None:
        """Remove packages and nothing besides; those that other packages need stay."""
        self._rpm.remove(names)

    def repository_files(self, repository: Repository) -> tuple[TextFile, ...]:
        """The key, and a section as dnf.conf(5) has it."""
        key = key_path(repository)
        section = repository_section(repository, key=key)
        return TextFile(path=key, text=repository.key), TextFile(
            path=f"/etc/yum.repos.d/{repository.name}.repo", text=section
        )

    def trust(self, files: Sequence[TextFile]) -> None:
        """Trust the keys among these files."""
        self._rpm.trust(files)

    @property
    def _program(self) -> str:
        return next((program for program in _PROGRAMS if self._commands.find(program) is not None), _PROGRAMS[0])


def _first_holder() -> LockHolder | None:
    for path in _RECORD_LOCKS:
        holder = lock_holder(path)
        if holder is not None:
            return holder
    held = (pid_file_holder(path, programs=_LOCKERS) for path in _PID_FILES)
    return next((holder for holder in held if holder is not None), None)

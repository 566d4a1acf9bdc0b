"""apt: Debian and what is made from it.

Waits, up to a deadline each, for other package managers to let go (and says who holds on) and for the network (and says
which host does not answer). A package manager that was interrupted is repaired first. Nothing is asked on a terminal.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError, TemporaryError

from .locks import lock_holder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dockyard_guest.ports import Clock, Commands, Files, Step
    from dockyard_guest.values import Completed

    from .locks import LockHolder

LOCK_PATIENCE = 1200.0
"""Seconds to wait for other package managers: unattended upgrades of a fresh machine take that long."""

NETWORK_PATIENCE = 120.0
"""Seconds to wait for the package mirror from its first failure: a network late at boot comes within these."""

_LOCKS = (
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/apt/lists/lock",
    "/var/cache/apt/archives/lock",
)
_UPDATE_LIMIT = 600.0
_INSTALL_LIMIT = 1800.0
_POLL = 3.0
_FIRST_PAUSE = 5.0
_LONGEST_PAUSE = 60.0
_SHOW_EVERY = 2.0
_ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1", "APT_LISTCHANGES_FRONTEND": "none"}
_OPTIONS = (
    *("-o", "Acquire::Retries=2"),
    *("-o", "Acquire::http::Timeout=20"),
    *("-o", "Acquire::https::Timeout=20"),
    *("-o", "APT::Update::Error-Mode=any"),
    *("-o", "DPkg::Lock::Timeout=60"),
    *("-o", "Dpkg::Options::=--force-confdef"),
    *("-o", "Dpkg::Options::=--force-confold"),
    *("-o", "Dpkg::Use-Pty=0"),
)
_PASSING_TROUBLE = (
    re.compile(r"(Temporary failure resolving) '([^']+)'"),
    re.compile(r"(Could not resolve) '([^']+)'"),
    re.compile(r"(Could not resolve host): (\S+)"),
    re.compile(r"(Could not connect to|Unable to connect to|Cannot initiate the connection to) (\S+?)[:\s]"),
    re.compile(r"(Failed to fetch) (\S+)"),
    re.compile(r"(Could not get lock|Unable to lock directory) (\S+?)[.\s]"),
)


class Apt:
    """Packages by way of ``apt-get`` and ``dpkg``."""

    def __init__(
        self,
        *,
        commands: Commands,
        clock: Clock,
        files: Files,
        holder: Callable[[str], LockHolder | None] = lock_holder,
    ) -> None:
        self._commands = commands
        self._clock = clock
        self._files = files
        self._holder = holder

    def is_available(self) -> bool:
        """Whether this machine has apt."""
        return self._commands.find("apt-get") is not None

    def installed(self) -> frozenset[str]:
        """Names of the packages that are installed, without their architecture."""
        argv = ["dpkg-query", "--show", "--showformat=${db:Status-Abbrev} ${Package}\\n"]
        lines = self._commands.run(argv, timeout=_UPDATE_LIMIT).output.splitlines()
        return frozenset(line.split()[-1] for line in lines if line.startswith("ii"))

    def install(self, names: Sequence[str], *, if_known: Sequence[str], step: Step) -> None:
        """Install packages; see `ports.Packages`."""
        self._repair(step=step)
        self._persist(["update"], step=step, limit=_UPDATE_LIMIT)
        known = self._known(if_known)
        self._persist(["install", "--yes", "--no-install-recommends", *names, *known], step=step, limit=_INSTALL_LIMIT)

    def remove(self, names: Sequence[str]) -> None:
        """Remove packages and nothing besides; those that other packages need stay."""
        installed = self.installed()
        present = [name for name in names if name in installed]
        if not self._would_remove(present) <= set(present):
            present = [name for name in present if self._would_remove([name]) <= set(present)]
        if present:
            self._act(["remove", "--yes", *present])

    def _known(self, names: Sequence[str]) -> list[str]:
        return [
            name
            for name in names
            if name in self._commands.run(["apt-cache", "pkgnames", name], timeout=_UPDATE_LIMIT).output.split()
        ]

    def _repair(self, *, step: Step) -> None:
        # dpkg keeps its journal there between the start and the end of an operation; apt refuses to work until it is
        # empty. A machine that lost its power during an installation comes up like this.
        if not any(name.isdigit() for name in self._files.names("/var/lib/dpkg/updates")):
            return
        self._wait_for_locks(step=step)
        step.say("repairing the package manager, which had been interrupted")
        completed = self._stream(["dpkg", "--configure", "-a"], step=step, limit=_INSTALL_LIMIT)
        if not completed.succeeded:
            raise _refused("dpkg --configure -a", completed)

    def _persist(self, words: Sequence[str], *, step: Step, limit: float) -> None:
        """Run one apt-get command, again and again as long as only locks or the network are in its way."""
        deadline: float | None = None
        pause = _FIRST_PAUSE
        while True:
            self._wait_for_locks(step=step)
            completed = self._stream(["apt-get", *_OPTIONS, *words], step=step, limit=limit)
            if completed.succeeded:
                return
            trouble = passing_trouble(completed.output)
            if trouble is None:
                raise _refused(f"apt-get {words[0]}", completed)
            deadline = deadline or self._clock.monotonic() + NETWORK_PATIENCE
            self._pause(trouble, seconds=pause, deadline=deadline, step=step)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _pause(self, trouble: str, *, seconds: float, deadline: float, step: Step) -> None:
        left = deadline - self._clock.monotonic()
        if left <= seconds:
            raise TemporaryError(
                f"The packages cannot be had: {trouble}.",
                details=f"Tried for {NETWORK_PATIENCE:.0f} seconds.",
                resolution="Give this machine a way to its package mirror, or use an image that has the engine.",
                exit_code=ExitCode.MISSING_DEPENDENCY,
            )
        step.say(f"the packages cannot be had: {trouble}; next try in {seconds:.0f} s, giving up in {left:.0f} s")
        self._sleep(seconds, step=step)

    def _wait_for_locks(self, *, step: Step) -> None:
        deadline = self._clock.monotonic() + LOCK_PATIENCE
        holder = self._first_holder()
        while holder is not None:
            if self._clock.monotonic() >= deadline:
                raise TemporaryError(
                    f"Another package manager did not finish within {LOCK_PATIENCE:.0f} seconds: {holder}.",
                    resolution="Wait for it or end it, then send the settings again.",
                    exit_code=ExitCode.MISSING_DEPENDENCY,
                )
            step.say(f"waiting for another package manager: {holder}")
            self._sleep(_POLL, step=step)
            holder = self._first_holder()

    def _first_holder(self) -> LockHolder | None:
        for path in _LOCKS:
            holder = self._holder(path)
            if holder is not None:
                return holder
        return None

    def _sleep(self, seconds: float, *, step: Step) -> None:
        step.checkpoint()
        self._clock.sleep(seconds)
        step.checkpoint()

    def _stream(self, argv: Sequence[str], *, step: Step, limit: float) -> Completed:
        shown = self._clock.monotonic()

        def show(line: str) -> None:
            nonlocal shown
            if line.strip() and self._clock.monotonic() - shown >= _SHOW_EVERY:
                shown = self._clock.monotonic()
                step.say(line.strip()[:200])

        return self._commands.stream(argv, timeout=limit, on_line=show, environment=_ENVIRONMENT)

    def _would_remove(self, names: Sequence[str]) -> set[str]:
        if not names:
            return set()
        lines = self._commands.run(
            ["apt-get", "--simulate", "remove", *names], timeout=_UPDATE_LIMIT
        ).output.splitlines()
        return {line.split()[1] for line in lines if line.startswith("Remv ")}

    def _act(self, words: Sequence[str]) -> None:
        completed = self._commands.stream(
            ["apt-get", *_OPTIONS, *words], timeout=_UPDATE_LIMIT, on_line=_ignore, environment=_ENVIRONMENT
        )
        if not completed.succeeded:
            raise _refused(f"apt-get {words[0]}", completed)


def passing_trouble(output: str) -> str | None:
    """What apt says is in its way that may pass, with the host or file it names; ``None`` for anything else."""
    for pattern in _PASSING_TROUBLE:
        found = pattern.search(output)
        if found:
            return f"{found.group(1)[0].lower()}{found.group(1)[1:]} {found.group(2)}"
    return None


def _ignore(_line: str) -> None:
    return None


def _refused(what: str, completed: Completed) -> PermanentError:
    lines = completed.output.splitlines()
    errors = [line for line in lines if line.startswith(("E:", "dpkg: error"))] or lines[-5:]
    return PermanentError(
        f"{what} failed: {errors[0] if errors else f'exit code {completed.exit_code}'}",
        details="\n".join(lines[-20:]),
        exit_code=ExitCode.MISSING_DEPENDENCY,
    )

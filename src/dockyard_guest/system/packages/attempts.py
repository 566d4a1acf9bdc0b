"""How every package manager is run: not while another one works, and again as long as only the network is in its way.

Used by the package managers beside this module. Each wait has a deadline, says what it waits for, and may be given up
for a newer command.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError, TemporaryError

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Mapping, Sequence

    from dockyard_guest.ports import Clock, Commands, Step
    from dockyard_guest.values import Completed

    from .locks import LockHolder

LOCK_PATIENCE = 1200.0
"""Seconds to wait for other package managers: unattended upgrades of a fresh machine take that long."""

NETWORK_PATIENCE = 120.0
"""Seconds to wait for the package mirror from the first attempt's start: a network late at boot comes within these.

An attempt itself may wait long for a resolver or a connection. A second one is made in any case."""

UPDATE_LIMIT = 600.0
INSTALL_LIMIT = 1800.0
_POLL = 3.0
_FIRST_PAUSE = 5.0
_LONGEST_PAUSE = 60.0
_SHOW_EVERY = 2.0


@dataclass(frozen=True)
class Manner:
    """What is particular to one package manager.

    Attributes:
        environment: Variables its programs need besides the usual ones.
        trouble: What it says of trouble that may pass: the words, and the host or file, as two groups.
        distrust: What it says of a signature that is wrong or missing; that never passes by trying again.
        errors: How its lines begin that say what went wrong.
        good_codes: Exit codes that mean that it was done.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    trouble: tuple[re.Pattern[str], ...] = ()
    distrust: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    good_codes: frozenset[int] = frozenset({0})


class Attempts:
    """Runs the commands of one package manager."""

    def __init__(
        self, *, commands: Commands, clock: Clock, manner: Manner, first_holder: Callable[[], LockHolder | None]
    ) -> None:
        self._commands = commands
        self._clock = clock
        self._manner = manner
        self._first_holder = first_holder

    def persist(self, argv: Sequence[str], *, what: str, step: Step, limit: float) -> None:
        """Run one command, again and again as long as only locks or the network are in its way.

        Raises:
            TemporaryError: They did not get out of its way before the deadline.
            PermanentError: The package manager refused; `what` is named as what failed.
        """
        deadline: float | None = None
        tries, pause = 0, _FIRST_PAUSE
        while True:
            self.wait_for_locks(step=step)
            deadline = deadline or self._clock.monotonic() + NETWORK_PATIENCE
            tries += 1
            completed = self.stream(argv, step=step, limit=limit)
            if completed.exit_code in self._manner.good_codes:
                return
            trouble = passing_trouble(completed.output, manner=self._manner)
            if trouble is None:
                raise self.refused(what, completed)
            left = deadline - self._clock.monotonic()
            if tries > 1 and left <= pause:
                raise _given_up(trouble)
            told = f"giving up in {left:.0f} s" if left > pause else "for the last time"
            step.say(f"the packages cannot be had: {trouble}; next try in {pause:.0f} s, {told}")
            self._sleep(pause, step=step)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def act(self, argv: Sequence[str], *, what: str) -> None:
        """Run one command once.

        Raises:
            PermanentError: The package manager refused.
        """
        environment = self._manner.environment
        completed = self._commands.stream(argv, timeout=INSTALL_LIMIT, on_line=_ignore, environment=environment)
        if completed.exit_code not in self._manner.good_codes:
            raise self.refused(what, completed)

    def stream(self, argv: Sequence[str], *, step: Step, limit: float) -> Completed:
        """Run one command and show its lines, not too many a second."""
        shown = self._clock.monotonic()

        def show(line: str) -> None:
            nonlocal shown
            if line.strip() and self._clock.monotonic() - shown >= _SHOW_EVERY:
                shown = self._clock.monotonic()
                step.say(line.strip()[:200])

        return self._commands.stream(argv, timeout=limit, on_line=show, environment=self._manner.environment)

    def wait_for_locks(self, *, step: Step) -> None:
        """Wait until no other package manager works.

        Raises:
            TemporaryError: One did not finish before the deadline; the error names it.
        """
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

    def refused(self, what: str, completed: Completed) -> PermanentError:
        """The error for a command that failed, with the package manager's own words."""
        lines = completed.output.splitlines()
        errors = [line for line in lines if line.startswith(self._manner.errors)] or lines[-5:]
        return PermanentError(
            f"{what} failed: {errors[0] if errors else f'exit code {completed.exit_code}'}",
            details="\n".join(lines[-20:]),
            exit_code=ExitCode.MISSING_DEPENDENCY,
        )

    def _sleep(self, seconds: float, *, step: Step) -> None:
        step.checkpoint()
        self._clock.sleep(seconds)
        step.checkpoint()


def _given_up(trouble: str) -> TemporaryError:
    return TemporaryError(
        f"The packages cannot be had: {trouble}.",
        details=f"Tried for {NETWORK_PATIENCE:.0f} seconds.",
        resolution="Give this machine a way to its package mirror, or use an image that has the engine.",
        exit_code=ExitCode.MISSING_DEPENDENCY,
    )


def passing_trouble(output: str, *, manner: Manner) -> str | None:
    """What is said to be in the way that may pass, with the host or file named; ``None`` for anything else."""
    if any(words in output for words in manner.distrust):
        return None
    for pattern in manner.trouble:
        found = pattern.search(output)
        if found:
            return f"{found.group(1)[0].lower()}{found.group(1)[1:]} {found.group(2)}"
    return None


def _ignore(_line: str) -> None:
    return None

"""The steps of a creation as a table that fills while it goes on: the client's own steps, the server's, the handler's.

Filled by ``following`` and by the front doors, drawn by them. Holds values only: it neither asks the server nor prints.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dockyard.client.views import ExtensionView, MachineView, Phase, StageReport

_LABELS = {"image": "Image", "disk": "Disk", "boot": "Boot", "agent": "Guest agent"}


@dataclass(frozen=True, kw_only=True)
class StepLine:
    """One step: when it began, when it ended, and the last word about it. ``depth`` is 1 for a part of another."""

    key: str
    text: str
    phase: Phase
    started_at: datetime
    ended_at: datetime | None = None
    message: str = ""
    depth: int = 0

    def seconds(self, *, now: datetime) -> float:
        """Return how long it took, or has taken so far."""
        return max(((self.ended_at or now) - self.started_at).total_seconds(), 0.0)


class StepBoard:
    """The steps in the order they appeared.

    ``clock`` tells the time in UTC. ``stale`` is what an extension's report was before it was given new settings:
    sub-statuses that are still the old ones are not shown while the handler is at work.
    """

    def __init__(self, *, clock: Callable[[], datetime], stale: ExtensionView | None = None) -> None:
        self._clock = clock
        self._stale = stale
        self._lines: dict[str, StepLine] = {}
        self.started_at = clock()

    @property
    def lines(self) -> tuple[StepLine, ...]:
        """The steps so far."""
        return tuple(self._lines.values())

    @property
    def now(self) -> datetime:
        """The board's own time."""
        return self._clock()

    @property
    def seconds(self) -> float:
        """How long it has been since the board was made."""
        return (self._clock() - self.started_at).total_seconds()

    def current(self) -> StepLine | None:
        """Return the step at work, the innermost and latest when there are several; None when all have ended."""
        return next((line for line in reversed(self.lines) if not line.phase.is_final), None)

    def begin(self, key: str, text: str) -> None:
        """Add a step that starts now."""
        self._lines[key] = StepLine(key=key, text=text, phase=Phase.RUNNING, started_at=self._clock())

    def tell(self, key: str, message: str) -> None:
        """Replace the last word about a step at work."""
        line = self._lines[key]
        self._lines[key] = replace(line, message=message)

    def finish(self, key: str, *, message: str = "", phase: Phase = Phase.DONE) -> None:
        """End a step now; a step that was never begun is left out."""
        line = self._lines.get(key)
        if line is not None and not line.phase.is_final:
            ended = replace(line, phase=phase, ended_at=self._clock(), message=message or line.message)
            self._lines[key] = ended

    def give_up(self) -> StepLine | None:
        """End all steps at work as not finished; return the innermost and latest of them."""
        waited_for = self.current()
        for line in self.lines:
            self.finish(line.key, message="not finished", phase=Phase.WARNING)
        return waited_for

    def fail_current(self, message: str = "") -> StepLine | None:
        """End all steps at work: the one to blame as failed, those it belongs to as well, others as not finished.

        To blame is a step the server called failed, the innermost one, else the innermost and latest at work.
        """
        failed = [line for line in self.lines if line.phase is Phase.FAILED]
        culprit = max(failed, key=lambda line: line.depth) if failed else self.current()
        if culprit is None:
            return None
        self.finish(culprit.key, message=message, phase=Phase.FAILED)
        for line in self.lines:
            belongs = culprit.key.startswith(f"{line.key}/")
            self.finish(
                line.key,
                message="" if belongs else "not finished",
                phase=Phase.FAILED if belongs else Phase.WARNING,
            )
        return self._lines[culprit.key]

    def absorb(self, view: MachineView) -> None:
        """Take over what the server says of the machine's own steps."""
        for stage in view.stages:
            self._take(f"machine/{stage.name}", stage, depth=0, family="machine/")

    def absorb_extension(self, report: ExtensionView | None, *, key: str) -> None:
        """Take over a handler's sub-statuses as parts of the step ``key``, which must have begun."""
        if report is None or key not in self._lines:
            return
        is_stale = report.phase is Phase.RUNNING and self._stale is not None and report.stages == self._stale.stages
        for stage in () if is_stale else report.stages:
            self._take(f"{key}/{stage.name}", stage, depth=1, family=f"{key}/")
        if report.message and not report.stages:
            self.tell(key, report.message)

    def _take(self, key: str, stage: StageReport, *, depth: int, family: str) -> None:
        known = self._lines.get(key)
        if known is not None and known.phase.is_final:
            return
        at = stage.at or self._clock()
        ended = at if stage.phase.is_final else None
        if stage.phase.is_final and stage.seconds is not None:
            started = at - timedelta(seconds=stage.seconds)
        else:
            started = known.started_at if known else self._start_of_new(stage, at=at, family=family)
        self._lines[key] = StepLine(
            key=key,
            text=_LABELS.get(stage.name, stage.name) if depth == 0 else stage.name,
            phase=stage.phase,
            started_at=started,
            ended_at=ended,
            message=stage.message,
            depth=depth,
        )

    def _start_of_new(self, stage: StageReport, *, at: datetime, family: str) -> datetime:
        """Return when a step seen for the first time began: now, or at the end of the one before it."""
        if not stage.phase.is_final:
            return at
        before = [line.ended_at for line in self.lines if line.key.startswith(family) and line.ended_at]
        parent = self._lines.get(family.rstrip("/"))
        return max(before, default=parent.started_at if parent else self.started_at)

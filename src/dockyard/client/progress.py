"""The steps of a creation as a table that fills while it goes on: the client's own steps, the server's, the handler's.

Filled by ``following`` and by the front doors, drawn by them. Holds values only: it neither asks the server nor prints.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from dockyard.client.views import ExtensionView, MachineView, Phase, StageReport


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
    a report that still equals it is not shown.
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

    def fail_current(self, message: str = "") -> StepLine | None:
        """End the steps at work as failed; return the one that tells most."""
        culprit = self.current()
        for line in self.lines:
            self.finish(line.key, message=message if line is culprit else "", phase=Phase.FAILED)
        failed = [line for line in self.lines if line.phase is Phase.FAILED]
        return culprit or (failed[-1] if failed else None)

    def absorb(self, view: MachineView) -> None:
        """Take over what the server says of the machine's own steps."""
        for stage in view.stages:
            self._take(f"machine/{stage.name}", stage, depth=0, family="machine/")

    def absorb_extension(self, report: ExtensionView | None, *, key: str) -> None:
        """Take over a handler's sub-statuses as parts of the step ``key``, which must have begun."""
        if report is None or report == self._stale or key not in self._lines:
            return
        for stage in report.stages:
            self._take(f"{key}/{stage.name}", stage, depth=1, family=f"{key}/")
        if report.message and not report.stages:
            self._lines[key] = replace(self._lines[key], message=report.message)

    def _take(self, key: str, stage: StageReport, *, depth: int, family: str) -> None:
        known = self._lines.get(key)
        if known is not None and known.phase.is_final:
            return
        at = stage.at or self._clock()
        ended = at if stage.phase.is_final else None
        started = known.started_at if known else self._start_of_new(at, ended=ended, family=family)
        self._lines[key] = StepLine(
            key=key,
            text=stage.text if depth == 0 and stage.text else stage.name,
            phase=stage.phase,
            started_at=started,
            ended_at=ended,
            message=stage.message,
            depth=depth,
        )

    def _start_of_new(self, at: datetime, *, ended: datetime | None, family: str) -> datetime:
        """Return when a step seen for the first time began: its own word, or the end of the one before it."""
        if ended is None:
            return at
        before = [line.ended_at for line in self.lines if line.key.startswith(family) and line.ended_at]
        parent = self._lines.get(family.rstrip("/"))
        return max(before, default=parent.started_at if parent else self.started_at)

"""The steps of the work as substatus entries: each shows its status, its text and its seconds while it goes on.

The runtime makes one for each run of the background work and hands it to the handler. Every change rewrites the status
file. Between steps the work is given up when a newer command has come.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockyard_contract.errors import MalformedDocument
from dockyard_contract.status import FormattedMessage, StatusWord, Substatus
from dockyard_guest.errors import GuestError

from .report import LONG_MESSAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dockyard_guest.ports import Clock

    from .report import Report


@dataclass(frozen=True)
class _Entry:
    name: str
    word: StatusWord
    text: str
    begun: float
    ended: float | None = None


class ReportedProgress:
    """The steps of one run, in the order they begin."""

    def __init__(
        self, *, report: Report, clock: Clock, log: Callable[[str], None], check: Callable[[], None], headline: str
    ) -> None:
        self._report = report
        self._clock = clock
        self._log = log
        self._check = check
        self._headline = headline
        self._word = StatusWord.TRANSITIONING
        self._entries: list[_Entry] = []

    @contextmanager
    def step(self, name: str, text: str) -> Iterator[ReportedStep]:
        """Begin a step; see `ports.Progress`."""
        self._check()
        self._entries.append(_Entry(name=name, word=StatusWord.TRANSITIONING, text=text, begun=self._clock.monotonic()))
        self._show()
        step = ReportedStep(progress=self, index=len(self._entries) - 1)
        try:
            yield step
        except GuestError as error:
            self.end(step.index, word=StatusWord.ERROR, text=error.full_text)
            raise
        except MalformedDocument as error:
            self.end(step.index, word=StatusWord.ERROR, text=str(error))
            raise
        self.end(step.index, word=step.outcome, text=self._entries[step.index].text)

    def report(self, message: str, *, success: bool = False) -> None:
        """Replace the main message; see `ports.Progress`."""
        self._headline = message
        self._word = StatusWord.SUCCESS if success else StatusWord.TRANSITIONING
        self._show()

    def change(self, index: int, text: str) -> None:
        """Replace a step's text."""
        self._entries[index] = replace(self._entries[index], text=text)
        self._show()

    def end(self, index: int, *, word: StatusWord, text: str) -> None:
        """End a step."""
        ended = self._clock.monotonic()
        entry = replace(self._entries[index], word=word, text=text, ended=ended)
        self._entries[index] = entry
        self._log(f"{entry.name}: {word.value} after {ended - entry.begun:.1f} s: {text}")
        self._show()

    def checkpoint(self) -> None:
        """Give the work up if a newer command has come."""
        self._check()

    def substatus(self) -> tuple[Substatus, ...]:
        """The steps as substatus entries."""
        now = self._clock.monotonic()
        return tuple(_substatus(entry, now=now) for entry in self._entries)

    def _show(self) -> None:
        self._report.write(self._word, self._headline, substatus=self.substatus(), limit=LONG_MESSAGE)


class ReportedStep:
    """One step; see `ports.Step`."""

    def __init__(self, *, progress: ReportedProgress, index: int) -> None:
        self._progress = progress
        self.index = index
        self.outcome = StatusWord.SUCCESS

    def say(self, text: str) -> None:
        """Replace the step's text."""
        self._progress.change(self.index, text)

    def warn(self, text: str) -> None:
        """Replace the step's text; the step ends as a warning."""
        self.outcome = StatusWord.WARNING
        self._progress.change(self.index, text)

    def checkpoint(self) -> None:
        """Give the work up if a newer command has come."""
        self._progress.checkpoint()


def _substatus(entry: _Entry, *, now: float) -> Substatus:
    seconds = (now if entry.ended is None else entry.ended) - entry.begun
    return Substatus(name=entry.name, status=entry.word, message=FormattedMessage(f"{entry.text} ({seconds:.1f} s)"))

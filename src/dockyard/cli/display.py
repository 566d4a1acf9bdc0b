"""Draws a step board while it fills: live on a terminal, as timestamped lines anywhere else. Standard error only.

Used by the commands that wait for more than one step.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from dockyard.cli import output
from dockyard.client.progress import StepBoard, StepLine
from dockyard.client.text import printable
from dockyard.client.views import Phase

if TYPE_CHECKING:
    from rich.table import Table

_MARKS = {Phase.RUNNING: "…", Phase.DONE: "✓", Phase.WARNING: "!", Phase.FAILED: "✗"}
_BETWEEN_MESSAGES = timedelta(seconds=5)
_STYLES = {Phase.RUNNING: "cyan", Phase.DONE: "green", Phase.WARNING: "yellow", Phase.FAILED: "red"}


class Display(Protocol):
    """Something that shows a board."""

    def show(self) -> None:
        """Draw what has changed since the last time."""


class PlainDisplay:
    """One line for each change: a step begins, says something new (now and then, not each time), ends."""

    def __init__(self, board: StepBoard) -> None:
        self._board = board
        self._shown: dict[str, StepLine] = {}
        self._told_at: dict[str, datetime] = {}

    def show(self) -> None:
        """Print the changes."""
        for line in self._board.lines:
            if self._is_news(line):
                self._shown[line.key] = line
                self._told_at[line.key] = self._board.now
                self._print(line)

    def _is_news(self, line: StepLine) -> bool:
        before = self._shown.get(line.key)
        if before is None or line.phase is not before.phase:
            return True
        is_due = self._board.now - self._told_at[line.key] >= _BETWEEN_MESSAGES
        return not line.phase.is_final and bool(line.message) and line.message != before.message and is_due

    def _print(self, line: StepLine) -> None:
        word = f"{line.phase.value} ({line.seconds(now=self._board.now):.1f} s)" if line.phase.is_final else "…"
        told = f"  {_one_line(line.message)}" if line.message else ""
        indent = "  " * line.depth
        sys.stderr.write(f"{self._board.now.astimezone():%H:%M:%S}  {indent}{_one_line(line.text)}: {word}{told}\n")
        sys.stderr.flush()


class LiveDisplay:
    """A table that is redrawn in place, with the seconds of each step running."""

    def __init__(self, board: StepBoard) -> None:
        self._board = board

    def show(self) -> None:
        """Nothing to do: the table is drawn anew several times a second."""

    def __rich__(self) -> Table:
        from rich.table import Table  # noqa: PLC0415 - only a terminal pays for it
        from rich.text import Text  # noqa: PLC0415

        table = Table.grid(padding=(0, 1))
        table.add_column(width=1)
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(overflow="ellipsis", no_wrap=True)
        for line in self._board.lines:
            table.add_row(
                Text(_MARKS[line.phase], style=_STYLES[line.phase]),
                Text("  " * line.depth + _one_line(line.text)),
                Text(f"{line.seconds(now=self._board.now):.1f} s", style="dim"),
                Text(_one_line(line.message), style="dim"),
            )
        return table


@contextmanager
def displayed(board: StepBoard) -> Iterator[Display]:
    """Show ``board`` while the block runs; its last state stays on the screen."""
    if not output.is_live():
        plain = PlainDisplay(board)
        try:
            yield plain
        finally:
            plain.show()
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal pays for it
    from rich.live import Live  # noqa: PLC0415

    live = LiveDisplay(board)
    with Live(live, console=Console(stderr=True), refresh_per_second=4, redirect_stdout=False):
        yield live


def _one_line(text: str) -> str:
    return " ".join(printable(text).split())

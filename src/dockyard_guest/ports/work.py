"""How a handler tells of its work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class Step(Protocol):
    """One step of the work, shown as a substatus."""

    def say(self, text: str) -> None:
        """Replace the step's text."""

    def warn(self, text: str) -> None:
        """Replace the step's text; the step ends as a warning."""

    def checkpoint(self) -> None:
        """A moment at which the work may be given up.

        Raises:
            SupersededError: A newer command has been given.
        """


class Progress(Protocol):
    """The steps of the work, in the order they begin."""

    def report(self, message: str, *, success: bool = False) -> None:
        """Replace the main message while the work goes on; up to 64 KiB, for programs that read it.

        `success` is for work that nobody is to wait for: the status says so before it ends.
        """

    def step(self, name: str, text: str) -> AbstractContextManager[Step]:
        """Begin a step. Leaving the context ends it well, or as an error when a `GuestError` passes through.

        Raises:
            SupersededError: A newer command has been given; the step does not begin.
        """

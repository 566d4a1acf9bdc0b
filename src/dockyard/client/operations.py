"""A long-running operation as a front door sees it: done or not, its end awaited under a deadline.

Made by ``virtual_machines``, ``extensions`` and ``images``; the SDK's LROPoller polls, in
a daemon thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dockyard.model.errors import DeadlineExceeded

if TYPE_CHECKING:
    from azure.core.polling import LROPoller

    from dockyard.client.connection import Connection


class Operation:
    """One operation under way on the server. It goes on there whatever becomes of this object."""

    def __init__(self, connection: Connection, *, begin: Callable[[], LROPoller[Any]], what: str) -> None:
        self._connection = connection
        self._what = what
        with connection.mapped():
            self._poller = begin()

    @property
    def is_done(self) -> bool:
        """Whether the operation has ended, well or not."""
        return self._poller.done()

    def check(self) -> None:
        """Raise the operation's error when it has ended in one; return at once otherwise."""
        if self.is_done:
            with self._connection.mapped():
                self._poller.result()

    def wait(self, *, deadline: float) -> None:
        """Wait for the end.

        Raises:
            DockyardError: what the operation failed with.
            DeadlineExceeded: it had not ended after ``deadline`` seconds; it goes on at the server.
        """
        with self._connection.mapped():
            self._poller.wait(deadline)
        if not self.is_done:
            raise DeadlineExceeded(
                f"{self._what} has not ended after {deadline:g} s",
                resolution="It goes on in the background; 'dockyard vm show' tells how far it is.",
                temporary=True,
            )
        self.check()

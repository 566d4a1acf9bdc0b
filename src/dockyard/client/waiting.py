"""The client's one door to the clock: waits that have a name and a deadline, never a count.

Used by the rooms of the client and by the CLI.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from dockyard.model.errors import DeadlineExceeded

T = TypeVar("T")


def until(check: Callable[[], T | None], *, what: str, deadline: float, every: float = 0.2) -> T:
    """Call ``check`` until it returns something other than None; return that.

    Raises:
        DeadlineExceeded: ``deadline`` seconds went by. The wait is named by ``what``.
    """
    limit = time.monotonic() + deadline
    while True:
        result = check()
        if result is not None:
            return result
        if time.monotonic() >= limit:
            raise DeadlineExceeded(f"Waited {deadline:g} s for {what}", temporary=True)
        time.sleep(every)


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def seconds() -> float:
    """Return a clock that only runs forward, for measuring."""
    return time.monotonic()


def pause(duration: float) -> None:
    """Let ``duration`` seconds go by."""
    time.sleep(duration)

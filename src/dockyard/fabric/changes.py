"""Wake those who wait for a machine to change: reports that arrive, goals that are published.

In memory only; called by every use case of the fabric. Nothing is decided here.
"""

from __future__ import annotations

import asyncio

from dockyard.fabric.ports import Clock


class Changes:
    """One event a key, replaced at each change so that nobody misses one that came while looking."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._events: dict[str, asyncio.Event] = {}

    def notify(self, key: str) -> None:
        """Wake everybody who waits for ``key``."""
        event = self._events.pop(key, None)
        if event is not None:
            event.set()

    async def wait(self, key: str, *, seconds: float) -> None:
        """Return at the next change of ``key``, or after ``seconds``, whichever comes first."""
        event = self._events.setdefault(key, asyncio.Event())
        tasks = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(self._clock.sleep(seconds))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

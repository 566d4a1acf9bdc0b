"""Token buckets, as ARM has them: each principal its own, reads, writes and deletions apart.

A bucket holds as many requests as may come at once and fills again by the second. An answer tells what is left; a
request that finds its bucket empty is a 429 that says when to come back. An ASGI layer behind the guard.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from dockyard.arm.answers import marking, refuse
from dockyard.model.errors import TooManyRequests


@dataclass(frozen=True)
class Limit:
    """How many requests a full bucket holds, and how many come back a second."""

    burst: int
    per_second: float


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Far above what ordinary work needs; what they end is a client that has run wild."""

    reads: Limit = Limit(12_000, 200)
    writes: Limit = Limit(2_400, 20)
    deletes: Limit = Limit(2_400, 20)


class Bucket:
    """One bucket, full at first. ``now`` is in seconds; time that goes backwards fills nothing."""

    def __init__(self, limit: Limit, *, now: float) -> None:
        self._limit = limit
        self._level = float(limit.burst)
        self._at = now

    def take(self, *, now: float) -> bool:
        """Take one request out; False when there is none."""
        filled = self._level + max(0.0, now - self._at) * self._limit.per_second
        self._level = min(float(self._limit.burst), filled)
        self._at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True

    @property
    def left(self) -> int:
        """How many requests may come now."""
        return int(self._level)

    @property
    def seconds_until_next(self) -> int:
        """How long until there is one, in whole seconds, at least one."""
        return max(1, math.ceil((1 - self._level) / self._limit.per_second))


class Throttling:
    """The ASGI layer. ``now`` returns seconds."""

    def __init__(self, app: ASGIApp, *, limits: Limits, now: Callable[[], float]) -> None:
        self._app = app
        self._limits = limits
        self._now = now
        self._buckets: dict[tuple[str, str], Bucket] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take from the caller's bucket, then pass on."""
        caller = scope.get("state", {}).get("caller")
        if scope["type"] != "http" or caller is None:
            await self._app(scope, receive, send)
            return
        kind = _kind(scope["method"])
        now = self._now()
        bucket = self._buckets.setdefault((caller.object_id, kind), Bucket(getattr(self._limits, kind), now=now))
        if bucket.take(now=now):
            header = f"x_ms_ratelimit_remaining_subscription_{kind}"
            await self._app(scope, receive, marking(send, **{header: str(bucket.left)}))
            return
        wait = bucket.seconds_until_next
        error = TooManyRequests(
            f"Number of {kind} requests for the actor '{caller.object_id}' exceeded",
            resolution=f"Please try again after '{wait}' seconds.",
        )
        await refuse(error, scope, receive, send, headers={"Retry-After": str(wait)})


def _kind(method: str) -> str:
    if method in ("GET", "HEAD", "OPTIONS"):
        return "reads"
    return "deletes" if method == "DELETE" else "writes"

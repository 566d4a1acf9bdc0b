"""ARM's paths are case-insensitive in their keywords, and clients mix cases even within one command.

Routes are written in lower case; this ASGI layer lowers the keywords of a path by their position, so that names keep
their case, and drops a trailing slash.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

_PROVIDERS = "providers"
_ROOTS = ("subscriptions", _PROVIDERS)


def normalised(path: str) -> str:
    """Return the path with keywords in lower case: every even segment, and after ``providers`` the namespace too."""
    segments = [part for part in path.split("/") if part]
    keywords = keyword_positions(segments)
    parts = [part.lower() if at in keywords else part for at, part in enumerate(segments)]
    return "/" + "/".join(parts)


def keyword_positions(segments: Sequence[str]) -> frozenset[int]:
    """Return which segments are ARM's words and not somebody's names; outside of subscriptions all of them are."""
    if not segments or segments[0].lower() not in _ROOTS:
        return frozenset(range(len(segments)))
    even = range(0, len(segments), 2)
    namespaces = {at + 1 for at in even if segments[at].lower() == _PROVIDERS and at + 1 < len(segments)}
    return frozenset(even) | namespaces


class CaseInsensitivePaths:
    """The ASGI layer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its path normalised."""
        if scope["type"] == "http":
            path = normalised(scope["path"])
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)

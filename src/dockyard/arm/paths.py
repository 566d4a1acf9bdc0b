"""ARM's paths are case-insensitive in their keywords, and clients mix cases even within one command.

Routes are written in lower case; this ASGI layer lowers the keywords of a path by their position, so that names keep
their case, and drops a trailing slash.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

_PROVIDERS = "providers"


def normalised(path: str) -> str:
    """Return the path with keywords in lower case: every even segment, and after ``providers`` the namespace too."""
    segments = [part for part in path.split("/") if part]
    keywords = _keyword_positions([segment.lower() for segment in segments])
    parts = [part.lower() if at in keywords else part for at, part in enumerate(segments)]
    return "/" + "/".join(parts)


def _keyword_positions(segments: list[str]) -> set[int]:
    if not segments or segments[0] != "subscriptions":
        return set(range(len(segments)))
    if _PROVIDERS not in segments[2:5:2]:
        return set(range(0, len(segments), 2))
    provider = segments.index(_PROVIDERS, 2)
    before = set(range(0, provider + 1, 2))
    after = {provider + 1, *range(provider + 2, len(segments), 2)}
    return before | after


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

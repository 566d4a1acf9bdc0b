"""The ``api-version`` of a request, as ARM insists on it: there, and well-formed. Which one it is does not matter.

Azure serves old versions for years; here every version is answered with the same documents. An ASGI layer.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Receive, Scope, Send

from dockyard.arm.answers import refuse
from dockyard.model.errors import DockyardError, InvalidRequest

PATTERN = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(-[a-z]+)?$"
SUPPORTED = ("2026-04-01", "2025-04-01", "2024-11-01", "2024-07-01", "2022-12-01", "2022-04-01", "2015-06-15")
_VERSION = re.compile(PATTERN[1:-1], re.ASCII | re.IGNORECASE)
_VERSIONED = ("subscriptions", "providers", "tenants")


class ApiVersions:
    """The ASGI layer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then pass on."""
        if scope["type"] == "http" and is_versioned(scope["path"]):
            error = _mistake(scope["query_string"])
            if error is not None:
                await refuse(error, scope, receive, send)
                return
        await self._app(scope, receive, send)


def is_versioned(path: str) -> bool:
    """Tell whether requests to a normalised path must name a version."""
    return path.split("/")[1] in _VERSIONED


def _mistake(query: bytes) -> DockyardError | None:
    asked = {name.lower(): values for name, values in parse_qs(query.decode("latin-1")).items()}.get("api-version")
    if not asked:
        return InvalidRequest(
            "The api-version query parameter (?api-version=) is required for all requests",
            code="MissingApiVersionParameter",
        )
    if not _VERSION.fullmatch(asked[0]):
        return InvalidRequest(
            f"The api-version '{asked[0][:80]}' is invalid. The supported versions are '{','.join(SUPPORTED)}'",
            code="InvalidApiVersionParameter",
        )
    return None

"""The ASGI layer every request passes: a token of ours, or one of the few public paths."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from dockyard.arm.errors import error_response
from dockyard.arm.identity.tokens import Tokens
from dockyard.model.errors import Unauthenticated

_PUBLIC = ("/metadata/endpoints", "/adfs/.well-known/openid-configuration", "/adfs/oauth2/token")
_SIGNED = "/console/"  # these URLs carry a signature of their own, because clients fetch them without a header


class Guard:
    """Answer 401 unless the request carries a token or needs none."""

    def __init__(self, app: ASGIApp, *, tokens: Tokens) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then pass on."""
        if scope["type"] == "http" and not _is_public(scope["path"]):
            try:
                self._tokens.check(Headers(scope=scope).get("authorization"))
            except Unauthenticated as error:
                record = error.record()
                response = error_response(status=401, code=record.code, message=record.message)
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _is_public(path: str) -> bool:
    return path in _PUBLIC or path.startswith(_SIGNED)

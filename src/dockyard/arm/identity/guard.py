"""The ASGI layer every request passes: a token of ours, or one of the few public paths."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from dockyard.arm.answers import refuse
from dockyard.arm.identity.tokens import Tokens
from dockyard.fabric.principals import Principals
from dockyard.model.errors import Unauthenticated

_PUBLIC = (
    "/metadata/endpoints",
    "/metadata/aliases",
    "/adfs/.well-known/openid-configuration",
    "/adfs/adfs/v2.0/.well-known/openid-configuration",
    "/adfs/oauth2/token",
)
_SIGNED = "/console/"  # these URLs carry a signature of their own, because clients fetch them without a header
_CHALLENGE = {"WWW-Authenticate": "Bearer"}


class Guard:
    """Answer 401 unless the request carries a token or needs none; write down whose token it is."""

    def __init__(self, app: ASGIApp, *, tokens: Tokens, principals: Principals) -> None:
        self._app = app
        self._tokens = tokens
        self._principals = principals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then pass on."""
        if scope["type"] == "http" and not is_public(scope["path"]):
            try:
                claims = self._tokens.check(Headers(scope=scope).get("authorization"))
                caller = self._principals.recognise(client_id=claims.client_id, secret_id=claims.secret_id)
            except Unauthenticated as error:
                await refuse(error, scope, receive, send, headers=_CHALLENGE)
                return
            scope = {**scope, "state": {**scope.get("state", {}), "caller": caller}}
        await self._app(scope, receive, send)


def is_public(path: str) -> bool:
    """Tell whether a path is answered without a token."""
    return path in _PUBLIC or path.startswith(_SIGNED)

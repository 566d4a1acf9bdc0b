"""The ASGI layer that lets a request through when its caller's roles grant the action it is."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from dockyard.arm.answers import Answer, Exchange, refuse
from dockyard.arm.authorization.actions import Demand, demand
from dockyard.arm.context import caller_of, may
from dockyard.arm.paths import normalised
from dockyard.fabric.roles import Roles
from dockyard.model.errors import DockyardError, Forbidden, NotFound
from dockyard.model.principal import ServicePrincipal
from dockyard.model.role import is_within


class Authorization:
    """Answer 403 as ARM words it unless the caller may. What has no caller was let through as public before."""

    def __init__(self, app: ASGIApp, *, roles: Roles, subscription_id: str) -> None:
        self._app = app
        self._roles = roles
        self._subscription_id = subscription_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then pass on."""
        caller = scope.get("state", {}).get("caller")
        if scope["type"] == "http" and caller is not None:
            wanted = demand(method=scope["method"], path=scope["path"])
            error = self._refusal(caller, wanted, path=scope["path"])
            if error is not None and wanted is not None and wanted.lists and self._sees_below(caller, wanted):
                await self._seen(caller, error, scope, receive, send)
                return
            if error is not None:
                await refuse(error, scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, caller: ServicePrincipal, wanted: Demand | None, *, path: str) -> DockyardError | None:
        subscription = path.split("/")[2:3] if path.startswith("/subscriptions/") else []
        if subscription and subscription[0].lower() != self._subscription_id.lower():
            return NotFound(f"The subscription '{subscription[0]}' could not be found", code="SubscriptionNotFound")
        if wanted is None:
            return None
        may = self._roles.may(caller, action=wanted.action, scope=wanted.scope, anywhere=wanted.anywhere)
        return None if may else authorization_failed(caller, wanted)

    def _sees_below(self, caller: ServicePrincipal, wanted: Demand) -> bool:
        in_subscription = is_within(wanted.scope, f"/subscriptions/{self._subscription_id}")
        return in_subscription and self._roles.may(caller, action=wanted.action, scope=wanted.scope, anywhere=True)

    async def _seen(
        self, caller: ServicePrincipal, error: DockyardError, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer a list without what the caller may not read, as Azure does; what is no list stays refused."""
        answer = await Exchange().ask(self._app, scope)
        entries = _entries(answer)
        if entries is None:
            await refuse(error, scope, receive, send)
            return
        shown = [entry for entry in entries if self._may_read(caller, entry)]
        await JSONResponse({"value": shown})(scope, receive, send)

    def _may_read(self, caller: ServicePrincipal, entry: Any) -> bool:
        id = entry.get("id") if isinstance(entry, dict) else None
        wanted = demand(method="GET", path=normalised(id)) if isinstance(id, str) else None
        return wanted is not None and self._roles.may(caller, action=wanted.action, scope=wanted.scope)


def _entries(answer: Answer) -> list[Any] | None:
    document = json.loads(answer.body) if answer.status == 200 and answer.body else None
    entries = document.get("value") if isinstance(document, dict) else None
    return entries if isinstance(entries, list) else None


def check_may(request: Request, *, action: str, scope: str) -> None:
    """Check a right that does not follow from the request itself. Raises Forbidden."""
    if not may(request, action=action, scope=scope):
        raise authorization_failed(caller_of(request), Demand(action, scope))


def authorization_failed(caller: ServicePrincipal, wanted: Demand) -> Forbidden:
    """Return the refusal in ARM's words."""
    return Forbidden(
        f"The client '{caller.client_id}' with object id '{caller.object_id}' does not have authorization to perform"
        f" action '{wanted.action}' over scope '{wanted.scope}' or the scope is invalid. If access was recently"
        " granted, please refresh your credentials"
    )

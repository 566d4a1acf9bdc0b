"""Routes of subscriptions and locations."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.bodies import check_subscription
from dockyard.arm.context import LOCATION, TENANT_ID, context_of, may
from dockyard.arm.describe import describe


@describe(answer=schemas.a_list(schemas.SUBSCRIPTION))
async def subscriptions(request: Request) -> Response:
    """List the one subscription, to those who have a role in it."""
    id = f"/subscriptions/{context_of(request).subscription_id}"
    seen = may(request, action="Microsoft.Resources/subscriptions/read", scope=id, anywhere=True)
    return JSONResponse({"value": [_subscription(request)] if seen else []})


@describe(answer=schemas.SUBSCRIPTION)
async def subscription(request: Request) -> Response:
    """Show the one subscription."""
    check_subscription(request)
    return JSONResponse(_subscription(request))


@describe(answer=schemas.a_list(schemas.NAMED))
async def locations(request: Request) -> Response:
    """List the one location."""
    check_subscription(request)
    id = f"/subscriptions/{context_of(request).subscription_id}/locations/{LOCATION}"
    return JSONResponse({"value": [{"id": id, "name": LOCATION, "displayName": "This machine"}]})


def _subscription(request: Request) -> dict[str, Any]:
    id = context_of(request).subscription_id
    return {
        "id": f"/subscriptions/{id}",
        "subscriptionId": id,
        "tenantId": TENANT_ID,
        "displayName": "Dockyard",
        "state": "Enabled",
        "tags": dict(context_of(request).fabric.rooms.store.scope_tags(scope=f"/subscriptions/{id}")),
    }


_ONE = "/subscriptions/{subscription}"
ROUTES = [
    Route("/subscriptions", subscriptions),
    Route(_ONE, subscription),
    Route(f"{_ONE}/locations", locations),
]

"""Routes of service principals, which on Azure live in a directory outside of ARM. A secret is shown once."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.bodies import check_subscription, read_body
from dockyard.arm.context import TENANT_ID, context_of
from dockyard.arm.describe import describe
from dockyard.fabric.principals import Principals
from dockyard.model.principal import ServicePrincipal


def _use_case(request: Request) -> Principals:
    check_subscription(request)
    return context_of(request).fabric.principals


@describe(answer=schemas.RESOURCES)
async def list_principals(request: Request) -> Response:
    """List the principals of this server."""
    return JSONResponse({"value": [_document(request, each) for each in _use_case(request).list()]})


@describe(body=schemas.OBJECT, answer=schemas.RESOURCE)
async def principal(request: Request) -> Response:
    """Show, create or delete one principal."""
    name = request.path_params["name"]
    if request.method == "PUT":
        await read_body(request)  # nothing in it matters yet, and nothing but an object is one
        made, secret = await _use_case(request).create(name=name)
        return JSONResponse(_document(request, made, secret=secret), status_code=201 if secret else 200)
    if request.method == "DELETE":
        return Response(status_code=200 if _use_case(request).delete(name=name) else 204)
    return JSONResponse(_document(request, _use_case(request).get(name=name)))


@describe(answer=schemas.RESOURCE)
async def reset_secret(request: Request) -> Response:
    """Give one principal a new secret; the old one, and every token issued for it, is worthless at once."""
    changed, secret = await _use_case(request).reset(name=request.path_params["name"])
    return JSONResponse(_document(request, changed, secret=secret))


def _document(request: Request, found: ServicePrincipal, *, secret: str | None = None) -> dict[str, Any]:
    properties = {
        "appId": found.client_id,
        "objectId": found.object_id,
        "tenantId": TENANT_ID,
        "createdOn": found.created_at.isoformat(),
    }
    if secret is not None:
        properties["clientSecret"] = secret
    return {
        "id": f"/subscriptions/{context_of(request).subscription_id}/providers/{_TYPE}/{found.name}",
        "name": found.name,
        "type": _TYPE,
        "properties": properties,
    }


_TYPE = "Dockyard.Identity/principals"
_ALL = "/subscriptions/{subscription}/providers/dockyard.identity/principals"
ROUTES = [
    Route(_ALL, list_principals),
    Route(f"{_ALL}/{{name}}", principal, methods=["GET", "PUT", "DELETE"]),
    Route(f"{_ALL}/{{name}}/resetsecret", reset_secret, methods=["POST"]),
]

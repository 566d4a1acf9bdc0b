"""Routes of subscriptions and resource groups."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.bodies import check_subscription, read_body, read_tags
from dockyard.arm.context import LOCATION, TENANT_ID, context_of, may
from dockyard.arm.describe import describe
from dockyard.arm.long_running import accepted_response
from dockyard.model.errors import NotFound
from dockyard.model.resource_group import ResourceGroup


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


@describe(answer=schemas.RESOURCES)
async def groups(request: Request) -> Response:
    """List the resource groups in which the caller has a role."""
    check_subscription(request)
    shown = [_group(group) for group in context_of(request).fabric.resource_groups.list()]
    action = "Microsoft.Resources/subscriptions/resourceGroups/read"
    return JSONResponse(
        {"value": [each for each in shown if may(request, action=action, scope=each["id"], anywhere=True)]}
    )


@describe(body=schemas.TAGGED, answer=schemas.RESOURCE)
async def group(request: Request) -> Response:
    """Show, probe, create or delete one resource group."""
    check_subscription(request)
    context = context_of(request)
    name = request.path_params["group"]
    use_case = context.fabric.resource_groups
    if request.method == "HEAD":
        return Response(status_code=204 if _exists(request, name) else 404)
    if request.method == "PUT":
        return await _put_group(request, name)
    if request.method == "DELETE":
        return accepted_response(request, operation=use_case.delete(subscription_id=context.subscription_id, name=name))
    return JSONResponse(_group(use_case.get(name=name)))


async def _put_group(request: Request, name: str) -> Response:
    body = await read_body(request)
    existed = _exists(request, name)
    tags = tuple(read_tags(body).items())
    location = body.optional_string("location") or LOCATION
    made = ResourceGroup(context_of(request).subscription_id, name, location, tags)
    context_of(request).fabric.resource_groups.put(made)
    return JSONResponse(_group(made), status_code=200 if existed else 201)


def _exists(request: Request, name: str) -> bool:
    try:
        context_of(request).fabric.resource_groups.get(name=name)
    except NotFound:
        return False
    return True


def _subscription(request: Request) -> dict[str, Any]:
    id = context_of(request).subscription_id
    return {
        "id": f"/subscriptions/{id}",
        "subscriptionId": id,
        "tenantId": TENANT_ID,
        "displayName": "Dockyard",
        "state": "Enabled",
    }


def _group(group: ResourceGroup) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{group.subscription_id}/resourceGroups/{group.name}",
        "name": group.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
        "tags": dict(group.tags),
        "properties": {"provisioningState": "Succeeded"},
    }


_ONE = "/subscriptions/{subscription}"
ROUTES = [
    Route("/subscriptions", subscriptions),
    Route(_ONE, subscription),
    Route(f"{_ONE}/locations", locations),
    Route(f"{_ONE}/resourcegroups", groups),
    Route(f"{_ONE}/resourcegroups/{{group}}", group, methods=["GET", "HEAD", "PUT", "DELETE"]),
]

"""Routes of resource groups."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.bodies import check_subscription, read_body, read_tags
from dockyard.arm.context import LOCATION, context_of, may
from dockyard.arm.describe import describe
from dockyard.arm.filters import holds, parse_filter, parse_top
from dockyard.arm.long_running import accepted_response
from dockyard.arm.resources.scopes import GROUP, SUBSCRIPTION
from dockyard.fabric.resource_groups import RESOURCE_GROUPS, ResourceGroups
from dockyard.model.errors import NotFound
from dockyard.model.resource_group import ResourceGroup

_READ = "Microsoft.Resources/subscriptions/resourceGroups/read"


def _use_case(request: Request) -> ResourceGroups:
    return context_of(request).fabric.resource_groups


@describe(answer=schemas.RESOURCES, query=("$filter", "$top"))
async def groups(request: Request) -> Response:
    """List the resource groups in which the caller has a role."""
    check_subscription(request)
    asked = parse_filter(request.query_params.get("$filter", ""), names=("tagName", "tagValue"))
    top = parse_top(request.query_params.get("$top", ""))
    found = [_document(request, group) for group in _use_case(request).list() if holds(asked, tags=dict(group.tags))]
    seen = [each for each in found if may(request, action=_READ, scope=each["id"], anywhere=True)]
    return JSONResponse({"value": seen[:top]})


@describe(body=schemas.TAGGED, patch=schemas.TAGS_ALONE, answer=schemas.RESOURCE)
async def group(request: Request) -> Response:
    """Show, probe, create, change or delete one resource group."""
    check_subscription(request)
    name = request.path_params["group"]
    if request.method == "HEAD":
        return Response(status_code=204 if _find(request) else 404)
    if request.method == "PUT":
        return await _put(request)
    if request.method == "PATCH":
        return await _patch(request)
    if request.method == "DELETE":
        return accepted_response(request, operation=_use_case(request).delete(name=name))
    return JSONResponse(_document(request, _use_case(request).get(name=name)))


async def _put(request: Request) -> Response:
    body = await read_body(request)
    tags, before = read_tags(body), _find(request)
    name = before.name if before else request.path_params["group"]
    location = body.optional_string("location") or (before.location if before else LOCATION)
    made = ResourceGroup(context_of(request).subscription_id, name, location, tuple(tags.items()))
    _use_case(request).put(made)
    return JSONResponse(_document(request, made), status_code=200 if before else 201)


async def _patch(request: Request) -> Response:
    body = await read_body(request)
    before = _use_case(request).get(name=request.path_params["group"])
    tags = read_tags(body) if body.optional("tags") is not None else dict(before.tags)
    changed = ResourceGroup(before.subscription_id, before.name, before.location, tuple(tags.items()))
    _use_case(request).put(changed)
    return JSONResponse(_document(request, changed))


def _find(request: Request) -> ResourceGroup | None:
    try:
        return _use_case(request).get(name=request.path_params["group"])
    except NotFound:
        return None


def _document(request: Request, group: ResourceGroup) -> dict[str, Any]:
    going = _use_case(request).is_being_deleted(group)
    return {
        "id": f"/subscriptions/{group.subscription_id}/resourceGroups/{group.name}",
        "name": group.name,
        "type": RESOURCE_GROUPS,
        "location": group.location,
        "tags": dict(group.tags),
        "properties": {"provisioningState": "Deleting" if going else "Succeeded"},
    }


ROUTES = [
    Route(f"{SUBSCRIPTION}/resourcegroups", groups),
    Route(GROUP, group, methods=["GET", "HEAD", "PUT", "PATCH", "DELETE"]),
]

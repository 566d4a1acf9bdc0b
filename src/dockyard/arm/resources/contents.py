"""Routes that list resources whatever their type: of a group, and of the subscription.

What the caller may not read is left out (``authorization.check`` does so for all lists). Images are not among them:
they belong to the host, not to a group.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.bodies import check_subscription
from dockyard.arm.context import context_of, may
from dockyard.arm.describe import describe
from dockyard.arm.filters import Comparison, holds, parse_filter, parse_top
from dockyard.arm.resources.scopes import GROUP, SUBSCRIPTION
from dockyard.fabric.resources import Resource

_NAMES = ("resourceType", "name", "resourceGroup", "location", "tagName", "tagValue")


@describe(answer=schemas.RESOURCES, query=("$filter", "$top", "$expand"))
async def resources(request: Request) -> Response:
    """List the resources of a group or of the subscription, as far as the caller may read them."""
    check_subscription(request)
    fabric = context_of(request).fabric
    name = request.path_params.get("group")
    group = None if name is None else fabric.resource_groups.get(name=name).name
    asked = parse_filter(request.query_params.get("$filter", ""), names=_NAMES)
    top = parse_top(request.query_params.get("$top", ""))
    expanded = [part.strip().lower() for part in request.query_params.get("$expand", "").split(",")]
    found = [each for each in fabric.resources.list(resource_group=group) if _wanted(each, asked)]
    seen = [each for each in found if may(request, action=f"{each.id.type}/read", scope=str(each.id))]
    return JSONResponse({"value": [_document(each, expanded=expanded) for each in seen[:top]]})


def _wanted(resource: Resource, asked: tuple[Comparison, ...]) -> bool:
    members = {
        "resourcetype": lambda: resource.id.type,
        "name": lambda: "/".join(resource.id.names),
        "resourcegroup": lambda: resource.id.resource_group,
        "location": lambda: resource.location,
    }
    return holds(asked, tags=resource.tags, members=members)


def _document(resource: Resource, *, expanded: list[str]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": str(resource.id),
        "name": "/".join(resource.id.names),
        "type": resource.id.type,
        "location": resource.location,
        "tags": dict(resource.tags),
    }
    if resource.sku:
        document["sku"] = {"name": resource.sku, "tier": resource.sku.partition("_")[0]}
    if resource.kind:
        document["kind"] = resource.kind
    if "provisioningstate" in expanded:
        document["provisioningState"] = resource.provisioning_state
    if "createdtime" in expanded and resource.created_at is not None:
        document["createdTime"] = resource.created_at.isoformat()
    return document


ROUTES = [Route(f"{SUBSCRIPTION}/resources", resources), Route(f"{GROUP}/resources", resources)]

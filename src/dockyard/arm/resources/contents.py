"""The route that lists what lies in a resource group, whatever its type."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.bodies import check_subscription
from dockyard.arm.context import context_of
from dockyard.arm.describe import describe
from dockyard.model.resource_id import ResourceId


@describe(answer=schemas.RESOURCES)
async def resources(request: Request) -> Response:
    """List the resources of a group. Images are not among them: they belong to the host, not to a group."""
    check_subscription(request)
    fabric = context_of(request).fabric
    group = fabric.resource_groups.get(name=request.path_params["group"]).name
    found: list[dict[str, Any]] = []
    for machine in fabric.virtual_machines.list(resource_group=group):
        found.append(_entry(machine.id, location=machine.location))
        children = [*fabric.extensions.list(machine=machine.id), *fabric.run_commands.list(machine=machine.id)]
        found += [_entry(child.id, location=child.location) for child in children]
    found += [
        _entry(account.id, location=account.location) for account in fabric.storage_accounts.list(resource_group=group)
    ]
    found += [_entry(each.id, location=each.location) for each in fabric.networks.independent(resource_group=group)]
    return JSONResponse({"value": found})


def _entry(id: ResourceId, *, location: str) -> dict[str, Any]:
    return {"id": str(id), "name": "/".join(id.names), "type": id.type, "location": location}


ROUTES = [Route("/subscriptions/{subscription}/resourcegroups/{group}/resources", resources)]

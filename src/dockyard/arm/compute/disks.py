"""Routes of disks: those of machines, each as a resource. They are made and changed by their machine's document."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.bodies import check_subscription, resource_id
from dockyard.arm.context import context_of
from dockyard.arm.describe import describe
from dockyard.arm.long_running import accepted_response
from dockyard.fabric.disk_views import Disks, DiskView
from dockyard.model.resource_id import DISKS

_GIB = 2**30
_MACHINE_TAG = "dockyard-machine"
"""Whose disk a detached one is: ARM knows only disks of nobody."""


def _use_case(request: Request) -> Disks:
    return context_of(request).fabric.disks


@describe(answer=schemas.RESOURCES)
async def list_disks(request: Request) -> Response:
    """List the disks of a resource group or of the subscription."""
    check_subscription(request)
    group = request.path_params.get("group")
    if group is not None:
        context_of(request).fabric.resource_groups.get(name=group)
    return JSONResponse({"value": [document(view) for view in _use_case(request).list(resource_group=group)]})


@describe(answer=schemas.RESOURCE)
async def disk(request: Request) -> Response:
    """Show one disk, or delete one that is detached."""
    id = resource_id(request, type=DISKS)
    if request.method == "DELETE":
        return accepted_response(request, operation=_use_case(request).delete(id=id))
    return JSONResponse(document(_use_case(request).get(id=id)))


def document(view: DiskView) -> dict[str, Any]:
    """Return a disk as Azure shows a managed disk."""
    machine, data = view.machine, view.data
    attached = data is None or data.lun is not None
    kind = machine.os_disk.storage_type if data is None else data.storage_type
    size = machine.disk_gib if data is None else data.size_gib
    reference = f"/Publishers/{machine.image.publisher}/Offers/{machine.image.offer}/Skus/{machine.image.sku}"
    made = {"createOption": "Empty"} if data else {"createOption": "FromImage", "imageReference": {"id": reference}}
    properties: dict[str, Any] = {
        "creationData": made,
        "diskSizeGB": size,
        "diskSizeBytes": size * _GIB,
        "diskState": "Unattached" if not attached else "Attached" if machine.may_run else "Reserved",
        "provisioningState": "Succeeded",
        "timeCreated": machine.created_at.isoformat(),
        "uniqueId": machine.vm_id if data is None else data.id,
    }
    if data is None:
        properties["osType"] = "Linux"
    found: dict[str, Any] = {
        "id": str(view.id),
        "name": view.id.name,
        "type": DISKS,
        "location": machine.location,
        "sku": {"name": kind, "tier": kind.partition("_")[0]},
        "tags": {} if attached else {_MACHINE_TAG: machine.id.name},
        "properties": properties,
    }
    return {**found, "managedBy": str(machine.id)} if attached else found


_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = f"{_SUBSCRIPTION}/resourcegroups/{{group}}/providers/microsoft.compute/disks"
ROUTES = [
    Route(f"{_SUBSCRIPTION}/providers/microsoft.compute/disks", list_disks),
    Route(_GROUP, list_disks),
    Route(f"{_GROUP}/{{name}}", disk, methods=["GET", "DELETE"]),
]

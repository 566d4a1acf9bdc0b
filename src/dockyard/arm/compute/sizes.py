"""Routes of sizes: what machines may be asked for, what they can, and how much of it is in use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.bodies import check_subscription, resource_id
from dockyard.arm.context import LOCATION, context_of
from dockyard.arm.describe import describe
from dockyard.model.resource_id import VIRTUAL_MACHINES
from dockyard.model.virtual_machine import SIZES, VirtualMachineSize

_NO_LIMIT = 2**31 - 1
_SIZE = schemas.an_object("name", name=schemas.TEXT)
_MOST_OS_DISK_MB = 4095 * 1024


@describe(answer=schemas.a_list(_SIZE))
async def sizes(request: Request) -> Response:
    """List the sizes with Azure's names."""
    check_subscription(request)
    return JSONResponse({"value": [_size(size) for size in SIZES]})


@describe(answer=schemas.a_list(_SIZE))
async def sizes_of_machine(request: Request) -> Response:
    """List the sizes a machine can be given: those with room for its data disks, and its own."""
    machine = context_of(request).fabric.virtual_machines.get(id=resource_id(request, type=VIRTUAL_MACHINES))
    fitting = [size for size in SIZES if size.max_data_disks >= len(machine.attached_disks)]
    own = [machine.size] if machine.size.name not in [size.name for size in fitting] else []
    return JSONResponse({"value": [_size(size) for size in (*fitting, *own)]})


@describe(answer=schemas.a_list(_SIZE), query=("$filter", "includeExtendedLocations"))
async def skus(request: Request) -> Response:
    """List the sizes with what each can, none of them restricted."""
    check_subscription(request)
    elsewhere = "location eq" in request.query_params.get("$filter", "").lower() and (
        f"'{LOCATION}'" not in request.query_params["$filter"].lower()
    )
    return JSONResponse({"value": [] if elsewhere else [_sku(size) for size in SIZES]})


@describe(answer=schemas.a_list(schemas.an_object("currentValue", "limit", "unit", name=schemas.OBJECT)))
async def usages(request: Request) -> Response:
    """Tell how many machines and processors there are; the only limits are the host's own."""
    check_subscription(request)
    machines = context_of(request).fabric.virtual_machines.list()
    running = [machine for machine in machines if not machine.deallocated]
    return JSONResponse(
        {
            "value": [
                _usage("cores", "Total Regional vCPUs", sum(machine.size.cpus for machine in running)),
                _usage("virtualMachines", "Virtual Machines", len(machines)),
                _usage("StandardSSDDiskCount", "Disks", sum(1 + len(machine.data_disks) for machine in machines)),
            ]
        }
    )


def _size(size: VirtualMachineSize) -> Mapping[str, Any]:
    return {
        "name": size.name,
        "numberOfCores": size.cpus,
        "memoryInMB": size.memory_mib,
        "maxDataDiskCount": size.max_data_disks,
        "osDiskSizeInMB": _MOST_OS_DISK_MB,
        "resourceDiskSizeInMB": 0,
    }


def _sku(size: VirtualMachineSize) -> Mapping[str, Any]:
    tier, _, short = size.name.partition("_")
    capabilities = {
        "vCPUs": str(size.cpus),
        "vCPUsAvailable": str(size.cpus),
        "MemoryGB": f"{size.memory_mib / 1024:g}",
        "MaxDataDiskCount": str(size.max_data_disks),
        "OSVhdSizeMB": str(_MOST_OS_DISK_MB),
        "MaxResourceVolumeMB": "0",
        "CpuArchitectureType": "x64",
        "HyperVGenerations": "V1,V2",
        "PremiumIO": "True",
        "EncryptionAtHostSupported": "False",
        "AcceleratedNetworkingEnabled": "False",
        "TrustedLaunchDisabled": "True",
    }
    return {
        "resourceType": "virtualMachines",
        "name": size.name,
        "tier": tier,
        "size": short,
        "family": f"standard{short[:1]}Family",
        "locations": [LOCATION],
        "locationInfo": [{"location": LOCATION, "zones": [], "zoneDetails": []}],
        "capabilities": [{"name": name, "value": value} for name, value in capabilities.items()],
        "restrictions": [],
    }


def _usage(name: str, shown: str, value: int) -> Mapping[str, Any]:
    names = {"value": name, "localizedValue": shown}
    return {"name": names, "currentValue": value, "limit": _NO_LIMIT, "unit": "Count"}


_COMPUTE = "/subscriptions/{subscription}/providers/microsoft.compute"
_MACHINE = "/subscriptions/{subscription}/resourcegroups/{group}/providers/microsoft.compute/virtualmachines/{name}"
ROUTES = [
    Route(f"{_COMPUTE}/locations/{{location}}/vmsizes", sizes),
    Route(f"{_COMPUTE}/locations/{{location}}/usages", usages),
    Route(f"{_COMPUTE}/skus", skus),
    Route(f"{_MACHINE}/vmsizes", sizes_of_machine),
]

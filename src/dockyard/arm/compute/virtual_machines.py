"""Routes of virtual machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.bodies import check_subscription, read_body, resource_id
from dockyard.arm.compute import documents, power
from dockyard.arm.compute.requests import patched, virtual_machine_request
from dockyard.arm.context import LOCATION, context_of
from dockyard.arm.describe import describe
from dockyard.arm.long_running import accepted_response, put_response
from dockyard.arm.network.attaching import attached
from dockyard.fabric.virtual_machines import VirtualMachines
from dockyard.model.errors import Conflict, Unauthenticated
from dockyard.model.extension import Extension
from dockyard.model.provisioning import ProvisioningState
from dockyard.model.resource_id import VIRTUAL_MACHINES, ResourceId
from dockyard.model.virtual_machine import VirtualMachine

_MACHINE = schemas.a_body(
    "storageProfile",
    "osProfile",
    hardwareProfile=schemas.maybe(schemas.an_object(vmSize=schemas.MAYBE_TEXT)),
    storageProfile=schemas.an_object(imageReference=schemas.MAYBE_OBJECT),
    osProfile=schemas.an_object("adminUsername", adminUsername=schemas.TEXT),
) | {
    "examples": [
        {
            "location": LOCATION,
            "tags": {"team": "red"},
            "properties": {
                "hardwareProfile": {"vmSize": "Standard_B1s"},
                "storageProfile": {"imageReference": {"publisher": "Dockyard", "offer": "alias", "sku": "debian-13"}},
                "osProfile": {"computerName": "web", "adminUsername": "dockyard"},
            },
        }
    ]
}


_PATCH = schemas.an_object(tags=schemas.TAGS, properties=schemas.MAYBE_OBJECT)


def _use_case(request: Request) -> VirtualMachines:
    return context_of(request).fabric.virtual_machines


def _id(request: Request) -> ResourceId:
    return resource_id(request, type=VIRTUAL_MACHINES)


@describe(answer=schemas.RESOURCES)
async def list_machines(request: Request) -> Response:
    """List the machines of a resource group or of the subscription."""
    check_subscription(request)
    group = request.path_params.get("group")
    if group is not None:
        context_of(request).fabric.resource_groups.get(name=group)
    found = _use_case(request).list(resource_group=group)
    children = context_of(request).fabric.extensions.by_machine()
    return JSONResponse({"value": [await _brief(request, each, children.get(each.id.key, ())) for each in found]})


@describe(body=_MACHINE, patch=_PATCH, answer=schemas.RESOURCE, query=("$expand",))
async def machine(request: Request) -> Response:
    """Show, create, change or delete one machine."""
    if request.method == "PUT":
        return await _put(request)
    if request.method == "PATCH":
        return await _patch(request)
    if request.method == "DELETE":
        return accepted_response(request, operation=await _use_case(request).delete(id=_id(request)))
    return JSONResponse(await _document(request, _use_case(request).get(id=_id(request))))


@describe(answer=schemas.an_object("statuses", statuses=schemas.an_array(schemas.OBJECT)))
async def instance_view(request: Request) -> Response:
    """Show what is the case now."""
    return JSONResponse(await _view(request, _use_case(request).get(id=_id(request))))


@describe(answer=schemas.an_object(serialConsoleLogBlobUri=schemas.TEXT))
async def boot_diagnostics(request: Request) -> Response:
    """Give the address of the serial console log, good for an hour without any other credential."""
    context = context_of(request)
    machine = _use_case(request).get(id=_id(request))
    if not documents.has_boot_diagnostics(machine):
        raise Conflict(
            f"Boot diagnostics is not enabled for the virtual machine '{machine.id.name}'",
            resolution="Set properties.diagnosticsProfile.bootDiagnostics.enabled to true first.",
            code="OperationNotAllowed",
        )
    signature = context.tokens.sign_path(f"/console/{machine.vm_id}")
    path = f"/console/{machine.vm_id}?sig={signature}"
    return JSONResponse({"serialConsoleLogBlobUri": f"{context.endpoint}{path}"})


@describe(answer=schemas.TEXT, query=("sig",), media="text/plain")
async def console(request: Request) -> Response:
    """Serve the serial console log to the holder of a signed address."""
    context = context_of(request)
    vm_id = request.path_params["vm_id"]
    if not context.tokens.check_path(f"/console/{vm_id}", signature=request.query_params.get("sig", "")):
        raise Unauthenticated("The address of the console log has expired or is not one of this server's")
    log = _use_case(request).console_log(vm_id=vm_id)
    return PlainTextResponse(log.decode("utf-8", "replace"))


async def _put(request: Request) -> Response:
    wanted = virtual_machine_request(await read_body(request), id=_id(request))
    only_if_absent = request.headers.get("if-none-match") == "*"
    wanted = attached(request, wanted)
    made, operation = _use_case(request).create(request=wanted, only_if_absent=only_if_absent)
    await context_of(request).fabric.networks.refresh()
    made = _use_case(request).get(id=made.id)
    document = await _document(request, made)
    created = made.provisioning_state is ProvisioningState.CREATING
    return put_response(request, operation=operation, document=document, created=created)


async def _patch(request: Request) -> Response:
    patch = await read_body(request)
    existing = _use_case(request).get(id=_id(request))
    body = patched(documents.virtual_machine(existing, extensions=()), patch)
    wanted = virtual_machine_request(body, id=existing.id)
    made, operation = _use_case(request).create(request=wanted, only_if_absent=False)
    return put_response(request, operation=operation, document=await _document(request, made), created=False)


async def _document(request: Request, machine: VirtualMachine) -> dict[str, Any]:
    view = await _view(request, machine) if _with_view(request) else None
    extensions = context_of(request).fabric.extensions.list(machine=machine.id)
    user_data = "userdata" in request.query_params.get("$expand", "").lower()
    return documents.virtual_machine(machine, extensions=extensions, instance_view=view, with_user_data=user_data)


async def _brief(request: Request, machine: VirtualMachine, extensions: Sequence[Extension]) -> dict[str, Any]:
    view = await _view(request, machine) if _with_view(request) else None
    return documents.virtual_machine(machine, extensions=extensions, instance_view=view, brief=True)


def _with_view(request: Request) -> bool:
    return "instanceview" in request.query_params.get("$expand", "").lower()


async def _view(request: Request, machine: VirtualMachine) -> dict[str, Any]:
    state = await _use_case(request).power_state(machine)
    extensions = context_of(request).fabric.extensions.list(machine=machine.id)
    return documents.instance_view(machine, power=state, extensions=extensions)


def _actions(base: str) -> Sequence[Route]:
    return [
        *power.routes(base),
        Route(f"{base}/retrievebootdiagnosticsdata", boot_diagnostics, methods=["POST"]),
        Route(f"{base}/instanceview", instance_view),
    ]


_SUBSCRIPTION = "/subscriptions/{subscription}"
_COMPUTE = f"{_SUBSCRIPTION}/providers/microsoft.compute"
_GROUP = f"{_SUBSCRIPTION}/resourcegroups/{{group}}/providers/microsoft.compute/virtualmachines"
ROUTES = [
    Route(f"{_COMPUTE}/virtualmachines", list_machines),
    Route(_GROUP, list_machines),
    Route(f"{_GROUP}/{{name}}", machine, methods=["GET", "PUT", "PATCH", "DELETE"]),
    *_actions(f"{_GROUP}/{{name}}"),
    Route("/console/{vm_id}", console),
]

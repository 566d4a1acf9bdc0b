"""Routes of run commands: the action of a machine, and the resources below it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.bodies import check_subscription, read_body, read_tags, resource_id
from dockyard.arm.compute.run_command_bodies import action_request, run_command, run_command_request
from dockyard.arm.context import context_of
from dockyard.arm.describe import describe
from dockyard.arm.long_running import accepted_response, put_response
from dockyard.fabric.run_commands import RunCommands
from dockyard.model.errors import NotFound
from dockyard.model.operation import Operation
from dockyard.model.resource_id import RUN_COMMANDS, VIRTUAL_MACHINES, ResourceId

_RUN_SHELL_SCRIPT: dict[str, Any] = {
    "$schema": "http://schema.management.azure.com/schemas/2016-11-17/runcommands.json",
    "id": "RunShellScript",
    "osType": "Linux",
    "label": "Executes a Linux shell script",
    "description": "Custom multiline shell script should be defined in script property. Optional parameters can be set "
    "in parameters property.",
}

_SCRIPT = schemas.an_object("commandId", commandId=schemas.TEXT)
_RUN_COMMAND = schemas.a_body("source", source=schemas.OBJECT)


def _use_case(request: Request) -> RunCommands:
    return context_of(request).fabric.run_commands


def _id(request: Request) -> ResourceId:
    return resource_id(request, type=RUN_COMMANDS)


def _with_view(request: Request) -> bool:
    return "instanceview" in request.query_params.get("$expand", "").lower()


@describe(body=_SCRIPT)
async def invoke(request: Request) -> Response:
    """Run a script on a machine, one at a time; its output is the operation's result."""
    machine = resource_id(request, type=VIRTUAL_MACHINES)
    wanted = action_request(await read_body(request), id=machine)
    return accepted_response(request, operation=await _use_case(request).invoke(request=wanted))


@describe(answer=schemas.RESOURCES, query=("$expand",))
async def list_run_commands(request: Request) -> Response:
    """List the run commands of one machine."""
    found = _use_case(request).list(machine=resource_id(request, type=VIRTUAL_MACHINES))
    return JSONResponse({"value": [run_command(child, with_view=_with_view(request)) for child in found]})


@describe(body=_RUN_COMMAND, patch=schemas.OBJECT, answer=schemas.RESOURCE, query=("$expand",))
async def one(request: Request) -> Response:
    """Show, set, change or delete one run command."""
    if request.method == "PUT":
        return await _put(request)
    if request.method == "PATCH":
        return await _patch(request)
    if request.method == "DELETE":
        return accepted_response(request, operation=await _use_case(request).delete(id=_id(request)))
    return JSONResponse(run_command(_use_case(request).get(id=_id(request)), with_view=_with_view(request)))


@describe(answer=schemas.a_list(schemas.OBJECT))
async def documents(request: Request) -> Response:
    """List the commands that the action knows."""
    check_subscription(request)
    return JSONResponse({"value": [_RUN_SHELL_SCRIPT]})


@describe(answer=schemas.an_object("id", "script", id=schemas.TEXT))
async def document(request: Request) -> Response:
    """Show one command that the action knows. Raises NotFound."""
    check_subscription(request)
    name = str(request.path_params["command"])
    if name.lower() != "runshellscript":
        raise NotFound(f"The command '{name}' was not found", resolution="There is RunShellScript.")
    parameters = [{"name": "arg1", "type": "string", "required": False}]
    return JSONResponse({**_RUN_SHELL_SCRIPT, "script": [""], "parameters": parameters})


async def _put(request: Request) -> Response:
    id = _id(request)
    is_new = all(child.id.key != id.key for child in _use_case(request).list(machine=id.parent))
    wanted = run_command_request(await read_body(request), id=id)
    made, operation = await _use_case(request).set(request=wanted)
    return _answer(request, made=run_command(made), operation=operation, created=is_new)


async def _patch(request: Request) -> Response:
    """Change members, or the tags alone, for which nothing runs."""
    use_case, body = _use_case(request), await read_body(request)
    existing = use_case.get(id=_id(request))
    if body.optional_object("properties") is None:
        tagged = use_case.set_tags(id=existing.id, tags=read_tags(body) if "tags" in body.names() else existing.tags)
        return JSONResponse(run_command(tagged))
    wanted = run_command_request(body, id=existing.id, existing=existing)
    made, operation = await use_case.set(request=wanted)
    return _answer(request, made=run_command(made), operation=operation, created=False)


def _answer(request: Request, *, made: dict[str, Any], operation: Operation | None, created: bool) -> Response:
    return put_response(request, operation=operation, document=made, created=created)


_SUBSCRIPTION = "/subscriptions/{subscription}"
_MACHINE = f"{_SUBSCRIPTION}/resourcegroups/{{group}}/providers/microsoft.compute/virtualmachines/{{name}}"
_LOCATION = f"{_SUBSCRIPTION}/providers/microsoft.compute/locations/{{location}}"
ROUTES = [
    Route(f"{_MACHINE}/runcommand", invoke, methods=["POST"]),
    Route(f"{_MACHINE}/runcommands", list_run_commands),
    Route(f"{_MACHINE}/runcommands/{{child}}", one, methods=["GET", "PUT", "PATCH", "DELETE"]),
    Route(f"{_LOCATION}/runcommands", documents),
    Route(f"{_LOCATION}/runcommands/{{command}}", document),
]

"""Routes of VM extensions."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.bodies import read_body, resource_id
from dockyard.arm.compute import documents
from dockyard.arm.compute.requests import extension_request, patched_extension
from dockyard.arm.context import LOCATION, context_of
from dockyard.arm.describe import describe
from dockyard.arm.long_running import accepted_response, put_response
from dockyard.fabric.extensions import Extensions
from dockyard.model.resource_id import EXTENSIONS, VIRTUAL_MACHINES, ResourceId

_EXTENSION = schemas.a_body(
    "publisher",
    "type",
    "typeHandlerVersion",
    publisher=schemas.TEXT,
    type=schemas.TEXT,
    typeHandlerVersion=schemas.TEXT,
    autoUpgradeMinorVersion=schemas.MAYBE_FLAG,
    settings=schemas.MAYBE_OBJECT,
    protectedSettings=schemas.MAYBE_OBJECT,
    forceUpdateTag=schemas.MAYBE_TEXT,
    provisionAfterExtensions=schemas.maybe(schemas.an_array(schemas.TEXT)),
    suppressFailures=schemas.MAYBE_FLAG,
) | {
    "examples": [
        {
            "location": LOCATION,
            "properties": {
                "publisher": "Microsoft.Azure.Extensions",
                "type": "DockerExtension",
                "typeHandlerVersion": "1.0",
                "settings": {"docker": {"port": "2376"}},
            },
        }
    ]
}


def _use_case(request: Request) -> Extensions:
    return context_of(request).fabric.extensions


def _id(request: Request) -> ResourceId:
    return resource_id(request, type=EXTENSIONS)


def _with_view(request: Request) -> bool:
    return "instanceview" in request.query_params.get("$expand", "").lower()


@describe(answer=schemas.RESOURCES, query=("$expand",))
async def list_extensions(request: Request) -> Response:
    """List the extensions of one machine."""
    found = _use_case(request).list(machine=resource_id(request, type=VIRTUAL_MACHINES))
    with_view = _with_view(request)
    return JSONResponse({"value": [documents.extension(child, with_view=with_view) for child in found]})


_PATCH = schemas.an_object(tags=schemas.TAGS, properties=schemas.MAYBE_OBJECT)


@describe(body=_EXTENSION, patch=_PATCH, answer=schemas.RESOURCE, query=("$expand",))
async def extension(request: Request) -> Response:
    """Show, set, change or delete one extension."""
    if request.method == "PUT":
        return await _put(request)
    if request.method == "PATCH":
        return await _patch(request)
    if request.method == "DELETE":
        return accepted_response(request, operation=await _use_case(request).delete(id=_id(request)))
    found = _use_case(request).get(id=_id(request))
    return JSONResponse(documents.extension(found, with_view=_with_view(request)))


async def _put(request: Request) -> Response:
    wanted = extension_request(await read_body(request), id=_id(request))
    made, operation = await _use_case(request).set(request=wanted)
    created = operation is not None and made.sequence_number == 0
    return put_response(request, operation=operation, document=documents.extension(made), created=created)


async def _patch(request: Request) -> Response:
    patch = await read_body(request)
    existing = _use_case(request).get(id=_id(request))
    wanted = patched_extension(documents.extension(existing), patch, id=existing.id)
    made, operation = await _use_case(request).set(request=wanted)
    return put_response(request, operation=operation, document=documents.extension(made), created=False)


_MACHINE = "/subscriptions/{subscription}/resourcegroups/{group}/providers/microsoft.compute/virtualmachines/{name}"
ROUTES = [
    Route(f"{_MACHINE}/extensions", list_extensions),
    Route(f"{_MACHINE}/extensions/{{child}}", extension, methods=["GET", "PUT", "PATCH", "DELETE"]),
]

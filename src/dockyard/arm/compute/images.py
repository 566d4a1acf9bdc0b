"""Routes of managed images: how the VM images of the gallery are built, listed and deleted."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.bodies import check_subscription, read_body, read_tags, resource_id
from dockyard.arm.compute import documents
from dockyard.arm.context import LOCATION, context_of
from dockyard.arm.describe import describe
from dockyard.arm.long_running import put_response
from dockyard.fabric.images import Images
from dockyard.model.errors import NotFound
from dockyard.model.image import ImageBuildOptions
from dockyard.model.resource_id import IMAGES, ResourceId


def _use_case(request: Request) -> Images:
    return context_of(request).fabric.images


@describe(answer=schemas.RESOURCES)
async def list_images(request: Request) -> Response:
    """List the built images; the newest of each name."""
    check_subscription(request)
    group = request.path_params.get("group", "dockyard")
    subscription = context_of(request).subscription_id
    value = [
        documents.image(built, id=ResourceId(subscription, group, IMAGES, (built.alias,)), location=LOCATION)
        for built in _use_case(request).list()
    ]
    return JSONResponse({"value": value})


@describe(body=schemas.TAGGED, answer=schemas.RESOURCE)
async def image(request: Request) -> Response:
    """Show, build or delete one image."""
    id = resource_id(request, type=IMAGES)
    if request.method == "PUT":
        return await _put(request, id=id)
    if request.method == "DELETE":
        if _use_case(request).get(alias=id.name) is None:
            return Response(status_code=204)
        _use_case(request).delete(alias=id.name)
        return Response(status_code=200)
    return _show(request, id=id)


def _show(request: Request, *, id: ResourceId) -> Response:
    progress = _use_case(request).progress(id=id)
    if progress is not None:
        return JSONResponse(documents.image_being_built(id=id, location=LOCATION, progress=progress))
    built = _use_case(request).get(alias=id.name)
    if built is None:
        raise NotFound(
            f"There is no built image '{id.name}'",
            resolution=f"'dockyard image build {id.name}' builds it.",
        )
    return JSONResponse(documents.image(built, id=id, location=LOCATION))


async def _put(request: Request, *, id: ResourceId) -> Response:
    body = await read_body(request)
    body.optional_string("location")  # there is one; read so that a wrong one is told
    tags = read_tags(body)
    options = ImageBuildOptions(
        mirror=tags.get("dockyard-mirror") or None, refresh=tags.get("dockyard-refresh", "").lower() == "true"
    )
    operation = _use_case(request).build(id=id, options=options)
    document = documents.image_being_built(id=id, location=LOCATION, progress="")
    return put_response(request, operation=operation, document=document, created=True)


_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = f"{_SUBSCRIPTION}/resourcegroups/{{group}}/providers/microsoft.compute/images"
ROUTES = [
    Route(f"{_SUBSCRIPTION}/providers/microsoft.compute/images", list_images),
    Route(_GROUP, list_images),
    Route(f"{_GROUP}/{{name}}", image, methods=["GET", "PUT", "DELETE"]),
]

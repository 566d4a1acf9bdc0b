"""Routes of the extension catalogue: which publishers, types and versions the gallery has."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.bodies import check_subscription
from dockyard.arm.context import LOCATION, context_of
from dockyard.arm.describe import describe
from dockyard.model.errors import NotFound
from dockyard.model.extension import ExtensionPackage


@describe(answer=schemas.an_array(schemas.NAMED))
async def publishers(request: Request) -> Response:
    """List who published extensions or VM images."""
    images = context_of(request).fabric.images.offered().values()
    names = sorted({package.publisher for package in _packages(request)} | {urn.publisher for urn in images})
    return JSONResponse([_entry(request, name) for name in names])


@describe(answer=schemas.an_array(schemas.NAMED))
async def types(request: Request) -> Response:
    """List the extension types of one publisher."""
    names = sorted({package.type for package in _of_publisher(request)})
    return JSONResponse([_entry(request, name) for name in names])


@describe(answer=schemas.an_array(schemas.NAMED))
async def versions(request: Request) -> Response:
    """List the versions of one extension type. Raises NotFound for an unknown one."""
    wanted = str(request.path_params["type"])
    found = [package for package in _of_publisher(request) if package.type.lower() == wanted.lower()]
    if not found:
        raise NotFound(
            f"There is no extension {request.path_params['publisher']}.{wanted}",
            code="VMExtensionImageNotFound",
        )
    return JSONResponse([_entry(request, package.version) for package in found])


def _packages(request: Request) -> Sequence[ExtensionPackage]:
    check_subscription(request)
    return context_of(request).fabric.packages.list()


def _of_publisher(request: Request) -> list[ExtensionPackage]:
    wanted = str(request.path_params["publisher"]).lower()
    return [package for package in _packages(request) if package.publisher.lower() == wanted]


def _entry(request: Request, name: str) -> dict[str, str]:
    return {"id": f"{request.url.path}/{name}", "name": name, "location": LOCATION}


_LOCATION = "/subscriptions/{subscription}/providers/microsoft.compute/locations/{location}/publishers"
_TYPES = f"{_LOCATION}/{{publisher}}/artifacttypes/vmextension/types"
ROUTES = [
    Route(_LOCATION, publishers),
    Route(_TYPES, types),
    Route(f"{_TYPES}/{{type}}/versions", versions),
]

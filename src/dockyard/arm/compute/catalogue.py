"""Routes of the extension catalogue: publishers, types and versions, and Dockyard's own way to add and remove one.

The GETs are Azure's, who takes packages in by another door: PUT and DELETE of a version are ours. The body of a PUT is
the package's zip file.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.authorization.actions import spelled
from dockyard.arm.bodies import check_subscription
from dockyard.arm.context import LOCATION, context_of
from dockyard.arm.describe import describe
from dockyard.fabric.packages import Packages
from dockyard.model.errors import InvalidRequest, NotFound
from dockyard.model.extension import PACKAGE_GONE, ExtensionPackage
from dockyard.model.package_name import PackageName, version_numbers

_STARTS_WITH = re.compile(r"startswith\(name,\s*'([^']*)'\)", re.IGNORECASE)


@describe(answer=schemas.an_array(schemas.NAMED))
async def publishers(request: Request) -> Response:
    """List who published extensions."""
    names = sorted({package.publisher for package in _packages(request)})
    return JSONResponse([_entry(request, name) for name in names])


@describe(answer=schemas.an_array(schemas.NAMED))
async def types(request: Request) -> Response:
    """List the extension types of one publisher."""
    names = sorted({package.type for package in _of_publisher(request)})
    return JSONResponse([_entry(request, name) for name in names])


@describe(answer=schemas.an_array(schemas.NAMED), query=("$filter", "$top", "$orderby"))
async def versions(request: Request) -> Response:
    """List the versions of one extension type. Raises NotFound for an unknown one."""
    wanted = str(request.path_params["type"])
    found = [package for package in _of_publisher(request) if package.type.lower() == wanted.lower()]
    if not found:
        raise NotFound(f"There is no extension {request.path_params['publisher']}.{wanted}", code=PACKAGE_GONE)
    return JSONResponse([_version(request, package) for package in _asked_for(request, found)])


@describe(body=schemas.BINARY, body_media="application/octet-stream", answer=schemas.NAMED)
async def version(request: Request) -> Response:
    """Show, publish or take back one version of an extension."""
    check_subscription(request)
    names = {part: str(request.path_params[part]) for part in ("publisher", "type", "version")}
    if request.method == "PUT":
        return await _publish(request, name=PackageName.checked(**names))
    if request.method == "DELETE":
        return Response(status_code=200 if _use_case(request).unpublish(**names) else 204)
    return JSONResponse(_version(request, _use_case(request).get(**names), alone=True))


async def _publish(request: Request, *, name: PackageName) -> Response:
    package, is_new = await _use_case(request).publish(name=name, content=_content(request))
    return JSONResponse(_version(request, package, alone=True), status_code=201 if is_new else 200)


async def _content(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect as error:
        raise InvalidRequest("The package did not arrive whole", resolution="Send it again.") from error


def _use_case(request: Request) -> Packages:
    return context_of(request).fabric.packages


def _packages(request: Request) -> Sequence[ExtensionPackage]:
    check_subscription(request)
    return _use_case(request).list()


def _of_publisher(request: Request) -> list[ExtensionPackage]:
    wanted = str(request.path_params["publisher"]).lower()
    return [package for package in _packages(request) if package.publisher.lower() == wanted]


def _asked_for(request: Request, found: Sequence[ExtensionPackage]) -> Sequence[ExtensionPackage]:
    """Return what ``$filter``, ``$orderby`` and ``$top`` leave, the oldest version first unless told otherwise."""
    begin = _STARTS_WITH.search(request.query_params.get("$filter", ""))
    order = request.query_params.get("$orderby", "").lower().split()
    kept = sorted(
        (package for package in found if begin is None or package.version.startswith(begin[1])),
        key=lambda package: version_numbers(package.version),
        reverse=order[1:] == ["desc"],
    )
    top = request.query_params.get("$top", "")
    return kept[: int(top)] if re.fullmatch(r"\d{1,9}", top, re.ASCII) else kept


def _entry(request: Request, name: str) -> dict[str, Any]:
    return {"id": f"{spelled(request.url.path)}/{name}", "name": name, "location": LOCATION}


def _version(request: Request, package: ExtensionPackage, *, alone: bool = False) -> dict[str, Any]:
    """Return a version; ``alone`` when the request's path names it itself."""
    entry = _entry(request, package.version)
    published = {} if package.published_at is None else {"dockyard-published-at": package.published_at.isoformat()}
    return {
        **entry,
        "id": spelled(request.url.path) if alone else entry["id"],
        "tags": {"dockyard-sha256": package.sha256, "dockyard-size-bytes": str(package.size_bytes), **published},
        "properties": {
            "operatingSystem": "Linux",
            "computeRole": "IaaS",
            "vmScaleSetEnabled": False,
            "supportsMultipleExtensions": package.takes_several,
        },
    }


_LOCATION = "/subscriptions/{subscription}/providers/microsoft.compute/locations/{location}/publishers"
_TYPES = f"{_LOCATION}/{{publisher}}/artifacttypes/vmextension/types"
ROUTES = [
    Route(_LOCATION, publishers),
    Route(_TYPES, types),
    Route(f"{_TYPES}/{{type}}/versions", versions),
    Route(f"{_TYPES}/{{type}}/versions/{{version}}", version, methods=["GET", "PUT", "DELETE"]),
]

"""Routes of the catalogue of VM images: which a machine can be made from, built already or not.

One offer has one version, the one its recipe builds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.bodies import check_subscription
from dockyard.arm.context import LOCATION, context_of
from dockyard.arm.describe import describe
from dockyard.model.errors import NotFound
from dockyard.model.image import ImageReference

_ARCHITECTURE = "x64"
_PARTS = ("publisher", "offer", "sku", "version")


@describe(answer=schemas.an_array(schemas.NAMED))
async def offers(request: Request) -> Response:
    """List a publisher's offers of VM images."""
    return _names(request, (urn.offer for urn in _fitting(request)))


@describe(answer=schemas.an_array(schemas.NAMED))
async def skus(request: Request) -> Response:
    """List the SKUs of an offer."""
    return _names(request, (urn.sku for urn in _fitting(request)))


@describe(answer=schemas.an_array(schemas.NAMED))
async def versions(request: Request) -> Response:
    """List the versions of a SKU."""
    return _names(request, (urn.version for urn in _fitting(request)))


@describe(answer=schemas.an_object("id", "name", id=schemas.TEXT, name=schemas.TEXT, properties=schemas.OBJECT))
async def version(request: Request) -> Response:
    """Show one version. Raises NotFound (code PlatformImageNotFound)."""
    (urn,) = _fitting(request)
    properties = {
        "osDiskImage": {"operatingSystem": "Linux"},
        "dataDiskImages": [],
        "hyperVGeneration": "V2",
        "architecture": _ARCHITECTURE,
    }
    named = {"id": request.url.path, "name": urn.version, "location": LOCATION}
    return JSONResponse({**named, "properties": properties})


@describe(answer=schemas.an_object("outputs", outputs=schemas.OBJECT))
async def aliases(request: Request) -> Response:
    """Serve the document az reads, without a token, to know an image by its alias; its form is az's own."""
    offered = context_of(request).fabric.images.offered()
    linux = {alias: {**_described(urn), "architecture": _ARCHITECTURE} for alias, urn in offered.items()}
    value = {"type": "object", "value": {"Linux": linux, "Windows": {}}}
    return JSONResponse({"contentVersion": "1.0.0.0", "outputs": {"aliases": value}})


def _described(urn: ImageReference) -> dict[str, str]:
    return {part: getattr(urn, part) for part in _PARTS}


def _fitting(request: Request) -> list[ImageReference]:
    """Return the images that fit what the path names. Raises NotFound when none does."""
    check_subscription(request)
    wanted = {part: str(request.path_params[part]) for part in _PARTS if part in request.path_params}
    found = [urn for urn in context_of(request).fabric.images.offered().values() if _fits(urn, wanted)]
    if not found:
        raise NotFound(
            f"There is no VM image of {', '.join(f'{part} {name}' for part, name in wanted.items())}",
            resolution="'az vm image list' shows what there is.",
            code="PlatformImageNotFound",
        )
    return found


def _fits(urn: ImageReference, wanted: dict[str, str]) -> bool:
    return all(getattr(urn, part).lower() == name.lower() for part, name in wanted.items())


def _names(request: Request, names: Iterable[str]) -> Response:
    listed: list[dict[str, Any]] = [
        {"id": f"{request.url.path}/{name}", "name": name, "location": LOCATION} for name in sorted(set(names))
    ]
    return JSONResponse(listed)


_PUBLISHERS = "/subscriptions/{subscription}/providers/microsoft.compute/locations/{location}/publishers"
_OFFERS = f"{_PUBLISHERS}/{{publisher}}/artifacttypes/vmimage/offers"
_SKUS = f"{_OFFERS}/{{offer}}/skus"
_VERSIONS = f"{_SKUS}/{{sku}}/versions"
ALIASES = "/metadata/aliases"
ROUTES = [
    Route(_OFFERS, offers),
    Route(_SKUS, skus),
    Route(_VERSIONS, versions),
    Route(f"{_VERSIONS}/{{version}}", version),
    Route(ALIASES, aliases),
]

"""What the host plugin answers to WALinuxAgent 2.12.

``/vmSettings`` is not served, which means: no FastTrack. The agent then asks for it again only after hours, and takes
all its goals from the wire server, whose held answers bring them at once.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dockyard.wire import http
from dockyard.wire.artifacts import artifact
from dockyard.wire.host_plugin import documents
from dockyard_contract.aggregate_status import parse_aggregate_status
from dockyard_contract.status_upload import parse_status_upload

_LOCATION_HEADER = "x-ms-artifact-location"


async def versions(request: Request) -> Response:
    """``GET /versions``: needed before the agent reports anything."""
    return Response(http.guest_of(request).document(documents.versions), media_type="application/json")


async def health(_request: Request) -> Response:
    """``GET /health``."""
    return Response()


async def put_status(request: Request) -> Response:
    """``PUT /status``: the way all reports come."""
    upload = parse_status_upload(await http.body(request))
    await http.guest_of(request).take_status(parse_aggregate_status(upload.content))
    return Response()


async def extension_artifact(request: Request) -> Response:
    """``GET /extensionArtifact``: what a header names, when fetching it directly did not work."""
    return artifact(http.guest_of(request).goal(), url=request.headers.get(_LOCATION_HEADER, ""))


async def put_log(request: Request) -> Response:
    """``PUT /vmAgentLog``: the agent's own logs, which stay in the machine."""
    await http.discard(request)
    return Response()


ROUTES = (
    Route("/versions", versions),
    Route("/health", health),
    Route("/status", put_status, methods=["PUT"]),
    Route("/extensionArtifact", extension_artifact),
    Route("/vmAgentLog", put_log, methods=["PUT"]),
)

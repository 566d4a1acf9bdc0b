"""What the wire server answers: one function for each request of WALinuxAgent 2.12 and cloud-init 25.1.

Thin: reads the request, asks the `Guest`, answers. Documents come from ``documents``, codecs from the contract.
"""

from __future__ import annotations

import base64
import binascii
import logging

from cryptography import x509
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dockyard.wire import http
from dockyard.wire.addresses import WIRE_SERVER_URL
from dockyard.wire.artifacts import artifact
from dockyard.wire.goal_state import documents
from dockyard_contract.aggregate_status import parse_aggregate_status
from dockyard_contract.health import parse_health, parse_health_service

_CERTIFICATE_HEADER = "x-ms-guest-agent-public-x509-cert"
_AGENT = "WALinuxAgent/"
_CONFIGS = {
    name.lower(): render
    for name, render in (
        (documents.HOSTING_ENVIRONMENT, documents.hosting_environment),
        (documents.SHARED_CONFIG, documents.shared_config),
        (documents.EXTENSIONS_CONFIG, documents.extensions_config),
    )
}
_log = logging.getLogger(__name__)


async def versions(request: Request) -> Response:
    """``GET /?comp=versions``: an agent's first request when it starts."""
    _demand(request, comp="versions")
    guest = http.guest_of(request)
    guest.agent_started()
    return http.xml(guest.document(documents.versions))


async def goal_state(request: Request) -> Response:
    """``GET /machine/?comp=goalstate``; held back for an agent that has nothing to do."""
    _demand(request, comp="goalstate")
    guest = http.guest_of(request)
    if request.headers.get("user-agent", "").startswith(_AGENT):
        await guest.news()
    return http.xml(guest.document(documents.goal_state))


async def post_to_machine(request: Request) -> Response:
    """``POST /machine?comp=``: health, telemetry, or the fingerprint of an SSH host key."""
    comp = request.query_params.get("comp", "").lower()
    if comp == "health":
        return await _health(request)
    if comp not in ("telemetrydata", "roleproperties"):
        raise HTTPException(404)
    await http.discard(request)
    return Response(status_code=202 if comp == "roleproperties" else 200)


async def part(request: Request) -> Response:
    """``GET /machine/<container>/<instance>?comp=config&type=``, or ``?comp=certificates``."""
    guest = http.guest_of(request)
    if request.path_params["container"] != guest.vm_id:
        raise HTTPException(404)
    if request.query_params.get("comp") == "certificates":
        return _certificates(request)
    _demand(request, comp="config")
    render = _CONFIGS.get(request.query_params.get("type", "").lower())
    if render is None:
        raise HTTPException(404)
    return http.xml(guest.document(render))


async def extension_file(request: Request) -> Response:
    """``GET /extensions/…``: a manifest or a package."""
    return artifact(http.guest_of(request).goal(), url=f"{WIRE_SERVER_URL}{request.url.path}")


async def put_status(request: Request) -> Response:
    """``PUT /status/<machine>``: the report, when the agent writes the blob itself; only 201 is success to it."""
    guest = http.guest_of(request)
    if request.path_params["container"] != guest.vm_id:
        raise HTTPException(404)
    await guest.take_status(parse_aggregate_status(await http.body(request)))
    return Response(status_code=201)


async def health_service(request: Request) -> Response:
    """``POST /HealthService``: the agent's judgement on these endpoints."""
    report = parse_health_service(await http.body(request))
    for observation in report.observations:
        if not observation.is_healthy:
            _log.warning(
                "guest %s finds the platform unwell: %s: %s",
                http.guest_of(request).vm_id, observation.name, observation.description[:500],
            )  # fmt: skip
    return Response()


ROUTES = (
    Route("/", versions),
    Route("/machine", goal_state),
    Route("/machine/", goal_state),
    Route("/machine", post_to_machine, methods=["POST"]),
    Route("/machine/", post_to_machine, methods=["POST"]),
    Route("/machine/{container}/{instance}", part),
    Route("/extensions/{name}/{version}/{file}", extension_file),
    Route("/status/{container}", put_status, methods=["PUT"]),
    Route("/HealthService", health_service, methods=["POST"]),
)


async def _health(request: Request) -> Response:
    guest = http.guest_of(request)
    report = parse_health(await http.body(request))
    await guest.take_health(report, user_agent=request.headers.get("user-agent", ""))
    return Response()


def _certificates(request: Request) -> Response:
    try:
        der = base64.b64decode(request.headers.get(_CERTIFICATE_HEADER, ""), validate=True)
        transport = x509.load_der_x509_certificate(der)
        return http.xml(http.guest_of(request).certificates(transport=transport))
    except (binascii.Error, ValueError, TypeError) as error:
        _log.warning("guest %s sent an unusable transport certificate: %s", http.guest_of(request).vm_id, error)
        raise HTTPException(400, f"{_CERTIFICATE_HEADER} holds no RSA certificate in base64 DER.") from error


def _demand(request: Request, *, comp: str) -> None:
    if request.query_params.get("comp", "").lower() != comp:
        raise HTTPException(404)

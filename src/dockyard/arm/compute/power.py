"""Routes of a virtual machine's power: the actions by which it starts, stops and moves."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dockyard.arm.bodies import resource_id
from dockyard.arm.context import context_of
from dockyard.arm.describe import describe
from dockyard.arm.long_running import accepted_response
from dockyard.fabric.power import Power
from dockyard.model.errors import Conflict
from dockyard.model.resource_id import VIRTUAL_MACHINES, ResourceId


def _use_case(request: Request) -> Power:
    return context_of(request).fabric.power


def _id(request: Request) -> ResourceId:
    return resource_id(request, type=VIRTUAL_MACHINES)


@describe()
async def start(request: Request) -> Response:
    """Start a machine."""
    return accepted_response(request, operation=_use_case(request).start(id=_id(request)))


@describe(query=("skipShutdown",))
async def stop(request: Request) -> Response:
    """Stop a machine: powerOff."""
    skip = request.query_params.get("skipShutdown", "").lower() == "true"
    return accepted_response(request, operation=_use_case(request).stop(id=_id(request), skip_shutdown=skip))


@describe()
async def restart(request: Request) -> Response:
    """Restart a machine."""
    return accepted_response(request, operation=_use_case(request).restart(id=_id(request)))


@describe(query=("hibernate",))
async def deallocate(request: Request) -> Response:
    """Stop a machine and give back what it holds."""
    if request.query_params.get("hibernate", "").lower() == "true":
        raise Conflict(
            "The Hibernate-Deallocate Operation cannot be performed on a VM that does not have hibernation enabled",
            resolution="Leave hibernate out.",
            code="OperationNotAllowed",
        )
    return accepted_response(request, operation=_use_case(request).deallocate(id=_id(request)))


@describe()
async def redeploy(request: Request) -> Response:
    """Give a machine a new place to run in."""
    return accepted_response(request, operation=_use_case(request).redeploy(id=_id(request)))


@describe()
async def reapply(request: Request) -> Response:
    """Make true again what the document says, without a restart."""
    return accepted_response(request, operation=_use_case(request).reapply(id=_id(request)))


def routes(base: str) -> Sequence[Route]:
    """Return the actions below a machine's path."""
    return [
        Route(f"{base}/start", start, methods=["POST"]),
        Route(f"{base}/poweroff", stop, methods=["POST"]),
        Route(f"{base}/deallocate", deallocate, methods=["POST"]),
        Route(f"{base}/restart", restart, methods=["POST"]),
        Route(f"{base}/redeploy", redeploy, methods=["POST"]),
        Route(f"{base}/reapply", reapply, methods=["POST"]),
    ]

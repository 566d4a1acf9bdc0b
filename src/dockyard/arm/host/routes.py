"""Routes of the host's own checks."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.bodies import check_subscription
from dockyard.arm.context import context_of
from dockyard.arm.describe import describe


@describe(answer=schemas.an_object("checks", checks=schemas.an_array(schemas.OBJECT)))
async def diagnostics(request: Request) -> Response:
    """Show the checks ``dockyard doctor`` prints."""
    check_subscription(request)
    return JSONResponse(dict(await context_of(request).diagnose()))


ROUTES = [Route("/subscriptions/{subscription}/providers/dockyard.host/diagnostics", diagnostics)]

"""The route of the document. It needs a token, as everything does that tells of this server."""

from __future__ import annotations

from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.context import context_of
from dockyard.arm.describe import describe
from dockyard.arm.openapi.document import openapi


@describe(answer=schemas.an_object("openapi", "paths", openapi=schemas.TEXT, paths=schemas.OBJECT))
async def document(request: Request) -> Response:
    """Show this document."""
    context = context_of(request)
    return JSONResponse(
        openapi(
            request.app.routes,
            version=version("dockyard"),
            endpoint=context.endpoint,
            subscription_id=context.subscription_id,
        )
    )


ROUTES = [Route("/openapi.json", document)]

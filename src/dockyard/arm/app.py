"""The API as one ASGI application, joined from the providers' routes. Called by ``dockyard.serve`` and by tests."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware

from dockyard.arm import errors
from dockyard.arm.compute import catalogue, extensions, images, operations, run_commands, virtual_machines
from dockyard.arm.context import ArmContext
from dockyard.arm.deployments import routes as deployments
from dockyard.arm.host import routes as host
from dockyard.arm.identity import routes as identity
from dockyard.arm.identity.guard import Guard
from dockyard.arm.paths import CaseInsensitivePaths
from dockyard.arm.resources import contents
from dockyard.arm.resources import routes as resources
from dockyard.arm.storage import routes as storage


def build_app(context: ArmContext) -> Starlette:
    """Return the application that serves ``context``."""
    app = Starlette(
        routes=[
            *identity.ROUTES,
            *resources.ROUTES,
            *contents.ROUTES,
            *virtual_machines.ROUTES,
            *extensions.ROUTES,
            *run_commands.ROUTES,
            *images.ROUTES,
            *operations.ROUTES,
            *catalogue.ROUTES,
            *deployments.ROUTES,
            *storage.ROUTES,
            *host.ROUTES,
        ],
        middleware=[Middleware(CaseInsensitivePaths), Middleware(Guard, tokens=context.tokens)],
        exception_handlers={**errors.HANDLERS, Exception: errors.on_fault},
    )
    app.state.context = context
    return app

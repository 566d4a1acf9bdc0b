"""The API as one ASGI application, joined from the providers' routes. Called by ``dockyard.serve`` and by tests."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from dockyard.arm import errors
from dockyard.arm.authorization import locks
from dockyard.arm.authorization import routes as authorization
from dockyard.arm.authorization.check import Authorization
from dockyard.arm.compute import (
    catalogue,
    diagnostics,
    disks,
    extensions,
    image_catalogue,
    images,
    operations,
    run_commands,
    sizes,
    virtual_machines,
)
from dockyard.arm.context import ArmContext
from dockyard.arm.deployments import routes as deployments
from dockyard.arm.host import routes as host
from dockyard.arm.identity import principals
from dockyard.arm.identity import routes as identity
from dockyard.arm.identity.guard import Guard
from dockyard.arm.network import routes as network
from dockyard.arm.openapi import routes as openapi
from dockyard.arm.paths import CaseInsensitivePaths
from dockyard.arm.preconditions import Preconditions
from dockyard.arm.resources import contents, groups, providers, tags
from dockyard.arm.resources import routes as resources
from dockyard.arm.standing import Standing
from dockyard.arm.storage import routes as storage
from dockyard.arm.throttling import Throttling
from dockyard.arm.unserved import on_unserved
from dockyard.arm.versions import ApiVersions


def build_app(context: ArmContext) -> Starlette:
    """Return the application that serves ``context``."""
    served = [
        *identity.ROUTES,
        *principals.ROUTES,
        *authorization.ROUTES,
        *locks.ROUTES,
        *resources.ROUTES,
        *groups.ROUTES,
        *contents.ROUTES,
        *tags.ROUTES,
        *virtual_machines.ROUTES,
        *diagnostics.ROUTES,
        *disks.ROUTES,
        *sizes.ROUTES,
        *extensions.ROUTES,
        *run_commands.ROUTES,
        *images.ROUTES,
        *operations.ROUTES,
        *catalogue.ROUTES,
        *image_catalogue.ROUTES,
        *deployments.ROUTES,
        *storage.ROUTES,
        *network.ROUTES,
        *host.ROUTES,
        *openapi.ROUTES,
    ]
    app = Starlette(
        routes=[*served, *providers.routes(served)],
        middleware=_layers(context),
        exception_handlers={**errors.HANDLERS, HTTPException: on_unserved, Exception: errors.on_fault},
    )
    app.state.context = context
    return app


def _layers(context: ArmContext) -> list[Middleware]:
    """Return what every request passes, the outermost first."""
    fabric = context.fabric
    return [
        Middleware(CaseInsensitivePaths),
        Middleware(Guard, tokens=context.tokens, principals=fabric.principals),
        Middleware(Throttling, limits=context.limits, now=lambda: fabric.rooms.clock.now().timestamp()),
        Middleware(ApiVersions),
        Middleware(Authorization, roles=fabric.roles, subscription_id=context.subscription_id),
        Middleware(Standing, locks=fabric.locks, resource_groups=fabric.resource_groups),
        Middleware(Preconditions),
    ]

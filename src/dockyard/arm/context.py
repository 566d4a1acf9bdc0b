"""What every route needs, made once by the composition and found on the application's state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from dockyard.arm.identity.tokens import TENANT_ID, Tokens
from dockyard.arm.throttling import Limits
from dockyard.fabric.diagnostics import Diagnostics
from dockyard.fabric.fabric import Fabric
from dockyard.model.principal import ServicePrincipal

__all__ = ["LOCATION", "TENANT_ID", "ArmContext", "caller_of", "context_of", "may"]
LOCATION = "local"


@dataclass(frozen=True, kw_only=True)
class ArmContext:
    """The joined parts behind the API. ``diagnose`` returns the document of the host's own checks."""

    fabric: Fabric
    tokens: Tokens
    endpoint: str
    subscription_id: str
    diagnose: Callable[[], Awaitable[Mapping[str, Any]]]
    diagnostics: Diagnostics
    limits: Limits = field(default_factory=Limits)


def context_of(request: Request) -> ArmContext:
    """Return the context of the application a request came to."""
    context = request.app.state.context
    if not isinstance(context, ArmContext):
        raise TypeError("the application was built without its context")
    return context


def caller_of(request: Request) -> ServicePrincipal:
    """Return whose token a request came with; the guard has checked it."""
    caller = request.state.caller
    if not isinstance(caller, ServicePrincipal):
        raise TypeError("the request did not pass the guard")
    return caller


def may(request: Request, *, action: str, scope: str, anywhere: bool = False) -> bool:
    """Tell whether the caller's roles grant an action over a scope: for lists that leave out what they do not."""
    return context_of(request).fabric.roles.may(caller_of(request), action=action, scope=scope, anywhere=anywhere)

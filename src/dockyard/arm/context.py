"""What every route needs, made once by the composition and found on the application's state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from dockyard.arm.identity.tokens import Tokens
from dockyard.fabric.fabric import Fabric

TENANT_ID = "adfs"
LOCATION = "local"


@dataclass(frozen=True, kw_only=True)
class ArmContext:
    """The joined parts behind the API. ``diagnose`` returns the document of the host's own checks."""

    fabric: Fabric
    tokens: Tokens
    endpoint: str
    subscription_id: str
    diagnose: Callable[[], Awaitable[Mapping[str, Any]]]


def context_of(request: Request) -> ArmContext:
    """Return the context of the application a request came to."""
    context = request.app.state.context
    if not isinstance(context, ArmContext):
        raise TypeError("the application was built without its context")
    return context

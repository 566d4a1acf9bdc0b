"""Routes of long-running operations."""

from __future__ import annotations

from starlette.routing import Route

from dockyard.arm.long_running import get_operation

_LOCATION = "/subscriptions/{subscription}/providers/microsoft.compute/locations/{location}"
ROUTES = [Route(f"{_LOCATION}/operations/{{operation}}", get_operation)]

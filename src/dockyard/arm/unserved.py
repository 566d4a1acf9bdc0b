"""What is said of a path or method nobody serves: as ARM tells an unknown namespace from an unknown type. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from dockyard.arm.authorization.actions import spelled
from dockyard.arm.errors import error_response
from dockyard.arm.versions import SUPPORTED

_PROVIDERS = "/providers/"


def on_unserved(request: Request, error: Exception) -> Response:
    """Answer a path or method no route takes."""
    path, routes = request.url.path, request.app.routes
    allowed = allowed_methods(routes, request=request)
    if allowed:
        message = f"The method {request.method} is not allowed on {spelled(path)}."
        response = error_response(status=405, code="MethodNotAllowed", message=message)
        response.headers["Allow"] = ", ".join(allowed)
        return response
    code, message = _unknown(request, routes)
    return error_response(status=getattr(error, "status_code", 404), code=code, message=message)


def allowed_methods(routes: Iterable[BaseRoute], *, request: Request) -> list[str]:
    """Return the methods that are served on a request's path."""
    matching = (route for route in routes if route.matches(request.scope)[0] is not Match.NONE)
    return sorted({method for route in matching if isinstance(route, Route) for method in route.methods or ()})


def _unknown(request: Request, routes: Iterable[BaseRoute]) -> tuple[str, str]:
    path = spelled(request.url.path)
    if _PROVIDERS not in path:
        return "NotFound", f"{request.method} {path} is not served here."
    namespace, *parts = path.rpartition(_PROVIDERS)[2].split("/")
    if namespace.lower() not in _namespaces(routes):
        return "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid."
    version = request.query_params.get("api-version", "")
    return "InvalidResourceType", (
        f"The resource type '{'/'.join(parts[::2])}' could not be found in the namespace '{namespace}' for api version"
        f" '{version}'. The supported api-versions are '{','.join(SUPPORTED)}'."
    )


def _namespaces(routes: Iterable[BaseRoute]) -> set[str]:
    paths = (route.path for route in routes if isinstance(route, Route))
    return {part.partition("/")[0] for path in paths for part in path.split(_PROVIDERS)[1:]}

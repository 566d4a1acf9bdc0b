"""Routes of resource providers: what this server serves, read from the routes it has. Every provider is registered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from dockyard.arm import schemas
from dockyard.arm.authorization.actions import SPELLED
from dockyard.arm.bodies import check_subscription
from dockyard.arm.context import LOCATION, context_of
from dockyard.arm.describe import describe
from dockyard.arm.paths import keyword_positions
from dockyard.arm.resources.scopes import SUBSCRIPTION
from dockyard.arm.versions import SUPPORTED
from dockyard.model.errors import Conflict

_PROVIDERS = "providers"
_PROVIDER = schemas.an_object(
    "namespace",
    "resourceTypes",
    id=schemas.TEXT,
    namespace=schemas.TEXT,
    resourceTypes=schemas.an_array(schemas.OBJECT),
)


@describe(answer=schemas.a_list(_PROVIDER), query=("$top", "$expand"))
async def providers(request: Request) -> Response:
    """List the resource providers."""
    check_subscription(request)
    return JSONResponse({"value": [_document(request, each) for each in sorted(served_types(request.app.routes))]})


@describe(answer=_PROVIDER, query=("$expand",))
async def provider(request: Request) -> Response:
    """Show one resource provider and its types."""
    return JSONResponse(_document(request, _namespace(request)))


@describe(answer=_PROVIDER)
async def register(request: Request) -> Response:
    """Register a resource provider; each is already."""
    return JSONResponse(_document(request, _namespace(request)))


@describe()
async def unregister(request: Request) -> Response:
    """Refuse to unregister a resource provider."""
    namespace = _namespace(request)
    raise Conflict(
        f"The resource provider '{namespace}' is a part of this server and stays registered",
        code="CannotUnregisterProvider",
    )


def served_types(routes: Iterable[BaseRoute]) -> dict[str, set[str]]:
    """Return the resource types that are served, by namespace: ``virtualMachines/extensions``.

    A type is what a path names a resource of, or lists in a location. What can be said at any scope counts once.
    """
    found: dict[str, set[str]] = {}
    for route in routes:
        if not isinstance(route, Route) or not route.include_in_schema or "GET" not in (route.methods or ()):
            continue
        segments = route.path.strip("/").split("/")
        keywords = keyword_positions(segments)
        at = max((at for at in keywords if segments[at] == _PROVIDERS and at % 2 == 0), default=None)
        if at is None or at + 2 >= len(segments) or segments[at + 1].startswith("{"):
            continue
        words = [segments[place] for place in range(at + 2, len(segments), 2)]
        is_named = len(segments) - 1 not in keywords
        if is_named or words[0] == "locations":
            types = found.setdefault(SPELLED[segments[at + 1]], set())
            types |= {"/".join(SPELLED[word] for word in words[:count]) for count in range(1, len(words) + 1)}
    return found


def _namespace(request: Request) -> str:
    check_subscription(request)
    return SPELLED[request.url.path.split("/")[4]]


def _document(request: Request, namespace: str) -> dict[str, Any]:
    types = sorted(served_types(request.app.routes)[namespace])
    return {
        "id": f"/subscriptions/{context_of(request).subscription_id}/providers/{namespace}",
        "namespace": namespace,
        "registrationState": "Registered",
        "registrationPolicy": "RegistrationFree",
        "resourceTypes": [
            {
                "resourceType": each,
                "locations": [LOCATION],
                "apiVersions": list(SUPPORTED),
                "defaultApiVersion": SUPPORTED[0],
            }
            for each in types
        ],
    }


def routes(others: Sequence[BaseRoute]) -> Sequence[Route]:
    """Return the routes of the providers that the other routes serve: a path for each, for it is a word of ARM's."""
    found = [Route(f"{SUBSCRIPTION}/providers", providers)]
    for namespace in sorted(served_types(others)):
        one = f"{SUBSCRIPTION}/providers/{namespace.lower()}"
        found += [
            Route(one, provider),
            Route(f"{one}/register", register, methods=["POST"], include_in_schema=False),
            Route(f"{one}/unregister", unregister, methods=["POST"], include_in_schema=False),
        ]
    return found

"""Routes of management locks, at every scope. What they forbid is decided in ``arm.standing``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.bodies import read_body
from dockyard.arm.context import context_of
from dockyard.arm.describe import describe
from dockyard.arm.resources.scopes import CHILD, SCOPES, scope_of
from dockyard.fabric.locks import Locks
from dockyard.model.errors import InvalidRequest
from dockyard.model.lock import Lock, LockLevel
from dockyard_contract.documents import JsonObject

_TYPE = "Microsoft.Authorization/locks"
_LOCK = schemas.an_object(
    "properties",
    properties=schemas.an_object(
        "level",
        level=schemas.TEXT,
        notes=schemas.MAYBE_TEXT,
        owners={"type": ["array", "null"], "items": schemas.an_object(applicationId=schemas.TEXT)},
    ),
) | {"examples": [{"properties": {"level": "CanNotDelete", "notes": "in use"}}]}


def _use_case(request: Request) -> Locks:
    return context_of(request).fabric.locks


@describe(answer=schemas.RESOURCES, query=("$filter",))
async def list_locks(request: Request) -> Response:
    """List the locks that hold at a scope and, without ``atScope()``, those set below it."""
    below = "atscope()" not in request.query_params.get("$filter", "").lower()
    found = _use_case(request).list(scope=scope_of(request), below=below)
    return JSONResponse({"value": [_document(each) for each in found]})


@describe(body=_LOCK, answer=schemas.RESOURCE)
async def lock(request: Request) -> Response:
    """Show, set, change or take away one lock."""
    scope, name = scope_of(request), request.path_params["lock"]
    if request.method == "PUT":
        return await _put(request, scope=scope, name=name)
    if request.method == "DELETE":
        return Response(status_code=200 if _use_case(request).delete(scope=scope, name=name) else 204)
    return JSONResponse(_document(_use_case(request).get(scope=scope, name=name)))


async def _put(request: Request, *, scope: str, name: str) -> Response:
    properties = (await read_body(request)).object("properties")
    made, is_new = _use_case(request).put(
        scope=scope,
        name=name,
        level=_level(properties),
        notes=properties.optional_string("notes") or "",
        owners=_owners(properties),
    )
    return JSONResponse(_document(made), status_code=201 if is_new else 200)


def _level(properties: JsonObject) -> LockLevel:
    word = properties.string("level")
    for level in LockLevel:
        if level.value.lower() == word.lower():
            return level
    raise InvalidRequest(
        f"The lock level '{word[:40]}' is not known",
        resolution="Use CanNotDelete or ReadOnly.",
        code="InvalidLockLevel",
    )


def _owners(properties: JsonObject) -> tuple[str, ...]:
    found = properties.optional_array("owners") or ()
    return tuple(each.object().string("applicationId") for each in found)


def _document(found: Lock) -> dict[str, Any]:
    properties: dict[str, Any] = {"level": found.level.value}
    if found.notes:
        properties["notes"] = found.notes
    if found.owners:
        properties["owners"] = [{"applicationId": each} for each in found.owners]
    return {
        "id": f"{found.scope}/providers/{_TYPE}/{found.name}",
        "name": found.name,
        "type": _TYPE,
        "properties": properties,
    }


def _at(scope: str) -> Sequence[Route]:
    base = f"{scope}/providers/microsoft.authorization/locks"
    told = scope != CHILD  # what is said of resources holds for their children
    return [
        Route(base, list_locks, include_in_schema=told),
        Route(f"{base}/{{lock}}", lock, methods=["GET", "PUT", "DELETE"], include_in_schema=told),
    ]


ROUTES = [route for scope in SCOPES for route in _at(scope)]

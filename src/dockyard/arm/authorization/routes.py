"""Routes of role assignments, role definitions and permissions, at every scope: subscription, group, resource."""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.authorization import documents
from dockyard.arm.authorization.actions import spelled
from dockyard.arm.bodies import check_subscription, read_body
from dockyard.arm.context import caller_of, context_of
from dockyard.arm.describe import describe
from dockyard.fabric.roles import Roles
from dockyard.model.errors import InvalidRequest
from dockyard.model.role import BUILT_IN, RoleAssignment, role_of

_PROVIDER = "/providers/microsoft.authorization/"
_PRINCIPAL = re.compile(r"(?:principalId eq|assignedTo\()\s*'([^']*)'", re.IGNORECASE)
_ROLE_NAME = re.compile(r"roleName eq '([^']*)'", re.IGNORECASE)
_ROLE_ID = re.compile(r"(?:.*/roleDefinitions/)?([0-9a-f-]{36})", re.IGNORECASE)
_ASSIGNMENT = schemas.an_object(
    "properties",
    properties=schemas.an_object(
        "roleDefinitionId", "principalId", roleDefinitionId=schemas.TEXT, principalId=schemas.TEXT
    ),
)


def _use_case(request: Request) -> Roles:
    return context_of(request).fabric.roles


def _scope(request: Request) -> str:
    """Return the scope a path is about. Raises NotFound when its subscription or group does not exist."""
    check_subscription(request)
    if "group" in request.path_params:
        context_of(request).fabric.resource_groups.get(name=request.path_params["group"])
    return spelled(request.url.path.rpartition(_PROVIDER)[0])


@describe(answer=schemas.RESOURCES, query=("$filter",))
async def list_assignments(request: Request) -> Response:
    """List the role assignments that hold at a scope and, without ``atScope()``, those made below it."""
    scope, asked = _scope(request), request.query_params.get("$filter", "")
    found = _use_case(request).list(scope=scope, below="atscope()" not in asked.lower())
    principal = _PRINCIPAL.search(asked)
    if principal:
        found = [each for each in found if each.principal_id == principal[1].lower()]
    return JSONResponse({"value": [_document(request, each) for each in found]})


@describe(body=_ASSIGNMENT, answer=schemas.RESOURCE)
async def assignment(request: Request) -> Response:
    """Show, make or take away one role assignment."""
    scope, name = _scope(request), request.path_params["assignment"]
    if request.method == "PUT":
        return await _put(request, scope=scope, name=name)
    if request.method == "DELETE":
        gone = _use_case(request).delete(scope=scope, name=name)
        return Response(status_code=204) if gone is None else JSONResponse(_document(request, gone))
    return JSONResponse(_document(request, _use_case(request).get(scope=scope, name=name)))


@describe(answer=schemas.RESOURCES, query=("$filter",))
async def list_definitions(request: Request) -> Response:
    """List the built-in roles, with a filter the one of that name."""
    _scope(request)
    asked = _ROLE_NAME.search(request.query_params.get("$filter", ""))
    shown = [role for role in BUILT_IN if asked is None or role.name.lower() == asked[1].lower()]
    subscription_id = context_of(request).subscription_id
    return JSONResponse({"value": [documents.role_definition(role, subscription_id=subscription_id) for role in shown]})


@describe(answer=schemas.RESOURCE)
async def definition(request: Request) -> Response:
    """Show one built-in role."""
    _scope(request)
    role = role_of(request.path_params["definition"])
    return JSONResponse(documents.role_definition(role, subscription_id=context_of(request).subscription_id))


@describe(answer=schemas.a_list(schemas.an_object("actions", actions=schemas.an_array(schemas.TEXT))))
async def permissions(request: Request) -> Response:
    """List what the caller's roles grant at a scope."""
    scope = _scope(request)
    held = _use_case(request).of(caller_of(request), scope=scope)
    return JSONResponse({"value": [documents.permission(each.role) for each in held]})


async def _put(request: Request, *, scope: str, name: str) -> Response:
    properties = (await read_body(request)).object("properties")
    made, is_new = _use_case(request).put(
        scope=scope,
        name=name,
        role_id=_role_id(properties.string("roleDefinitionId")),
        principal_id=properties.string("principalId"),
    )
    return JSONResponse(_document(request, made), status_code=201 if is_new else 200)


def _role_id(text: str) -> str:
    match = _ROLE_ID.fullmatch(text)
    if match is None:
        raise InvalidRequest(
            "'roleDefinitionId' is not the id of a role definition",
            resolution="Give /subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{guid}.",
            code="InvalidRoleDefinitionId",
        )
    return match[1]


def _document(request: Request, found: RoleAssignment) -> dict[str, object]:
    return documents.role_assignment(found, subscription_id=context_of(request).subscription_id)


def _at(scope: str) -> Sequence[Route]:
    base = f"{scope}{_PROVIDER}"
    return [
        Route(f"{base}roleassignments", list_assignments),
        Route(f"{base}roleassignments/{{assignment}}", assignment, methods=["GET", "PUT", "DELETE"]),
        Route(f"{base}roledefinitions", list_definitions),
        Route(f"{base}roledefinitions/{{definition}}", definition),
        Route(f"{base}permissions", permissions),
    ]


_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = f"{_SUBSCRIPTION}/resourcegroups/{{group}}"
# Never "{resource:path}": what is a word of a path and what a name must be the same here and in ``actions``.
_RESOURCE = f"{_GROUP}/providers/{{namespace}}/{{type}}/{{resource}}"
ROUTES = [
    *_at(_SUBSCRIPTION),
    *_at(_GROUP),
    *_at(_RESOURCE),
    *_at(f"{_RESOURCE}/{{child_type}}/{{child}}"),
]

"""Role assignments over ARM: who may do what where. Called by the CLI."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.client.views import Document
from dockyard.model.errors import InvalidRequest, NotFound

if TYPE_CHECKING:
    from dockyard.client.connection import Connection

_PROVIDER = "providers/Microsoft.Authorization"


@dataclass(frozen=True, kw_only=True)
class AssignmentView:
    """One assignment; ``document`` is what ARM answered, ``role`` the definition's name."""

    document: Document
    id: str
    role: str
    principal_id: str
    scope: str


def scope_of(connection: Connection, *, resource_group: str | None, scope: str | None) -> str:
    """Return the scope asked for: a path, a group's, or the whole subscription. Raises InvalidRequest for both."""
    if resource_group and scope:
        raise InvalidRequest(
            "A scope and a resource group are two scopes", resolution="Give --scope or --resource-group, not both."
        )
    if scope is not None:
        if not scope.lower().startswith(connection.subscription.lower()):
            raise InvalidRequest(
                f"'{scope}' is not a scope of this server",
                resolution=f"Scopes begin with {connection.subscription}.",
            )
        return scope.rstrip("/")
    return f"{connection.subscription}/resourceGroups/{resource_group}" if resource_group else connection.subscription


def assign(connection: Connection, *, principal_id: str, role: str, scope: str) -> AssignmentView:
    """Give a principal a role. Raises NotFound for an unknown role, Conflict when it has it already."""
    body = {"properties": {"roleDefinitionId": _role_id(connection, role), "principalId": principal_id}}
    path = f"{scope}/{_PROVIDER}/roleAssignments/{uuid.uuid4()}"
    return _views(connection, [connection.ask("PUT", path, body=body)])[0]


def list_all(connection: Connection, *, scope: str, principal_id: str | None = None) -> list[AssignmentView]:
    """Return the assignments that hold at a scope and those made below it, of one principal or of all."""
    query = {"$filter": f"principalId eq '{principal_id}'"} if principal_id else {}
    found = connection.ask("GET", f"{scope}/{_PROVIDER}/roleAssignments", query=query)
    return _views(connection, found["value"])


def unassign(connection: Connection, *, principal_id: str, role: str, scope: str) -> AssignmentView:
    """Take a role away. Raises NotFound when the principal does not have it at exactly this scope."""
    for each in list_all(connection, scope=scope, principal_id=principal_id):
        if (each.role.lower(), each.scope.lower()) == (role.lower(), scope.lower()):
            connection.ask("DELETE", each.id)
            return each
    raise NotFound(
        f"The principal does not have the role {role} at {scope}",
        resolution="'dockyard role assignment list' shows where it has one.",
        code="RoleAssignmentNotFound",
    )


def _role_id(connection: Connection, role: str) -> str:
    definitions = _definitions(connection)
    for id, name in definitions.items():
        if name.lower() == role.lower():
            return id
    raise NotFound(
        f"There is no role '{role}'",
        resolution=f"Choose one of {', '.join(sorted(definitions.values()))}.",
        code="RoleDefinitionDoesNotExist",
    )


def _definitions(connection: Connection) -> dict[str, str]:
    found = connection.ask("GET", f"{connection.subscription}/{_PROVIDER}/roleDefinitions")
    return {str(each["id"]): str(each["properties"]["roleName"]) for each in found["value"]}


def _views(connection: Connection, documents: Sequence[Document]) -> list[AssignmentView]:
    names = {id.lower(): name for id, name in _definitions(connection).items()}
    return [
        AssignmentView(
            document=each,
            id=str(each["id"]),
            role=names.get(str(each["properties"]["roleDefinitionId"]).lower(), ""),
            principal_id=str(each["properties"]["principalId"]),
            scope=str(each["properties"]["scope"]),
        )
        for each in documents
    ]

"""Documents of Microsoft.Authorization. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dockyard.model.role import RoleAssignment, RoleDefinition

_NAMESPACE = "Microsoft.Authorization"


def role_assignment(found: RoleAssignment, *, subscription_id: str) -> dict[str, Any]:
    """Return a role assignment as ARM shows it."""
    at = found.created_at.isoformat()
    return {
        "id": f"{found.scope}/providers/{_NAMESPACE}/roleAssignments/{found.name}",
        "name": found.name,
        "type": f"{_NAMESPACE}/roleAssignments",
        "properties": {
            "roleDefinitionId": _definition_id(found.role_id, subscription_id=subscription_id),
            "principalId": found.principal_id,
            "principalType": "ServicePrincipal",
            "scope": found.scope,
            "createdOn": at,
            "updatedOn": at,
        },
    }


def role_definition(role: RoleDefinition, *, subscription_id: str) -> dict[str, Any]:
    """Return a built-in role as ARM shows it."""
    return {
        "id": _definition_id(role.id, subscription_id=subscription_id),
        "name": role.id,
        "type": f"{_NAMESPACE}/roleDefinitions",
        "properties": {
            "roleName": role.name,
            "type": "BuiltInRole",
            "description": role.description,
            "assignableScopes": ["/"],
            "permissions": [permission(role)],
        },
    }


def permission(role: RoleDefinition) -> dict[str, Sequence[str]]:
    """Return what a role grants."""
    return {
        "actions": list(role.actions),
        "notActions": list(role.not_actions),
        "dataActions": [],
        "notDataActions": [],
    }


def _definition_id(id: str, *, subscription_id: str) -> str:
    return f"/subscriptions/{subscription_id}/providers/{_NAMESPACE}/roleDefinitions/{id}"

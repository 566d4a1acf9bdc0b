"""Roles at scopes, as Azure has them: the built-in definitions, their assignments, and the one judgement. Pure.

An assignment holds at its scope and everywhere below. Roles add up; an action left out by one role's ``not_actions``
may be granted by another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from dockyard.model.errors import NotFound


@dataclass(frozen=True)
class RoleDefinition:
    """A built-in role. Actions are patterns in which ``*`` stands for anything; case does not matter."""

    id: str
    name: str
    description: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def allows(self, action: str) -> bool:
        """Tell whether the role grants an action."""
        return _any(self.actions, action) and not _any(self.not_actions, action)


OWNER = RoleDefinition(
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "Owner",
    "Grants full access to manage all resources, including the ability to assign roles.",
    ("*",),
)
CONTRIBUTOR = RoleDefinition(
    "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Contributor",
    "Grants full access to manage all resources, but does not allow you to assign roles or to make principals.",
    ("*",),
    (
        "Microsoft.Authorization/*/Delete",
        "Microsoft.Authorization/*/Write",
        "Microsoft.Authorization/elevateAccess/Action",
        "Microsoft.Blueprint/blueprintAssignments/write",
        "Microsoft.Blueprint/blueprintAssignments/delete",
        "Microsoft.Compute/galleries/share/action",
        "Microsoft.Purview/consents/write",
        "Microsoft.Purview/consents/delete",
        "Microsoft.Resources/deploymentStacks/manageDenySetting/action",
        "Microsoft.Subscription/cancel/action",
        "Microsoft.Subscription/enable/action",
        # On Azure principals are no resources and no role of a subscription reaches them.
        "Dockyard.Identity/*/Delete",
        "Dockyard.Identity/*/Write",
        "Dockyard.Identity/*/Action",
    ),
)
READER = RoleDefinition(
    "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "Reader",
    "View all resources, but does not allow you to make any changes.",
    ("*/read",),
)
BUILT_IN = (OWNER, CONTRIBUTOR, READER)


@dataclass(frozen=True, kw_only=True)
class RoleAssignment:
    """The stored document: ``name`` is a GUID, ``scope`` a path without a final slash, ``role_id`` a definition's."""

    name: str
    scope: str
    role_id: str
    principal_id: str
    created_at: datetime

    @property
    def key(self) -> str:
        """What equality and the store go by."""
        return f"{self.scope}/{self.name}".lower()

    @property
    def role(self) -> RoleDefinition:
        """The definition. Raises NotFound."""
        return role_of(self.role_id)


def role_of(id: str) -> RoleDefinition:
    """Return a built-in role by its GUID. Raises NotFound (code RoleDefinitionDoesNotExist)."""
    for role in BUILT_IN:
        if role.id == id.lower():
            return role
    raise NotFound(
        f"The specified role definition with ID '{id}' does not exist",
        resolution="Use Owner, Contributor or Reader.",
        code="RoleDefinitionDoesNotExist",
    )


def is_within(scope: str, outer: str) -> bool:
    """Tell whether a scope is ``outer`` or lies below it."""
    inner, around = scope.lower().rstrip("/"), outer.lower().rstrip("/")
    return inner == around or inner.startswith(f"{around}/")


def is_allowed(assignments: Iterable[RoleAssignment], *, action: str, scope: str, anywhere: bool = False) -> bool:
    """Tell whether a principal's assignments grant an action over a scope; ``anywhere``: or over a part of it."""
    return any(
        assignment.role.allows(action)
        and (is_within(scope, assignment.scope) or (anywhere and is_within(assignment.scope, scope)))
        for assignment in assignments
    )


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in text.split("*")), re.IGNORECASE)


def _any(patterns: tuple[str, ...], action: str) -> bool:
    return any(_pattern(pattern).fullmatch(action) for pattern in patterns)

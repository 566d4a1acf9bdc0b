"""What can be done with role assignments, and whether a principal may act. Called by the ARM API."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from dockyard.fabric.ports import Clock, Store
from dockyard.model.errors import Conflict, InvalidRequest, NotFound
from dockyard.model.principal import ServicePrincipal
from dockyard.model.role import RoleAssignment, is_allowed, is_within, role_of


class Roles:
    """Assign roles, look at them, take them away; judge."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def may(self, principal: ServicePrincipal, *, action: str, scope: str, anywhere: bool = False) -> bool:
        """Tell whether a principal may do an action over a scope."""
        assignments = self._store.role_assignments(principal_id=principal.object_id)
        return is_allowed(assignments, action=action, scope=scope, anywhere=anywhere)

    def of(self, principal: ServicePrincipal, *, scope: str) -> Sequence[RoleAssignment]:
        """Return a principal's assignments that hold at a scope."""
        found = self._store.role_assignments(principal_id=principal.object_id)
        return [assignment for assignment in found if is_within(scope, assignment.scope)]

    def list(self, *, scope: str, below: bool) -> Sequence[RoleAssignment]:
        """Return the assignments that hold at a scope, with ``below`` also those made within it."""
        return [
            assignment
            for assignment in self._store.role_assignments()
            if is_within(scope, assignment.scope) or (below and is_within(assignment.scope, scope))
        ]

    def get(self, *, scope: str, name: str) -> RoleAssignment:
        """Return one assignment made at exactly this scope. Raises NotFound (code RoleAssignmentNotFound)."""
        found = self._find(scope, name)
        if found is None:
            raise NotFound(f"The role assignment '{name}' is not found", code="RoleAssignmentNotFound")
        return found

    def put(self, *, scope: str, name: str, role_id: str, principal_id: str) -> tuple[RoleAssignment, bool]:
        """Return the assignment and whether it is new; the same one again is no change.

        Raises:
            InvalidRequest: the name is no GUID, the principal does not exist, or the assignment is another one.
            NotFound: there is no such role.
            Conflict: (code RoleAssignmentExists) it exists under another name.
        """
        _check_guid(name)
        role = role_of(role_id)
        self._check_principal(principal_id)
        before = self._find(scope, name)
        if before is not None:
            if (before.role_id, before.principal_id) == (role.id, principal_id.lower()):
                return before, False
            raise InvalidRequest(
                "Role and principal of a role assignment are not allowed to be updated",
                resolution="Delete the assignment, or choose another name.",
                code="RoleAssignmentUpdateNotPermitted",
            )
        made = RoleAssignment(
            name=name.lower(),
            scope=scope,
            role_id=role.id,
            principal_id=principal_id.lower(),
            created_at=self._clock.now(),
        )
        self._check_new(made)
        self._store.put_role_assignment(made)
        return made, True

    def delete(self, *, scope: str, name: str) -> RoleAssignment | None:
        """Take a role away; None when there was none. Raises Conflict: the user's own client stays the owner."""
        found = self._find(scope, name)
        if found is None:
            return None
        if any(each.object_id == found.principal_id and each.is_owner_of_server for each in self._store.principals()):
            raise Conflict("The user's own client stays the owner of this server", code="OwnPrincipal")
        self._store.delete_role_assignment(key=found.key)
        return found

    def _find(self, scope: str, name: str) -> RoleAssignment | None:
        wanted = (scope.lower(), name.lower())
        found = self._store.role_assignments()
        return next((each for each in found if (each.scope.lower(), each.name.lower()) == wanted), None)

    def _check_principal(self, principal_id: str) -> None:
        if not any(each.object_id == principal_id.lower() for each in self._store.principals()):
            raise InvalidRequest(
                f"Principal '{principal_id}' does not exist in this directory",
                resolution="Name a principal by its object id, as 'dockyard principal list' shows it.",
                code="PrincipalNotFound",
            )

    def _check_new(self, made: RoleAssignment) -> None:
        for other in self._store.role_assignments(principal_id=made.principal_id):
            if (other.scope.lower(), other.role_id) == (made.scope.lower(), made.role_id):
                raise Conflict(
                    "The role assignment already exists",
                    details=f"Its name is {other.name}.",
                    code="RoleAssignmentExists",
                )


def _check_guid(name: str) -> None:
    try:
        wellformed = str(uuid.UUID(name)) == name.lower()
    except ValueError:
        wellformed = False
    if not wellformed:
        raise InvalidRequest(
            f"The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID",
            code="InvalidRoleAssignmentId",
        )

"""The tables of service principals and role assignments: the part of ``Database`` that keeps who may do what."""

from __future__ import annotations

from collections.abc import Sequence

from dockyard.model.principal import ServicePrincipal
from dockyard.model.role import RoleAssignment
from dockyard.store import documents
from dockyard.store.door import Records

SCHEMA = """
CREATE TABLE principals (client_id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, document TEXT NOT NULL) STRICT;
CREATE TABLE role_assignments (key TEXT PRIMARY KEY, principal TEXT NOT NULL, document TEXT NOT NULL) STRICT;
CREATE INDEX role_assignments_of_principal ON role_assignments (principal);
"""


class IdentityRecords(Records):
    """What ``Database`` inherits; statements go through its own door."""

    def principal(self, *, client_id: str) -> ServicePrincipal | None:
        """Return one service principal."""
        text = self._one("SELECT document FROM principals WHERE client_id = ?", client_id)
        return documents.load(text, ServicePrincipal) if text is not None else None

    def principals(self) -> Sequence[ServicePrincipal]:
        """Return all service principals, by name."""
        rows = self._all("SELECT document FROM principals ORDER BY name")
        return [documents.load(text, ServicePrincipal) for text in rows]

    def put_principal(self, principal: ServicePrincipal) -> None:
        """Write one service principal."""
        self._execute(
            "INSERT INTO principals VALUES (?, ?, ?)"
            " ON CONFLICT (client_id) DO UPDATE SET name = excluded.name, document = excluded.document",
            principal.client_id,
            principal.name.lower(),
            documents.dump(principal),
        )

    def delete_principal(self, *, client_id: str) -> None:
        """Remove one service principal."""
        self._execute("DELETE FROM principals WHERE client_id = ?", client_id)

    def role_assignments(self, *, principal_id: str | None = None) -> Sequence[RoleAssignment]:
        """Return the role assignments of one principal, or all, oldest first."""
        if principal_id is None:
            rows = self._all("SELECT document FROM role_assignments ORDER BY rowid")
        else:
            sql = "SELECT document FROM role_assignments WHERE principal = ? ORDER BY rowid"
            rows = self._all(sql, principal_id)
        return [documents.load(text, RoleAssignment) for text in rows]

    def put_role_assignment(self, assignment: RoleAssignment) -> None:
        """Write one role assignment."""
        self._execute(
            "INSERT INTO role_assignments VALUES (?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET principal = excluded.principal, document = excluded.document",
            assignment.key,
            assignment.principal_id,
            documents.dump(assignment),
        )

    def delete_role_assignment(self, *, key: str) -> None:
        """Remove one role assignment."""
        self._execute("DELETE FROM role_assignments WHERE key = ?", key)

    def _forget_roles(self, *, within: str) -> None:
        """Remove assignments and locks in what goes (a path, or its end), so that a namesake does not inherit them."""
        self._execute("DELETE FROM role_assignments WHERE instr(key, ?) > 0", f"{within}/")
        self._execute("DELETE FROM locks WHERE instr(key, ?) > 0", f"{within}/")

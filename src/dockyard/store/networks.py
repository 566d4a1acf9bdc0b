"""The table of network resources, of all kinds: the part of ``Database`` that keeps what machines are joined by."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager

from dockyard.model.network import TYPES, NetworkResource, implied_id
from dockyard.model.resource_id import ResourceId
from dockyard.store import documents
from dockyard.store.door import Records

SCHEMA = """
CREATE TABLE network_resources
  (key TEXT PRIMARY KEY, resource_group TEXT NOT NULL, owner TEXT NOT NULL, document TEXT NOT NULL) STRICT;
"""


class NetworkRecords(Records):
    """What ``Database`` inherits; statements go through its own door."""

    @abstractmethod
    def _forget_roles(self, *, within: str) -> None: ...

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """Make several writes one."""

    def network_resources(self) -> Sequence[NetworkResource]:
        """Return all stored network resources, by id."""
        rows = self._all("SELECT document FROM network_resources ORDER BY key")
        return [documents.load(text, NetworkResource) for text in rows]

    def put_network_resource(self, resource: NetworkResource) -> None:
        """Write one network resource."""
        self._execute(
            "INSERT INTO network_resources VALUES (?, ?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, document = excluded.document",
            resource.id.key,
            resource.id.resource_group.lower(),
            resource.owner,
            documents.dump(resource),
        )

    def delete_network_resource(self, *, id: ResourceId) -> None:
        """Remove one network resource, and the roles assigned in it."""
        with self.transaction():
            self._forget_roles(within=id.key)
            self._execute("DELETE FROM network_resources WHERE key = ?", id.key)

    def forget_network_child(self, *, id: ResourceId) -> None:
        """Remove the roles assigned at a part of a network resource that is gone."""
        self._forget_roles(within=id.key)

    def _forget_owned(self, machine: ResourceId, *, also: Sequence[str] = ()) -> None:
        """Remove what goes with a machine and ``also`` these, and the roles assigned in what it only implied."""
        for id in also:
            self._forget_roles(within=id.lower())
            self._execute("DELETE FROM network_resources WHERE key = ?", id.lower())
        owned = self._all("SELECT key FROM network_resources WHERE owner = ?", machine.key)
        self._execute("DELETE FROM network_resources WHERE owner = ?", machine.key)
        for key in {*owned, *(implied_id(machine, type).key for type in TYPES)}:
            if self._one("SELECT key FROM network_resources WHERE key = ?", key) is None:
                self._forget_roles(within=key)

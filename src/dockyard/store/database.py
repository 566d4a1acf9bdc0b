"""The one door to SQLite. Implements ``fabric.ports.Store``; opened by the composition.

WAL with ``synchronous=FULL``: a commit that returned survives a power cut. One connection, one thread (the event
loop's): a write takes a few milliseconds and is always short.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dockyard.model.deployment import Deployment
from dockyard.model.errors import Exhausted, OperationFailed
from dockyard.model.extension import Extension
from dockyard.model.operation import Operation, OperationStatus
from dockyard.model.resource_group import ResourceGroup
from dockyard.model.resource_id import ResourceId
from dockyard.model.storage_account import StorageAccount
from dockyard.model.virtual_machine import VirtualMachine
from dockyard.store import documents, identity, networks, scopes
from dockyard.store.identity import IdentityRecords
from dockyard.store.networks import NetworkRecords
from dockyard.store.scopes import ScopeRecords

_SCHEMA = """
CREATE TABLE virtual_machines (key TEXT PRIMARY KEY, vm_id TEXT NOT NULL UNIQUE, document TEXT NOT NULL) STRICT;
CREATE TABLE extensions (key TEXT PRIMARY KEY, machine TEXT NOT NULL, document TEXT NOT NULL) STRICT;
CREATE INDEX extensions_of_machine ON extensions (machine);
CREATE TABLE operations (id TEXT PRIMARY KEY, status TEXT NOT NULL, started TEXT NOT NULL, document TEXT NOT NULL)
  STRICT;
CREATE INDEX operations_by_status ON operations (status);
CREATE TABLE resource_groups (key TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT;
"""
_SINCE_2 = """
CREATE TABLE deployments (key TEXT PRIMARY KEY, resource_group TEXT NOT NULL, document TEXT NOT NULL) STRICT;
CREATE INDEX deployments_of_group ON deployments (resource_group);
CREATE TABLE storage_accounts (key TEXT PRIMARY KEY, resource_group TEXT NOT NULL, document TEXT NOT NULL) STRICT;
"""
_STEPS = (
    _SCHEMA,
    _SINCE_2,
    identity.SCHEMA,
    networks.SCHEMA,
    scopes.SCHEMA,
)  # what brings a store of version n to n + 1
SCHEMA_VERSION = len(_STEPS)


class Database(IdentityRecords, NetworkRecords, ScopeRecords):
    """Open with ``Database.open``; close with ``close``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._depth = 0

    @classmethod
    def open(cls, path: Path) -> Database:
        """Open or make the database, a file only the user can read.

        Raises:
            OperationFailed: not a database, or written by a newer Dockyard.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.close(descriptor)
        try:
            connection = sqlite3.connect(path, isolation_level=None)
            _prepare(connection)
        except sqlite3.DatabaseError as error:
            raise OperationFailed(
                f"The store {path} cannot be opened",
                details=str(error),
                resolution="Restore it from a copy, or move it away to begin with an empty one.",
                code="StoreUnusable",
            ) from error
        return cls(connection)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make several writes one; nested uses join the outer one. Raises Exhausted when the disk is full."""
        if self._depth:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        self._depth = 1
        try:
            yield
            self._execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        finally:
            self._depth = 0

    def virtual_machine(self, *, id: ResourceId) -> VirtualMachine | None:
        """Return one machine by resource id."""
        text = self._one("SELECT document FROM virtual_machines WHERE key = ?", id.key)
        return documents.load(text, VirtualMachine) if text is not None else None

    def virtual_machine_by_vm_id(self, *, vm_id: str) -> VirtualMachine | None:
        """Return one machine by UUID."""
        text = self._one("SELECT document FROM virtual_machines WHERE vm_id = ?", vm_id)
        return documents.load(text, VirtualMachine) if text is not None else None

    def virtual_machines(self) -> Sequence[VirtualMachine]:
        """Return all machines, by id."""
        rows = self._all("SELECT document FROM virtual_machines ORDER BY key")
        return [documents.load(text, VirtualMachine) for text in rows]

    def forget_roles(self, *, within: ResourceId) -> None:
        """Remove the roles assigned in a resource that goes."""
        self._forget_roles(within=within.key)

    def put_virtual_machine(self, machine: VirtualMachine) -> None:
        """Write one machine."""
        self._execute(
            "INSERT INTO virtual_machines VALUES (?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET vm_id = excluded.vm_id, document = excluded.document",
            machine.id.key,
            machine.vm_id,
            documents.dump(machine),
        )

    def delete_virtual_machine(self, *, id: ResourceId) -> None:
        """Remove one machine, its extensions and the network resources that go with it."""
        with self.transaction():
            machine = self.virtual_machine(id=id)
            self._forget_owned(id, also=machine.network.deleted_interfaces if machine else ())
            self._forget_roles(within=id.key)
            self._execute("DELETE FROM extensions WHERE machine = ?", id.key)
            self._execute("DELETE FROM virtual_machines WHERE key = ?", id.key)

    def extension(self, *, id: ResourceId) -> Extension | None:
        """Return one extension by resource id."""
        text = self._one("SELECT document FROM extensions WHERE key = ?", id.key)
        return documents.load(text, Extension) if text is not None else None

    def extensions(self, *, machine: ResourceId) -> Sequence[Extension]:
        """Return the extensions of one machine, oldest first."""
        rows = self._all("SELECT document FROM extensions WHERE machine = ? ORDER BY rowid", machine.key)
        return [documents.load(text, Extension) for text in rows]

    def all_extensions(self) -> Sequence[Extension]:
        """Return the extensions of every machine, oldest first."""
        rows = self._all("SELECT document FROM extensions ORDER BY rowid")
        return [documents.load(text, Extension) for text in rows]

    def put_extension(self, extension: Extension) -> None:
        """Write one extension."""
        self._execute(
            "INSERT INTO extensions VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET document = excluded.document",
            extension.id.key,
            extension.id.parent.key,
            documents.dump(extension),
        )

    def delete_extension(self, *, id: ResourceId) -> None:
        """Remove one extension."""
        with self.transaction():
            self._forget_roles(within=id.key)
            self._execute("DELETE FROM extensions WHERE key = ?", id.key)

    def operation(self, *, operation_id: str) -> Operation | None:
        """Return one line of the journal."""
        text = self._one("SELECT document FROM operations WHERE id = ?", operation_id)
        return documents.load(text, Operation) if text is not None else None

    def operations_of(self, *, machine: ResourceId) -> Sequence[Operation]:
        """Return the lines of the journal for a machine and what belongs to it, oldest first."""
        rows = self._all(
            "SELECT document FROM operations WHERE json_extract(document, '$.target.names[0]') = ? COLLATE NOCASE"
            " ORDER BY started, rowid",
            machine.name,
        )
        found = (documents.load(text, Operation) for text in rows)
        return [each for each in found if f"{each.target.key}/".startswith(f"{machine.key}/")]

    def operations_in_progress(self) -> Sequence[Operation]:
        """Return the unfinished lines of the journal, oldest first."""
        rows = self._all(
            "SELECT document FROM operations WHERE status = ? ORDER BY started, rowid",
            OperationStatus.IN_PROGRESS.value,
        )
        return [documents.load(text, Operation) for text in rows]

    def put_operation(self, operation: Operation) -> None:
        """Write one line of the journal."""
        self._execute(
            "INSERT INTO operations VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET status = excluded.status, document = excluded.document",
            operation.id,
            operation.status.value,
            operation.started_at.isoformat(),
            documents.dump(operation),
        )

    def resource_groups(self) -> Sequence[ResourceGroup]:
        """Return all resource groups."""
        rows = self._all("SELECT document FROM resource_groups ORDER BY key")
        return [documents.load(text, ResourceGroup) for text in rows]

    def put_resource_group(self, group: ResourceGroup) -> None:
        """Write one resource group."""
        self._execute(
            "INSERT INTO resource_groups VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET document = excluded.document",
            group.name.lower(),
            documents.dump(group),
        )

    def delete_resource_group(self, *, name: str) -> None:
        """Remove one resource group, its storage accounts and the records of its deployments."""
        with self.transaction():
            self._forget_roles(within=f"/resourcegroups/{name.lower()}")
            self._execute("DELETE FROM deployments WHERE resource_group = ?", name.lower())
            self._execute("DELETE FROM storage_accounts WHERE resource_group = ?", name.lower())
            self._execute("DELETE FROM network_resources WHERE resource_group = ?", name.lower())
            self._execute("DELETE FROM resource_groups WHERE key = ?", name.lower())

    def deployment(self, *, id: ResourceId) -> Deployment | None:
        """Return one deployment by resource id."""
        text = self._one("SELECT document FROM deployments WHERE key = ?", id.key)
        return documents.load(text, Deployment) if text is not None else None

    def deployments(self, *, resource_group: str) -> Sequence[Deployment]:
        """Return the deployments of one group, oldest first."""
        sql = "SELECT document FROM deployments WHERE resource_group = ? ORDER BY rowid"
        return [documents.load(text, Deployment) for text in self._all(sql, resource_group.lower())]

    def put_deployment(self, deployment: Deployment) -> None:
        """Write one deployment."""
        self._execute(
            "INSERT INTO deployments VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET document = excluded.document",
            deployment.id.key,
            deployment.id.resource_group.lower(),
            documents.dump(deployment),
        )

    def delete_deployment(self, *, id: ResourceId) -> None:
        """Remove one deployment."""
        self._execute("DELETE FROM deployments WHERE key = ?", id.key)

    def storage_account(self, *, id: ResourceId) -> StorageAccount | None:
        """Return one storage account by resource id."""
        text = self._one("SELECT document FROM storage_accounts WHERE key = ?", id.key)
        return documents.load(text, StorageAccount) if text is not None else None

    def storage_accounts(self) -> Sequence[StorageAccount]:
        """Return all storage accounts, by id."""
        return [
            documents.load(text, StorageAccount)
            for text in self._all("SELECT document FROM storage_accounts ORDER BY key")
        ]

    def put_storage_account(self, account: StorageAccount) -> None:
        """Write one storage account."""
        self._execute(
            "INSERT INTO storage_accounts VALUES (?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET document = excluded.document",
            account.id.key,
            account.id.resource_group.lower(),
            documents.dump(account),
        )

    def delete_storage_account(self, *, id: ResourceId) -> None:
        """Remove one storage account."""
        with self.transaction():
            self._forget_roles(within=id.key)
            self._execute("DELETE FROM storage_accounts WHERE key = ?", id.key)

    def _execute(self, sql: str, *values: str) -> None:
        try:
            self._connection.execute(sql, values)
        except sqlite3.OperationalError as error:
            if "full" in str(error):
                raise Exhausted(
                    "The disk is full: the store cannot be written",
                    resolution="Free some space in Dockyard's data folder, then try again.",
                    code="InsufficientDiskSpace",
                    temporary=True,
                ) from error
            raise OperationFailed("The store cannot be written", details=str(error), code="StoreUnusable") from error

    def _one(self, sql: str, value: str) -> str | None:
        row = self._connection.execute(sql, (value,)).fetchone()
        return None if row is None else str(row[0])

    def _all(self, sql: str, *values: str) -> list[str]:
        return [str(row[0]) for row in self._connection.execute(sql, values)]


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA busy_timeout = 5000")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise sqlite3.DatabaseError(f"written by a newer version (schema {version}, known {SCHEMA_VERSION})")
    if version < SCHEMA_VERSION:
        steps = " ".join(_STEPS[version:])
        connection.executescript(f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")

"""What can be done with storage accounts: they are remembered, nothing more. Called by the ARM API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dockyard.fabric.ports import Clock, Store
from dockyard.model.errors import InvalidRequest, NotFound
from dockyard.model.resource_id import ResourceId
from dockyard.model.storage_account import StorageAccount

_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


class StorageAccounts:
    """Create, look at and delete accounts."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def get(self, *, id: ResourceId) -> StorageAccount:
        """Return one account. Raises NotFound."""
        found = self._store.storage_account(id=id)
        if found is None:
            raise NotFound(f"The storage account '{id.name}' does not exist in resource group '{id.resource_group}'")
        return found

    def list(self, *, resource_group: str | None = None) -> Sequence[StorageAccount]:
        """Return the accounts of one group, or all."""
        group = None if resource_group is None else resource_group.lower()
        found = self._store.storage_accounts()
        return [account for account in found if group in (None, account.id.resource_group.lower())]

    def put(self, *, id: ResourceId, location: str, sku: str, kind: str, tags: Mapping[str, str]) -> StorageAccount:
        """Create or change an account.

        Raises:
            InvalidRequest: the name is not one of an account.
            NotFound: there is no such group.
        """
        if not 3 <= len(id.name) <= 24 or not set(id.name) <= _NAME:
            raise InvalidRequest(
                f"'{id.name}' is not a valid storage account name",
                resolution="Use 3 to 24 lower-case letters and digits.",
                code="AccountNameInvalid",
            )
        if not any(group.name.lower() == id.resource_group.lower() for group in self._store.resource_groups()):
            raise NotFound(f"Resource group '{id.resource_group}' could not be found", code="ResourceGroupNotFound")
        before = self._store.storage_account(id=id)
        account = StorageAccount(
            id=before.id if before else id,
            location=location,
            sku=sku,
            kind=kind,
            created_at=before.created_at if before else self._clock.now(),
            tags=tags,
        )
        self._store.put_storage_account(account)
        return account

    def set_tags(self, *, id: ResourceId, tags: Mapping[str, str]) -> StorageAccount:
        """Replace the tags. Raises NotFound."""
        changed = replace(self.get(id=id), tags=tags)
        self._store.put_storage_account(changed)
        return changed

    def delete(self, *, id: ResourceId) -> bool:
        """Delete an account; False when there was none."""
        found = self._store.storage_account(id=id)
        self._store.delete_storage_account(id=id)
        return found is not None

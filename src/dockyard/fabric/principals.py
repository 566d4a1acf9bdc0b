"""What can be done with service principals, and who a caller is. Called by the ARM API."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import replace

from dockyard.fabric.ports import Clock, Store
from dockyard.model.errors import Conflict, NotFound, Unauthenticated
from dockyard.model.principal import ServicePrincipal
from dockyard.model.resource_id import check_resource_name
from dockyard.model.role import OWNER, RoleAssignment
from dockyard.pki.secret_hash import hash_secret, is_secret, new_secret

OWN_NAME = "dockyard"


class Principals:
    """Create, look at, re-key and delete principals; recognise them."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def list(self) -> Sequence[ServicePrincipal]:
        """Return all principals, by name."""
        return self._store.principals()

    def get(self, *, name: str) -> ServicePrincipal:
        """Return one principal. Raises NotFound (code PrincipalNotFound)."""
        for principal in self._store.principals():
            if principal.name.lower() == name.lower():
                return principal
        raise NotFound(
            f"There is no principal '{name}'",
            resolution="'dockyard principal list' names those there are.",
            code="PrincipalNotFound",
        )

    async def create(self, *, name: str) -> tuple[ServicePrincipal, str | None]:
        """Return the principal of a name and, when it is new, its secret, which is never to be had again.

        Raises:
            InvalidRequest: nothing can have this name.
        """
        check_resource_name(name, what="principal")
        existing = self._named(name)
        if existing is not None:
            return existing, None
        secret = new_secret()
        hashed = await asyncio.to_thread(hash_secret, secret)
        made = ServicePrincipal(
            name=name,
            client_id=str(uuid.uuid4()),
            object_id=str(uuid.uuid4()),
            created_at=self._clock.now(),
            secret=hashed,
            secret_id=str(uuid.uuid4()),
        )
        beaten = self._named(name)
        if beaten is not None:
            return beaten, None
        self._store.put_principal(made)
        return made, secret

    async def reset(self, *, name: str) -> tuple[ServicePrincipal, str]:
        """Replace a principal's secret; tokens issued for the old one are worthless at once.

        Raises:
            NotFound: there is none.
            Conflict: it is the user's own client.
        """
        _check_not_own(self.get(name=name))
        secret = new_secret()
        hashed = await asyncio.to_thread(hash_secret, secret)
        changed = replace(self.get(name=name), secret=hashed, secret_id=str(uuid.uuid4()))
        self._store.put_principal(changed)
        return changed, secret

    def delete(self, *, name: str) -> bool:
        """Delete a principal and its role assignments; False when there was none. Raises Conflict: the user's own."""
        found = self._named(name)
        if found is None:
            return False
        _check_not_own(found)
        with self._store.transaction():
            for assignment in self._store.role_assignments(principal_id=found.object_id):
                self._store.delete_role_assignment(key=assignment.key)
            self._store.delete_principal(client_id=found.client_id)
        return True

    async def log_in(self, *, client_id: str, client_secret: str) -> ServicePrincipal:
        """Return the principal with this id and secret. Raises Unauthenticated (code invalid_client)."""
        found = self._store.principal(client_id=client_id)
        hashed = found.secret if found else None
        if found is None or hashed is None or not await asyncio.to_thread(is_secret, client_secret, hashed):
            raise Unauthenticated("The client id or secret is wrong", code="invalid_client")
        return found

    def recognise(self, *, client_id: str, secret_id: str) -> ServicePrincipal:
        """Return the principal a token speaks of. Raises Unauthenticated when it is gone or has another secret."""
        found = self._store.principal(client_id=client_id)
        if found is None or found.secret_id != secret_id:
            raise Unauthenticated(
                "The access token's principal was deleted, or has got another secret since",
                resolution="Log in again.",
                code="InvalidAuthenticationToken",
            )
        return found

    def ensure_owner(self, *, client_id: str, subscription_id: str) -> None:
        """Write the user's own client and its role, Owner of the subscription; called at every start."""
        before = self._store.principal(client_id=client_id)
        now = before.created_at if before else self._clock.now()
        object_id = str(uuid.uuid5(uuid.NAMESPACE_OID, client_id))
        own = ServicePrincipal(name=OWN_NAME, client_id=client_id, object_id=object_id, created_at=now)
        assignment = RoleAssignment(
            name=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{client_id} {subscription_id}")),
            scope=f"/subscriptions/{subscription_id}",
            role_id=OWNER.id,
            principal_id=object_id,
            created_at=now,
        )
        with self._store.transaction():
            self._store.put_principal(own)
            self._store.put_role_assignment(assignment)

    def _named(self, name: str) -> ServicePrincipal | None:
        return next((each for each in self._store.principals() if each.name.lower() == name.lower()), None)


def _check_not_own(principal: ServicePrincipal) -> None:
    if principal.is_owner_of_server:
        raise Conflict(
            f"The principal '{principal.name}' is the user's own client, which owns this server",
            resolution="Make another one with 'dockyard principal create'.",
            code="OwnPrincipal",
        )

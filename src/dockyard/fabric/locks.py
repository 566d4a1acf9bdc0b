"""What can be done with management locks, and what they forbid. Called by the ARM API."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dockyard.fabric.ports import Clock, Store
from dockyard.model.errors import Conflict, InvalidRequest, NotFound
from dockyard.model.lock import Lock, LockLevel, stopping
from dockyard.model.role import is_within

_NAME = re.compile(r"[^<>%&:\\?/]{1,260}")
_MAX_NOTES = 512


class Locks:
    """Set locks, look at them, take them away; judge."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def check(self, *, scope: str, deletes: bool) -> None:
        """Raise Conflict (code ScopeLocked) when a lock forbids to change, or to delete, what lies at a scope."""
        found = stopping(self._store.locks(), scope=scope, deletes=deletes)
        if found:
            word = "delete" if deletes else "write"
            scopes = ",".join(f"'{each}'" for each in dict.fromkeys(lock.scope for lock in found))
            raise Conflict(
                f"The scope '{scope}' cannot perform {word} operation because following scope(s) are locked: {scopes}."
                " Please remove the lock and try again",
                code="ScopeLocked",
            )

    def list(self, *, scope: str, below: bool) -> Sequence[Lock]:
        """Return the locks that hold at a scope, with ``below`` also those set within it."""
        return [
            lock
            for lock in self._store.locks()
            if is_within(scope, lock.scope) or (below and is_within(lock.scope, scope))
        ]

    def get(self, *, scope: str, name: str) -> Lock:
        """Return one lock set at exactly this scope. Raises NotFound (code LockNotFound)."""
        found = self._find(scope, name)
        if found is None:
            raise NotFound(f"The lock '{name}' could not be found", code="LockNotFound")
        return found

    def put(
        self, *, scope: str, name: str, level: LockLevel, notes: str = "", owners: tuple[str, ...] = ()
    ) -> tuple[Lock, bool]:
        """Set a lock, or change it; return it and whether it is new. Raises InvalidRequest."""
        if not _NAME.fullmatch(name) or name != name.strip():
            raise InvalidRequest(
                "The name of the lock is not valid",
                resolution="Use 1 to 260 characters without <, >, %, &, :, \\, ?, / and spaces around it.",
                code="InvalidLockName",
            )
        if len(notes) > _MAX_NOTES:
            raise InvalidRequest(
                f"The notes of the lock '{name}' are {len(notes)} characters long",
                resolution=f"Use at most {_MAX_NOTES}.",
                code="InvalidLockNotes",
            )
        before = self._find(scope, name)
        made = Lock(
            name=before.name if before else name,
            scope=before.scope if before else scope,
            level=level,
            created_at=before.created_at if before else self._clock.now(),
            notes=notes,
            owners=owners,
        )
        self._store.put_lock(made)
        return made, before is None

    def delete(self, *, scope: str, name: str) -> bool:
        """Take a lock away; False when there was none."""
        found = self._find(scope, name)
        if found is not None:
            self._store.delete_lock(key=found.key)
        return found is not None

    def _find(self, scope: str, name: str) -> Lock | None:
        wanted = (scope.lower(), name.lower())
        return next((each for each in self._store.locks() if (each.scope.lower(), each.name.lower()) == wanted), None)

"""Management locks: words over a scope that stop deletions, or every change, for whoever asks. Used by the fabric.

A lock holds at its scope and below it. Deleting is stopped by a lock further down as well: what goes takes along what
lies in it. Facts: Azure's documentation of Microsoft.Authorization/locks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from dockyard.model.role import is_within


class LockLevel(Enum):
    """ARM's words for what a lock stops."""

    CAN_NOT_DELETE = "CanNotDelete"
    READ_ONLY = "ReadOnly"


@dataclass(frozen=True, kw_only=True)
class Lock:
    """The stored document: ``scope`` is a path without a final slash; ``owners`` are ids of applications."""

    name: str
    scope: str
    level: LockLevel
    created_at: datetime
    notes: str = ""
    owners: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What equality and the store go by."""
        return f"{self.scope}/{self.name}".lower()

    def stops(self, *, scope: str, deletes: bool) -> bool:
        """Tell whether the lock forbids to change, or to delete, what lies at a scope."""
        if not deletes:
            return self.level is LockLevel.READ_ONLY and is_within(scope, self.scope)
        return is_within(scope, self.scope) or is_within(self.scope, scope)


def stopping(locks: Iterable[Lock], *, scope: str, deletes: bool) -> tuple[Lock, ...]:
    """Return the locks that forbid a change or a deletion at a scope."""
    return tuple(lock for lock in locks if lock.stops(scope=scope, deletes=deletes))

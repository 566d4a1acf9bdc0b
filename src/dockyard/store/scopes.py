"""The tables of what is said about scopes: locks, and tags where no document has them. A part of ``Database``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dockyard.model.lock import Lock
from dockyard.store import documents
from dockyard.store.door import Records

SCHEMA = """
CREATE TABLE locks (key TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT;
CREATE TABLE scope_tags (scope TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT;
"""


class ScopeRecords(Records):
    """What ``Database`` inherits; statements go through its own door."""

    def locks(self) -> Sequence[Lock]:
        """Return all locks, oldest first."""
        return [documents.load(text, Lock) for text in self._all("SELECT document FROM locks ORDER BY rowid")]

    def put_lock(self, lock: Lock) -> None:
        """Write one lock."""
        self._execute(
            "INSERT INTO locks VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET document = excluded.document",
            lock.key,
            documents.dump(lock),
        )

    def delete_lock(self, *, key: str) -> None:
        """Remove one lock."""
        self._execute("DELETE FROM locks WHERE key = ?", key)

    def scope_tags(self, *, scope: str) -> Mapping[str, str]:
        """Return the tags of a scope that is no resource: the subscription."""
        text = self._one("SELECT document FROM scope_tags WHERE scope = ?", scope.lower())
        return {} if text is None else documents.load(text, dict[str, str])

    def put_scope_tags(self, *, scope: str, tags: Mapping[str, str]) -> None:
        """Write the tags of a scope that is no resource."""
        self._execute(
            "INSERT INTO scope_tags VALUES (?, ?) ON CONFLICT (scope) DO UPDATE SET document = excluded.document",
            scope.lower(),
            documents.dump(dict(tags)),
        )

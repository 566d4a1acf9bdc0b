"""The way of a part of ``Database`` to the tables: statements go through the whole's own door.

Inherited by the modules that keep some of the tables each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod


class Records(ABC):
    """What ``Database`` inherits."""

    @abstractmethod
    def _execute(self, sql: str, *values: str) -> None: ...

    @abstractmethod
    def _one(self, sql: str, value: str) -> str | None: ...

    @abstractmethod
    def _all(self, sql: str, *values: str) -> list[str]: ...

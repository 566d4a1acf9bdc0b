"""What the extension keeps about where the engine is from: a part of the `record`, with its own codec.

Written by `engine` while an exchange is under way and by `plan` when the engine has proved to work. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard_contract.documents import JsonObject


@dataclass(frozen=True)
class EngineRecord:
    """What is to be known about the engine's packages.

    Attributes:
        files: The files of a repository that the extension has made known.
        previous: Versions of the machine's packages before an exchange of the engine that has not proved to work yet.
        ours_before: Packages that had come with the extension before that exchange.
        newest_for: Sequence number for which the newest version has been looked for.
        refused_for: Sequence number for which an exchange was undone because the engine did not come up.
        remove_data: Whether uninstall is to remove the engine's data with it.
    """

    files: tuple[str, ...] = ()
    previous: Mapping[str, str] | None = None
    ours_before: tuple[str, ...] = ()
    newest_for: int | None = None
    refused_for: int | None = None
    remove_data: bool = False

    def proved(self, *, remove_data: bool) -> EngineRecord:
        """What is left to keep when the engine has proved to work."""
        return replace(self, previous=None, ours_before=(), refused_for=None, remove_data=remove_data)


def parse_engine_record(root: JsonObject | None) -> EngineRecord:
    """Read the part; one that is not there is that of an earlier version of the extension.

    Raises:
        MalformedDocument: It is not what was written.
    """
    if root is None:
        return EngineRecord()
    previous = root.optional_object("previous")
    return EngineRecord(
        files=_texts(root, "files"),
        previous=None if previous is None else {name: previous.string(name) for name in previous.names()},
        ours_before=_texts(root, "oursBefore"),
        newest_for=root.optional_integer("newestFor"),
        refused_for=root.optional_integer("refusedFor"),
        remove_data=root.optional_boolean("removeData") or False,
    )


def dump_engine_record(record: EngineRecord) -> dict[str, object]:
    """The part's members."""
    return {
        "files": list(record.files),
        "previous": None if record.previous is None else dict(record.previous),
        "oursBefore": list(record.ours_before),
        "newestFor": record.newest_for,
        "refusedFor": record.refused_for,
        "removeData": record.remove_data,
    }


def _texts(root: JsonObject, name: str) -> tuple[str, ...]:
    return tuple(item.string() for item in root.optional_array(name) or ())

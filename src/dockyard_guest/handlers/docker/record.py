"""What the extension keeps about itself between commands, outside its versions' folders: what is its own.

Read and written by the handler under the extension's lock. The owner is the version whose uninstall may take things
back: on a version change the old version's uninstall runs after the new version's update, and must then do nothing.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockyard_contract.documents import dump_json, parse_json

from .engine_record import EngineRecord, dump_engine_record, parse_engine_record
from .places import LAST_GOOD, RECORD, STATE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard_guest.ports import Files

_MODE = 0o600


@dataclass(frozen=True)
class Record:
    """What is the extension's own.

    Attributes:
        owner: Version that is in charge.
        packages: Packages that came to the machine with the engine.
        packages_before: Packages of the machine before an installation that is under way or was interrupted.
        members: Members of the daemon's configuration and their values.
        files: Certificate files.
        options: Arguments added to the daemon's command besides the port.
        displaced: Members the user had in the configuration where ours are now.
        engine: Where the engine is from.
    """

    owner: str
    packages: tuple[str, ...] = ()
    packages_before: tuple[str, ...] | None = None
    members: Mapping[str, object] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    displaced: Mapping[str, object] = field(default_factory=dict)
    engine: EngineRecord = field(default_factory=EngineRecord)


@dataclass(frozen=True)
class Saved:
    """A file as it was; content is ``None`` for one that was not there."""

    path: str
    content: bytes | None = field(repr=False)
    mode: int


def parse_record(text: bytes) -> Record:
    """Read a record; members of later versions are passed over.

    Raises:
        MalformedDocument: The text is not a record.
    """
    root = parse_json(text, document=RECORD).object()
    before = root.optional_array("packagesBefore")
    members = root.optional_object("members")
    displaced = root.optional_object("displaced")
    return Record(
        owner=root.string("owner"),
        packages=tuple(item.string() for item in root.optional_array("packages") or ()),
        packages_before=None if before is None else tuple(item.string() for item in before),
        members={} if members is None else dict(members.members),
        files=tuple(item.string() for item in root.optional_array("files") or ()),
        options=tuple(item.string() for item in root.optional_array("options") or ()),
        displaced={} if displaced is None else dict(displaced.members),
        engine=parse_engine_record(root.optional_object("engine")),
    )


def dump_record(record: Record) -> bytes:
    """The record's text."""
    return dump_json(
        {
            "owner": record.owner,
            "packages": list(record.packages),
            "packagesBefore": None if record.packages_before is None else list(record.packages_before),
            "members": dict(record.members),
            "files": list(record.files),
            "options": list(record.options),
            "displaced": dict(record.displaced),
            "engine": dump_engine_record(record.engine),
        }
    ).encode()


def read_record(files: Files) -> Record | None:
    """The record that is there."""
    text = files.read(RECORD)
    return None if text is None else parse_record(text)


def write_record(files: Files, record: Record) -> None:
    """Replace the record."""
    files.make_folder(STATE_FOLDER, mode=0o700)
    files.write(RECORD, dump_record(record), mode=_MODE)


def read_last_good(files: Files) -> tuple[Saved, ...] | None:
    """The files as they were when the engine last proved to work; only there while a change is under way."""
    text = files.read(LAST_GOOD)
    if text is None:
        return None
    items = parse_json(text, document=LAST_GOOD).array()
    return tuple(
        Saved(
            path=item.object().string("path"),
            content=_decoded(item.object().optional_string("content")),
            mode=item.object().integer("mode"),
        )
        for item in items
    )


def write_last_good(files: Files, saved: tuple[Saved, ...]) -> None:
    """Keep files as they are now. They may hold a private key, so this one is for root alone."""
    items = [
        {
            "path": item.path,
            "mode": item.mode,
            "content": None if item.content is None else base64.b64encode(item.content).decode(),
        }
        for item in saved
    ]
    files.make_folder(STATE_FOLDER, mode=0o700)
    files.write(LAST_GOOD, dump_json(items).encode(), mode=_MODE)


def forget_everything(files: Files) -> None:
    """Remove the record and all that goes with it."""
    for path in (LAST_GOOD, RECORD):
        files.remove(path)
    files.remove_folder(STATE_FOLDER)


def _decoded(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)

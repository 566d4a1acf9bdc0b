"""What is known of the containers that were begun: which file and variables, and the packages that came for them.

Called by `compose` and `taking_back`. The engine's record is another, `record`: packages there make the engine ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard_contract.documents import dump_json, parse_json

from .places import COMPOSE_RECORD, STATE_FOLDER

if TYPE_CHECKING:
    from dockyard_guest.ports import Files


@dataclass(frozen=True)
class ComposeRecord:
    """What compose was told last.

    Attributes:
        project: Name of the project; empty when there is none.
        digest: Of the file and the variables with which all its images were pulled; empty when they were not.
        packages: Packages that came with the compose program.
    """

    project: str = ""
    digest: str = ""
    packages: tuple[str, ...] = ()


def read_compose_record(files: Files) -> ComposeRecord:
    """The record that is there, or an empty one.

    Raises:
        MalformedDocument: The text is not a record.
    """
    text = files.read(COMPOSE_RECORD)
    if text is None:
        return ComposeRecord()
    root = parse_json(text, document=COMPOSE_RECORD).object()
    return ComposeRecord(
        project=root.string("project"),
        digest=root.string("digest"),
        packages=tuple(item.string() for item in root.array("packages")),
    )


def write_compose_record(files: Files, record: ComposeRecord) -> None:
    """Replace the record."""
    files.make_folder(STATE_FOLDER, mode=0o700)
    content = {"project": record.project, "digest": record.digest, "packages": list(record.packages)}
    files.write(COMPOSE_RECORD, dump_json(content).encode(), mode=0o600)

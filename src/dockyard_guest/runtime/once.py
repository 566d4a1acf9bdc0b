"""Sequence numbers that are worked on once: what a repeated enable finds of one, and which came last.

``mrseq`` lies in the handler's folder; the agent copies it and the statuses from version to version, in both
directions, and nothing else. So these two tell everything: a number is in ``mrseq`` once enable has accepted it, and
its status has a substatus once the work has taken its first step.

A handler with several named configurations has a line for each: the number, the version that accepted it, the name.
WALinuxAgent 2.12 removes the statuses of a configuration whenever it disables it, be that because the configuration is
gone or because the version changes, and does not say which. Disable therefore keeps a copy under a name that the agent
leaves alone; the version in the line tells enable which of the two it was.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard_guest.values import Repeats

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard_contract.status import Status
    from dockyard_guest.ports import Files

    from .call import Call

_NAME = "mrseq"
_KEPT = ".kept"


class Standing(enum.Enum):
    """How far a sequence number has come."""

    NEW = "nothing has been done for it"
    ACCEPTED = "its work has not taken the first step"
    BEGUN = "its work has begun, and not ended"
    DONE = "its work has ended, well or not"


@dataclass(frozen=True)
class Accepted:
    """The number that was accepted last, and the version that did it; that is empty where it does not matter."""

    number: int
    version: str = ""


def standing(call: Call, *, status: Status | None, last: Accepted | None) -> Standing:
    """How far the call's number has come, by the status that is there for it and the last number accepted.

    A lower number than the last is an old goal state when its status is final, and a number of an extension that was
    removed and made anew when there is none.
    """
    number = call.sequence_number
    if last is None or number > last.number:
        return Standing.NEW
    if status is not None and is_over(status):
        return Standing.DONE
    if number < last.number:
        return Standing.NEW
    if status is None and call.variables.extension_name:
        # Its status went with the configuration; after a change of the version it is lost, and nobody knows.
        return Standing.NEW if last.version == call.version else Standing.BEGUN
    return Standing.BEGUN if status is not None and status.substatus else Standing.ACCEPTED


def is_over(status: Status) -> bool:
    """Whether nothing more will come: a status may say success at once, and a step of it go on."""
    return status.status.is_final and all(part.status.is_final for part in status.substatus)


def is_left_alone(found: Standing, *, repeats: Repeats) -> bool:
    """Whether nothing is to be done, not even to the status."""
    return found is Standing.DONE and repeats is not Repeats.WHENEVER_ASKED


def is_given_up(found: Standing, *, repeats: Repeats) -> bool:
    """Whether work that nobody is doing any more ends here, as an error."""
    return found is Standing.BEGUN and repeats is Repeats.NEVER


def last_number(call: Call, *, files: Files) -> Accepted | None:
    """The number that was accepted last for the call's configuration, or ``None``."""
    return _read(call, files=files).get(call.variables.extension_name or "")


def note_number(call: Call, *, files: Files) -> None:
    """Record the call's number as the one accepted last, and forget configurations that are gone."""
    name = call.variables.extension_name or ""
    accepted = Accepted(call.sequence_number, call.version if name else "")
    known = {**_read(call, files=files), name: accepted}
    lines = [_line(name, known[name]) for name in known if name not in _gone(call, known, files=files)]
    files.write(f"{call.folder}/{_NAME}", "".join(lines).encode(), mode=0o600)


def keep_status(call: Call, *, files: Files) -> None:
    """Keep a copy of the status of a configuration that is being disabled."""
    last = last_number(call, files=files)
    if call.variables.extension_name is None or last is None:
        return
    path = call.environment.status_file(last.number, extension_name=call.variables.extension_name)
    content = files.read(path)
    if content is not None:
        files.write(f"{path}{_KEPT}", content, mode=0o600)


def bring_back_status(call: Call, *, files: Files) -> None:
    """After a change of the version, put the kept status of a configuration back and take the number over.

    Without that last, a configuration that is removed and made anew later would be taken for this one.
    """
    last = last_number(call, files=files)
    is_another = last is not None and last.number == call.sequence_number and last.version not in ("", call.version)
    if not is_another or files.mode(call.status_file) is not None:
        return
    content = files.read(f"{call.status_file}{_KEPT}")
    if content is not None:
        files.write(call.status_file, content, mode=0o600)
        note_number(call, files=files)


def _gone(call: Call, known: Mapping[str, Accepted], *, files: Files) -> set[str]:
    """Configurations that this very version has accepted, and whose statuses the agent has removed with them."""
    folder = call.environment.status_folder
    there = files.names(folder)
    stems = {name: f"{name}.{last.number}.status" for name, last in known.items() if last.version == call.version}
    gone = {name for name, stem in stems.items() if stem not in there} - {call.variables.extension_name}
    for name in gone:
        files.remove(f"{folder}/{stems[name]}{_KEPT}")
    return gone


def _line(name: str, last: Accepted) -> str:
    return f"{last.number} {last.version} {name}\n" if name else f"{last.number}\n"


def _read(call: Call, *, files: Files) -> dict[str, Accepted]:
    text = (files.read(f"{call.folder}/{_NAME}") or b"").decode(errors="replace")
    found: dict[str, Accepted] = {}
    for line in text.splitlines():
        number, _, rest = line.partition(" ")
        version, _, name = rest.partition(" ")
        if number.isascii() and number.isdigit():
            found[name] = Accepted(int(number), version)
    return found

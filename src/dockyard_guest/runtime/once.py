"""Sequence numbers that are worked on once: what a repeated enable finds of one, and which came last.

``mrseq`` lies in the handler's folder; the agent copies it and the statuses from version to version, in both
directions, and nothing else. So these two tell everything: a number is in ``mrseq`` once enable has accepted it, and
its status has a substatus once the work has taken its first step. A handler with several named configurations has a
line for each: the number, a blank, the name.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from dockyard_guest.values import Repeats

if TYPE_CHECKING:
    from dockyard_contract.status import Status
    from dockyard_guest.ports import Files

    from .call import Call

_NAME = "mrseq"


class Standing(enum.Enum):
    """How far a sequence number has come."""

    NEW = "nothing has been done for it"
    ACCEPTED = "its work has not taken the first step"
    BEGUN = "its work has begun, and not ended"
    DONE = "its work has ended, well or not"


def standing(call: Call, *, status: Status | None, last: int | None) -> Standing:
    """How far the call's number has come, by the status that is there for it and the last number accepted.

    A lower number than the last is an old goal state when its status is final, and a number of an extension that was
    removed and made anew when there is none. A configuration's status is removed with it, so one that has none is new.
    """
    number = call.sequence_number
    if last is None or number > last or (status is None and call.variables.extension_name):
        return Standing.NEW
    if status is not None and status.status.is_final:
        return Standing.DONE
    if number < last:
        return Standing.NEW
    return Standing.BEGUN if status is not None and status.substatus else Standing.ACCEPTED


def is_left_alone(found: Standing, *, repeats: Repeats) -> bool:
    """Whether nothing is to be done, not even to the status."""
    return found is Standing.DONE and repeats is not Repeats.WHENEVER_ASKED


def is_given_up(found: Standing, *, repeats: Repeats) -> bool:
    """Whether work that nobody is doing any more ends here, as an error."""
    return found is Standing.BEGUN and repeats is Repeats.NEVER


def last_number(call: Call, *, files: Files) -> int | None:
    """The number that was accepted last for the call's configuration, or ``None``."""
    return _read(call, files=files).get(call.variables.extension_name or "")


def note_number(call: Call, *, files: Files) -> None:
    """Record the call's number as the one accepted last."""
    numbers = {**_read(call, files=files), call.variables.extension_name or "": call.sequence_number}
    lines = "".join(f"{number} {name}".rstrip() + "\n" for name, number in numbers.items())
    files.write(f"{call.folder}/{_NAME}", lines.encode(), mode=0o600)


def _read(call: Call, *, files: Files) -> dict[str, int]:
    text = (files.read(f"{call.folder}/{_NAME}") or b"").decode(errors="replace")
    parts = [line.partition(" ") for line in text.splitlines()]
    return {name: int(number) for number, _, name in parts if number.isascii() and number.isdigit()}

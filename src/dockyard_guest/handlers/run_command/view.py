"""What a run command reports: its instance view, a JSON text in the place of the status message, as Azure has it.

Two members are added: how many characters each output had before the end that is shown, so that whoever looks now and
then can go on where the last look ended. Pure.
"""

from __future__ import annotations

import enum
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockyard_guest.scripting.tail import Output


class State(enum.Enum):
    """How far the script has come; the words are Azure's."""

    PENDING = "Pending"
    RUNNING = "Running"
    FAILED = "Failed"
    SUCCEEDED = "Succeeded"
    TIMED_OUT = "TimedOut"
    CANCELED = "Canceled"


@dataclass(frozen=True)
class View:
    """One look at a run.

    Attributes:
        state: How far it has come.
        message: A sentence about that.
        exit_code: The script's own; 0 as long as there is none.
        begun: When it was started, in seconds since the epoch.
        ended: When it ended, or ``None``.
    """

    state: State
    message: str
    exit_code: int
    begun: float
    ended: float | None = None


def dump_view(view: View, output: Output) -> str:
    """The view as the text that is reported."""
    members = {
        "executionState": view.state.value,
        "executionMessage": view.message,
        "exitCode": view.exit_code,
        "output": output.stdout.text,
        "outputOffset": output.stdout.offset,
        "error": output.stderr.text,
        "errorOffset": output.stderr.offset,
        "startTime": _utc(view.begun),
        "endTime": None if view.ended is None else _utc(view.ended),
    }
    return json.dumps(members, ensure_ascii=False)


def _utc(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))

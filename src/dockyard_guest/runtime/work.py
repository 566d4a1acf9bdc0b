"""The background work of enable: one sequence number, brought to a final status.

Runs as its own process. One extension changes the machine from one process at a time; a newer command that arrives
meanwhile waits for the lock, and an older one gives up at its next step when it sees that something newer is wanted.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dockyard_contract.errors import MalformedDocument
from dockyard_contract.status import StatusWord
from dockyard_guest.errors import GuestError

from .enable import as_guest_error, desk_of, intent_of, interrupted, report_for, work_lock
from .once import is_given_up, is_left_alone, last_number, standing
from .progress import ReportedProgress
from .report import LONG_MESSAGE
from .settings_file import read_settings
from .spent import forget_spent

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from dockyard_guest.ports import Clock, Handler, Machine
    from dockyard_guest.values import Applied

    from .call import Call
    from .report import Report

_PATIENCE = 3600.0
_POLL = 0.5
_ROOM_POLL = 5.0


def run_work(call: Call, *, handler: Handler, machine: Machine, log: Callable[[str], None]) -> str:
    """Do the work for the sequence number. Answers one sentence.

    Raises:
        GuestError: It could not be done; the status says so too.
    """
    desk = desk_of(call, machine=machine)
    intent = intent_of(call)
    report = report_for(call, handler=handler, machine=machine)
    progress = ReportedProgress(
        report=report,
        clock=machine.clock,
        log=log,
        check=lambda: desk.check(intent),
        headline=f"Enabling {handler.title}.",
    )
    with _alive(call, machine=machine):
        try:
            found = standing(call, status=report.read(), last=last_number(call, files=machine.files))
            if is_left_alone(found, repeats=handler.repeats):
                return f"The work for sequence number {call.sequence_number} has been done."
            if is_given_up(found, repeats=handler.repeats):
                machine.scripts.end(desk.record)
                raise interrupted(handler)
            with desk.hold(intent=intent, patience=_PATIENCE):
                applied = handler.apply(read_settings(call, machine=machine), progress=progress)
                _report(applied, report=report, progress=progress)
                forget_spent(call, handler=handler, files=machine.files)
                _settle(call, applied=applied, report=report, machine=machine)
        except (GuestError, MalformedDocument) as error:
            raise _fail(as_guest_error(error), report=report, progress=progress, clock=machine.clock) from error
    return applied.summary or applied.message


def _alive(call: Call, *, machine: Machine) -> AbstractContextManager[None]:
    # A second process for the same number waits its turn and then finds nothing to change: the number is never left
    # without somebody who brings it to a final status.
    while True:
        lock = machine.files.try_lock(work_lock(call))
        if lock is not None:
            return lock
        machine.clock.sleep(_POLL)


def _report(applied: Applied, *, report: Report, progress: ReportedProgress) -> None:
    word = StatusWord.SUCCESS if applied.succeeded else StatusWord.ERROR
    report.write(word, applied.message, code=applied.code, substatus=progress.substatus(), limit=LONG_MESSAGE)


def _settle(call: Call, *, applied: Applied, report: Report, machine: Machine) -> None:
    if call.variables.extension_name is not None or not applied.succeeded:
        return  # the marker is for a folder's one configuration
    machine.settled.record(
        folder=call.folder,
        version=call.version,
        sequence_number=call.sequence_number,
        watched=(report.path, call.settings_file, *applied.watched),
        pid_files=applied.pid_files,
        until=applied.until,
    )


def _fail(error: GuestError, *, report: Report, progress: ReportedProgress, clock: Clock) -> GuestError:
    """Report an error. On a full disk this waits for room: without a final status nobody would ever hear of it."""
    substatus = progress.substatus()
    text = str(error) if any(part.status.is_failure for part in substatus) else error.full_text
    deadline = clock.monotonic() + _PATIENCE
    while clock.monotonic() < deadline:
        with suppress(GuestError):
            report.write(StatusWord.ERROR, text, code=int(error.exit_code), substatus=substatus)
            break
        clock.sleep(_ROOM_POLL)
    return error

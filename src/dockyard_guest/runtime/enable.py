"""The enable command: reports that work goes on, judges the settings, and leaves the work to a background process.

The agent gives enable 300 seconds and does nothing else meanwhile, not even report, so the work itself must not happen
here. A repeated enable for a number whose work is alive changes nothing, nor does one for a number whose handler does
its work once and has done it. After a crash or a reboot the work is started again, or ended as an error where the
handler says so.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_contract.errors import MalformedDocument
from dockyard_contract.status import StatusWord
from dockyard_guest.errors import GuestError, PermanentError

from .intent import desk_for
from .once import bring_back_status, is_given_up, is_left_alone, is_over, last_number, note_number, standing
from .report import Report
from .settings_file import read_settings
from .spent import forget_spent

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard_guest.ports import Handler, Machine

    from .call import Call
    from .intent import Desk


def run_enable(call: Call, *, handler: Handler, machine: Machine, log: Callable[[str], None]) -> str:
    """Start the work for the sequence number asked for. Answers one sentence.

    Raises:
        GuestError: The settings cannot be used, or the work could not be started; the status says so too.
    """
    report = report_for(call, handler=handler, machine=machine)
    bring_back_status(call, files=machine.files)
    status = report.read()
    if status is not None and not is_over(status) and work_is_alive(call, machine=machine):
        return f"The work for sequence number {call.sequence_number} goes on."
    # The status once more: the work may have ended between the two looks.
    found = standing(call, status=report.read(), last=last_number(call, files=machine.files))
    if is_left_alone(found, repeats=handler.repeats):
        forget_spent(call, handler=handler, files=machine.files)
        return f"The work for sequence number {call.sequence_number} has been done."
    if is_given_up(found, repeats=handler.repeats):
        machine.scripts.end(desk_of(call, machine=machine).record)
        given_up = fail(interrupted(handler), report=report)
        note_number(call, files=machine.files)
        return str(given_up)
    report.write(StatusWord.TRANSITIONING, f"Enabling {handler.title}.")
    try:
        _start(call, handler=handler, machine=machine)
    except (GuestError, MalformedDocument) as error:
        raise fail(as_guest_error(error), report=report) from error
    log(f"settings {call.sequence_number} accepted")
    return f"The work for sequence number {call.sequence_number} has been started."


def report_for(call: Call, *, handler: Handler, machine: Machine) -> Report:
    """Where the status of this call's sequence number goes."""
    return Report(path=call.status_file, operation=f"Enable {handler.title}", files=machine.files, clock=machine.clock)


def desk_of(call: Call, *, machine: Machine) -> Desk:
    """Where the commands for this call's extension, or configuration, meet."""
    name = call.variables.extension_name
    return desk_for(call.handler, configuration=name, files=machine.files, clock=machine.clock)


def intent_of(call: Call) -> str:
    """What an enable of this version and sequence number wants."""
    name = call.variables.extension_name
    return f"enable of version {call.version}, sequence number {call.sequence_number}" + (f", {name}" if name else "")


def work_lock(call: Call) -> str:
    """The file whose lock the work for this sequence number holds as long as it lives."""
    return f"{call.folder}/{call.settings_file.rpartition('/')[2]}.lock"


def work_is_alive(call: Call, *, machine: Machine) -> bool:
    """Whether a background process works on this sequence number now."""
    lock = machine.files.try_lock(work_lock(call))
    if lock is None:
        return True
    with lock:
        return False


def as_guest_error(error: GuestError | MalformedDocument) -> GuestError:
    """A malformed document is the sender's matter: bad configuration."""
    if isinstance(error, GuestError):
        return error
    return PermanentError(f"{error}.", exit_code=ExitCode.BAD_CONFIGURATION)


def interrupted(handler: Handler) -> GuestError:
    """The error of work that ended without a word and is not to be repeated."""
    return PermanentError(
        f"{handler.title} was interrupted before its end, by a restart of the machine for example.",
        details="It is not begun again by itself, as what it had done by then is not known.",
        resolution="To run it once more, apply its settings anew, with another timestamp or forceUpdateTag.",
    )


def fail(error: GuestError, *, report: Report) -> GuestError:
    """Report an error that stopped everything before the first step."""
    report.write(StatusWord.ERROR, error.full_text, code=int(error.exit_code))
    return error


def _start(call: Call, *, handler: Handler, machine: Machine) -> None:
    desk_of(call, machine=machine).want(intent_of(call))
    note_number(call, files=machine.files)
    handler.check(read_settings(call, machine=machine))
    machine.background.start(
        name=f"dockyard-{call.program}-{call.sequence_number}-{os.getpid()}",
        argv=[call.executable, "work"],
        environment=call.variables.to_environ(),
    )

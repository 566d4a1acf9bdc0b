"""Carrying out a plan so that the machine ends with a working engine: the new one, or else the last good one.

The files as they are when the engine last proved to work are kept on disk from before the first write until the engine
has proved to work again. A process that dies on the way leaves them there, and the next one knows that the running
engine may not match the files, and what to go back to.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import GuestError, PermanentError

from .judgement import first_words
from .places import LAST_GOOD, RECORD, SERVICE
from .record import Record, Saved, dump_record, parse_record, read_last_good, write_last_good, write_record

if TYPE_CHECKING:
    from dockyard_guest.ports import Machine

    from .facts import Facts
    from .plan import Change, Plan

_JOURNAL_LINES = 30
_RELOADED = "Reloaded configuration:"
_RELOAD_PATIENCE = 5.0
_POLL = 0.25


def put_in_place(machine: Machine, *, plan: Plan, facts: Facts) -> None:
    """Write the files of a plan, having kept the old ones."""
    if not plan.changes:
        return
    if not facts.interrupted:
        write_last_good(machine.files, _saved(facts))
    write_record(machine.files, _both(facts.record, plan.record))
    write_changes(machine, plan.changes)


def write_changes(machine: Machine, changes: tuple[Change, ...]) -> None:
    """Write, replace and remove files."""
    for change in changes:
        if change.content is None:
            machine.files.remove(change.path)
            continue
        machine.files.make_folder(change.path.rpartition("/")[0], mode=0o755)
        machine.files.write(change.path, change.content, mode=change.mode)


def run_engine(machine: Machine, plan: Plan) -> str:
    """Make the engine run with the files that are there. Answers what was done.

    Raises:
        GuestError: It does not run; the error has its own words.
    """
    if plan.enable:
        machine.services.enable(plan.enable)
    if plan.changes or plan.restart or plan.enable:
        machine.services.reload_units()
    if not plan.touches_engine:
        return "left running, as nothing of it has changed"
    begun = machine.clock.time()
    if plan.reload and not plan.start and _reload(machine, begun=begun):
        return f"told to reload, as {plan.reload}"
    plan = plan.with_restart()
    act = machine.services.restart if plan.restart else machine.services.start
    try:
        act(SERVICE)
    except GuestError as error:
        lines = "\n".join(machine.services.journal(SERVICE, since=begun, lines=_JOURNAL_LINES))
        raise PermanentError(
            f"The engine does not start: {first_words(lines or error.details)}",
            details=lines or error.details,
            exit_code=ExitCode.BAD_CONFIGURATION,
        ) from error
    return f"restarted, as {plan.restart}" if plan.restart else "started"


def _reload(machine: Machine, *, begun: float) -> bool:
    """Have the engine read its configuration again. False when it does not say that it has done so, whatever why."""
    machine.services.reload(SERVICE)
    deadline = machine.clock.monotonic() + _RELOAD_PATIENCE
    while machine.clock.monotonic() < deadline:
        lines = machine.services.journal(SERVICE, since=begun, lines=_JOURNAL_LINES)
        if any(_RELOADED in line for line in lines):
            return True
        machine.clock.sleep(_POLL)
    return False


def commit(machine: Machine, plan: Plan) -> None:
    """Declare the files that are there the good ones."""
    write_record(machine.files, plan.record)
    machine.files.remove(LAST_GOOD)


def roll_back(machine: Machine, *, record: Record) -> str:
    """Put the last good files back and restart the engine. Answers what came of it, in a sentence."""
    saved = read_last_good(machine.files)
    if saved is None:
        return "No file had been changed."
    for item in saved:
        if item.path == RECORD:
            record = _as_it_was(item, now=record)
        elif item.content is None:
            machine.files.remove(item.path)
        else:
            machine.files.write(item.path, item.content, mode=item.mode)
    write_record(machine.files, record)
    try:
        machine.services.reload_units()
        machine.services.restart(SERVICE)
    except GuestError:
        return "The files before are back, but the engine does not start with them either."
    machine.files.remove(LAST_GOOD)
    return "The configuration before is back, and the engine runs with it."


def _saved(facts: Facts) -> tuple[Saved, ...]:
    files = [Saved(path=path, content=found.content, mode=found.mode or 0o600) for path, found in facts.files.items()]
    return (*files, Saved(path=RECORD, content=dump_record(facts.record), mode=0o600))


def _as_it_was(saved: Saved, *, now: Record) -> Record:
    # A run that follows one that died finds a record of both configurations. Who is in charge and what came with the
    # engine are no part of a configuration.
    return replace(parse_record(saved.content or b""), owner=now.owner, packages=now.packages)


def _both(before: Record, after: Record) -> Record:
    """What is ours while a change is under way: what was, and what will be."""
    return replace(
        after,
        members={**before.members, **after.members},
        files=tuple(dict.fromkeys((*before.files, *after.files))),
        displaced={**before.displaced, **after.displaced},
    )

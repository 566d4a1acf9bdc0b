"""The way back when an exchanged engine does not come up: the packages as they were, and the engine running again.

Wraps all that the handler does from the exchange to the proof. What the packages were is in the record, so the way back
is there even after the process that began the exchange has died.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_contract.errors import MalformedDocument
from dockyard_guest.errors import GuestError, PermanentError, SupersededError

from .places import SERVICE
from .proofs import prove_answer
from .record import read_record, write_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dockyard_guest.ports import Machine, Progress, Step

    from .record import Record


@contextmanager
def way_back(machine: Machine, *, number: int, progress: Progress) -> Iterator[None]:
    """Bring the engine before back when what is done inside fails, and say so in the error."""
    try:
        yield
    except SupersededError:
        # The newer command finds in the record what the packages were, and goes on from there.
        raise
    except (GuestError, MalformedDocument) as error:
        outcome = bring_back(machine, number=number, progress=progress)
        if not outcome:
            raise
        raise with_outcome(error, outcome=outcome) from error


def bring_back(
    machine: Machine, *, number: int, progress: Progress, files_back: Callable[[], str] | None = None
) -> str:
    """Undo an exchange of the engine that has not proved to work. Answers what came of it, empty when there was none.

    `files_back` puts the configuration back; it is called when the packages are those that the configuration was for.
    """
    record = read_record(machine.files)
    if record is None or record.engine.previous is None:
        return ""
    now = machine.packages.versions()
    lost = {name: version for name, version in record.engine.previous.items() if now.get(name) != version}
    new = tuple(name for name in now if name not in record.engine.previous)
    if not lost and not new:
        _note(machine, record, refused_for=record.engine.refused_for)
        return ""
    outcome = _packages_back(machine, lost=lost, new=new, progress=progress)
    if files_back is not None:
        outcome = f"{outcome} {files_back()}"
    _note(machine, record, refused_for=number)
    return f"{outcome} {_engine_back(machine)}"


def with_outcome(error: GuestError | MalformedDocument, *, outcome: str) -> PermanentError:
    """The same error, with what came of the way back before its own advice."""
    if isinstance(error, MalformedDocument):
        return PermanentError(f"{error}.", resolution=outcome, exit_code=ExitCode.BAD_CONFIGURATION)
    return PermanentError(
        error.brief,
        details=error.details,
        resolution=f"{outcome} {error.resolution}".strip(),
        exit_code=error.exit_code,
    )


def _packages_back(machine: Machine, *, lost: Mapping[str, str], new: tuple[str, ...], progress: Progress) -> str:
    try:
        with progress.step("way back", "bringing the packages before back") as step:
            _exchange_back(machine, lost=lost, new=new, step=step)
            step.say(f"the packages before are back: {', '.join(f'{name} {lost[name]}' for name in lost) or 'all'}")
    except SupersededError:
        raise
    except GuestError as error:
        return f"The packages before could not be brought back: {error.brief}"
    return "The packages before are back."


def _exchange_back(machine: Machine, *, lost: Mapping[str, str], new: tuple[str, ...], step: Step) -> None:
    if lost:
        machine.packages.install(tuple(lost), if_known=(), step=step, versions=lost, replaces=new)
    machine.packages.remove(new)
    machine.services.reload_units()


def _engine_back(machine: Machine) -> str:
    try:
        machine.services.start(SERVICE)
        return f"{prove_answer(machine)} runs."
    except GuestError as error:
        return f"The engine does not run: {error.brief}"


def _note(machine: Machine, before: Record, *, refused_for: int | None) -> None:
    # The configuration's way back has written the record anew: only what concerns packages is changed in it.
    record = read_record(machine.files) or before
    installed = machine.packages.installed()
    ours = tuple(name for name in before.engine.ours_before if name in installed)
    engine = replace(record.engine, previous=None, ours_before=(), refused_for=refused_for)
    write_record(machine.files, replace(record, packages=ours, packages_before=None, engine=engine))

"""The engine as a program: is it there, can it be, where does it come from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

from .places import PACKAGES, PACKAGES_IF_KNOWN
from .record import Record, read_record, write_record

if TYPE_CHECKING:
    from dockyard_guest.ports import Machine, Step


def check_machine(machine: Machine) -> str:
    """Make sure, quickly, that this machine can have the engine. Answers one sentence.

    Raises:
        PermanentError: It cannot.
    """
    if not machine.services.is_available():
        raise _unsupported("systemd does not run this machine")
    release = machine.system.release()
    name = release.pretty_name or release.id or "an unknown system"
    if is_present(machine):
        return f"{name} has the engine."
    if not (release.is_debian_family and machine.packages.is_available()):
        raise _unsupported(f"{name} is not of the Debian family and has no engine")
    return f"{name} can have the engine."


def is_present(machine: Machine) -> bool:
    """Whether the engine's program is there."""
    return machine.commands.find("dockerd") is not None


def ensure_present(machine: Machine, *, version: str, step: Step) -> str:
    """Install the engine from the distribution if it is not there. Answers what was found or done.

    What came along is noted, so that uninstall can take it back, even if this process dies on the way.

    Raises:
        GuestError: It could not be installed.
    """
    record = read_record(machine.files) or Record(owner=version)
    if is_present(machine) and record.packages_before is None:
        return "the engine is there"
    check_machine(machine)
    before = record.packages_before or tuple(sorted(machine.packages.installed()))
    write_record(machine.files, _replaced(record, before=before))
    step.say(f"installing {' and '.join(PACKAGES)} from the distribution")
    machine.packages.install(PACKAGES, if_known=PACKAGES_IF_KNOWN, step=step)
    brought = sorted(machine.packages.installed() - set(before))
    write_record(machine.files, _replaced(record, before=None, brought=(*record.packages, *brought)))
    return f"installed {', '.join(brought)}"


def _replaced(record: Record, *, before: tuple[str, ...] | None, brought: tuple[str, ...] | None = None) -> Record:
    return replace(record, packages_before=before, packages=record.packages if brought is None else brought)


def _unsupported(reason: str) -> PermanentError:
    return PermanentError(
        f"The Docker extension cannot work here: {reason}.",
        resolution="Use Debian 11 or Ubuntu 20.04 or later, or an image that has the engine as a service of systemd.",
        exit_code=ExitCode.UNSUPPORTED_SYSTEM,
    )

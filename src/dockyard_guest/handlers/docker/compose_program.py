"""The compose program: which one this machine has, and bringing one when there is none.

Called by `compose`. The second generation is a part of the ``docker`` client, the first a program of its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

from .compose_record import read_compose_record, write_compose_record

if TYPE_CHECKING:
    from dockyard_guest.ports import Machine, Step

PACKAGES = ("docker-compose-plugin", "docker-compose-v2", "docker-compose")
"""Names of the program's package: Docker's own, Ubuntu's, and everybody else's; the first that is offered is taken."""

_ASK = (("docker", "compose"), ("docker-compose",))
_LIMIT = 60.0


def ensure_compose(machine: Machine, *, step: Step) -> tuple[str, ...]:
    """Words with which the compose program is started; its package is installed when there is none.

    Raises:
        PermanentError: No repository of this machine has it.
        TemporaryError: The package manager did not get through.
    """
    found = _find(machine)
    if found is not None:
        return found
    step.say("installing the compose program")
    _install(machine, step=step)
    found = _find(machine)
    if found is None:
        raise PermanentError(
            "The package manager has finished, but there is no compose program.",
            exit_code=ExitCode.MISSING_DEPENDENCY,
        )
    return found


def _find(machine: Machine) -> tuple[str, ...] | None:
    for words in _ASK:
        if machine.commands.find(words[0]) is None:
            continue
        if machine.commands.run([*words, "version"], timeout=_LIMIT).succeeded:
            return words
    return None


def _install(machine: Machine, *, step: Step) -> None:
    machine.packages.refresh(step=step)
    name = next((name for name in PACKAGES if machine.packages.offered(name)), None)
    if name is None:
        raise PermanentError(
            "No repository of this machine has a compose program.",
            resolution=f"Install one of {', '.join(PACKAGES)}, or set docker.source to docker.",
            exit_code=ExitCode.MISSING_DEPENDENCY,
        )
    before = machine.packages.installed()
    machine.packages.install([name], if_known=(), step=step)
    record = read_compose_record(machine.files)
    brought = sorted({*record.packages, *(machine.packages.installed() - before)})
    write_compose_record(machine.files, replace(record, packages=tuple(brought)))

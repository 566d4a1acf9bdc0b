"""What is found in the machine before anything about Docker is decided. Reads only."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

from .places import (
    CERTIFICATE_FILES,
    DAEMON_CONFIG,
    DAEMON_FILES,
    DEFAULT_OPTIONS,
    DROP_IN,
    LAST_GOOD,
    SECCOMP_SUPPORT,
    SERVICE,
    SWARM_STATE,
    UNITS,
)
from .record import Record, read_record
from .unit_file import sets_start_command, start_command

if TYPE_CHECKING:
    from dockyard_guest.ports import Machine
    from dockyard_guest.values import Listener, Unit

_VARIABLE = "DOCKER_OPTS"


@dataclass(frozen=True)
class Found:
    """A file as it is; content is ``None`` for one that is not there."""

    content: bytes | None = field(default=None, repr=False)
    mode: int | None = None


@dataclass(frozen=True)
class Facts:
    """The machine as it is.

    Attributes:
        base_command: The start command of the packaged unit.
        units: The engine's units by name.
        files: The files the extension may write, by path.
        record: What the extension keeps about itself.
        interrupted: Whether an earlier change was not brought to its end, so that the running engine may not know
            the files that are there.
        swarm: Whether the engine is part of a swarm.
        seccomp: Whether the kernel filters system calls.
        listener: Who listens on the port asked for.
        default_options: Words that the unit's own command takes from ``/etc/default/docker``.
    """

    base_command: str
    units: dict[str, Unit]
    files: dict[str, Found]
    record: Record
    interrupted: bool = False
    swarm: bool = False
    seccomp: bool = True
    listener: Listener | None = None
    default_options: tuple[str, ...] = ()

    @property
    def service(self) -> Unit:
        """The engine's service."""
        return self.units[SERVICE]


def observe(machine: Machine, *, version: str, port: int | None) -> Facts:
    """Find out how the machine is.

    Raises:
        PermanentError: There is no service of the engine, it is masked, or somebody else has changed its command.
    """
    units = {unit.name: unit for unit in machine.services.units(UNITS)}
    base_command = _base_command(machine, unit=units[SERVICE])
    return Facts(
        base_command=base_command,
        units=units,
        files={path: find(machine, path) for path in (DAEMON_CONFIG, DROP_IN, *CERTIFICATE_FILES, *DAEMON_FILES)},
        record=read_record(machine.files) or Record(owner=version),
        interrupted=machine.files.read(LAST_GOOD) is not None,
        swarm=machine.files.read(SWARM_STATE) is not None,
        seccomp=machine.files.read(SECCOMP_SUPPORT) is not None,
        listener=None if port is None else machine.sockets.listener(port),
        default_options=default_options(_text(machine, DEFAULT_OPTIONS)) if _VARIABLE in base_command else (),
    )


def find(machine: Machine, path: str) -> Found:
    """One file as it is."""
    return Found(content=machine.files.read(path), mode=machine.files.mode(path))


def default_options(text: str) -> tuple[str, ...]:
    """The daemon's options in the text of ``/etc/default/docker``; none when they cannot be read."""
    values = [line.partition("=")[2] for line in text.splitlines() if line.partition("=")[0].strip() == _VARIABLE]
    try:
        return tuple(word for part in shlex.split(values[-1]) for word in shlex.split(part)) if values else ()
    except ValueError:
        return ()


def _base_command(machine: Machine, *, unit: Unit) -> str:
    if unit.is_masked:
        raise PermanentError(
            f"{unit.name} is masked.",
            resolution=f"Run: systemctl unmask {unit.name}",
            exit_code=ExitCode.BAD_CONFIGURATION,
        )
    command = start_command(_text(machine, unit.fragment))
    if command is None:
        raise PermanentError(
            f"There is an engine, but no {unit.name} that starts it.",
            resolution="Install the engine as a package, or remove it and let the extension install it.",
            exit_code=ExitCode.MISSING_DEPENDENCY,
        )
    for path in unit.drop_ins:
        if path != DROP_IN and sets_start_command(_text(machine, path)):
            raise PermanentError(
                f"{path} replaces the engine's start command, which the extension must change.",
                resolution="Remove its ExecStart lines and put its arguments into docker.options.",
                exit_code=ExitCode.BAD_CONFIGURATION,
            )
    return command


def _text(machine: Machine, path: str) -> str:
    content = machine.files.read(path) if path else None
    return (content or b"").decode(errors="replace")

"""What runs on the machine: programs, units of systemd, scripts, work that outlives its command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dockyard_guest.values import Completed, ScriptOrder, Unit


class Commands(Protocol):
    """Processes. The environment is made from scratch; arguments and environment never hold a secret."""

    def find(self, program: str) -> str | None:
        """Path of a program, or ``None``."""

    def run(self, argv: Sequence[str], *, timeout: float, stdin: bytes = b"") -> Completed:
        """Run a program to its end; standard output and standard error are kept apart.

        Raises:
            PermanentError: There is no such program.
            TemporaryError: It did not end in time; it and its children have been killed.
        """

    def stream(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        on_line: Callable[[str], None],
        environment: Mapping[str, str] | None = None,
    ) -> Completed:
        """As `run`, with both outputs merged and every line handed on as it comes."""


class Services(Protocol):
    """The service manager, which is systemd."""

    def is_available(self) -> bool:
        """Whether systemd runs this machine."""

    def units(self, names: Sequence[str]) -> tuple[Unit, ...]:
        """The units of these names, in this order, whether they exist or not."""

    def reload_units(self) -> None:
        """Make the manager read unit files again."""

    def enable(self, names: Sequence[str]) -> None:
        """Make units start at boot; the manager learns of it when it next reads unit files."""

    def unmask(self, name: str) -> None:
        """Let a unit start again that somebody has forbidden to."""

    def start(self, name: str) -> None:
        """Start a unit that does not run, or wait for one that is starting, until it is up.

        Raises:
            TemporaryError: It did not come up.
        """

    def restart(self, name: str) -> None:
        """Start or restart a unit and wait until it is up.

        Raises:
            TemporaryError: It did not come up.
        """

    def reload(self, name: str) -> None:
        """Ask a running unit to read its configuration again."""

    def stop(self, names: Sequence[str]) -> None:
        """Stop units; they need not run."""

    def journal(self, name: str, *, since: float, lines: int) -> tuple[str, ...]:
        """The last lines the unit's own processes wrote since a time in seconds since the epoch."""


class Script(Protocol):
    """A program that was started for somebody."""

    def exit_code(self) -> int | None:
        """How the program ended; ``None`` while it runs. 128 and the signal's number for one that was killed."""

    def kill(self) -> None:
        """End the program and everything it has started, in whatever session."""


class Scripts(Protocol):
    """Programs run as somebody asked for them, apart from this process and the agent's service.

    The record of the one that runs is ``running`` in the folder where the commands of its extension, or of its named
    configuration, meet: the runtime ends what is left of work that was interrupted.
    """

    def start(self, order: ScriptOrder) -> Script:
        """Start a program; what it starts itself goes on after its end, unless it is killed.

        Raises:
            PermanentError: It cannot be started.
        """

    def end(self, record: str) -> None:
        """Kill the script that a record tells of, with everything it has started; there need not be one."""


class Background(Protocol):
    """Work that outlives the command that starts it."""

    def start(self, *, name: str, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a program apart from this process and from the agent's service; no name is used twice.

        Raises:
            TemporaryError: It could not be started.
        """

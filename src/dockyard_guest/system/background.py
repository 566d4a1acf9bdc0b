"""Starting work that outlives the handler command.

The agent's service may be restarted at any time, a package upgrade of the agent suffices, and takes every process of
its control group with it, sessions of their own or not. So the work becomes a transient unit of systemd where systemd
runs, and a detached process only elsewhere.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dockyard_guest.errors import TemporaryError

from .commands import SEARCH_PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dockyard_guest.ports import Commands, Services

_TIMEOUT = 60.0
_AGAIN = (
    "--property=Restart=on-abnormal",
    "--property=RestartSec=5",
    "--property=StartLimitIntervalSec=3600",
    "--property=StartLimitBurst=5",
)
"""Work that is killed, for want of memory for example, is begun again, a few times; work that ends by itself is not."""


class SystemBackground:
    """Work apart from the agent's service."""

    def __init__(self, *, commands: Commands, services: Services, log: Callable[[str], None]) -> None:
        self._commands = commands
        self._services = services
        self._log = log

    def start(self, *, name: str, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a program; see `ports.Background`."""
        if self._services.is_available():
            self._start_unit(name=name, argv=argv, environment=environment)
        else:
            self._start_detached(argv=argv, environment=environment)

    def _start_unit(self, *, name: str, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        variables = [f"--setenv={key}={value}" for key, value in environment.items()]
        completed = self._commands.run(
            ["systemd-run", f"--unit={name}", "--collect", "--quiet", *_AGAIN, *variables, "--", *argv],
            timeout=_TIMEOUT,
        )
        if not completed.succeeded:
            raise TemporaryError("systemd-run could not start the background work.", details=completed.complaint)

    def _start_detached(self, *, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        self._log("systemd does not run this machine: the work is a detached process")
        silence = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0),
            (os.POSIX_SPAWN_DUP2, 0, 1),
            (os.POSIX_SPAWN_DUP2, 0, 2),
        ]
        variables = {"PATH": SEARCH_PATH, **environment}
        try:
            os.posix_spawn(argv[0], list(argv), variables, file_actions=silence, setsid=True)
        except OSError as error:
            raise TemporaryError(f"The background work could not be started: {error.strerror}.") from error

"""A command's way to the server: the folders, the server started when it does not run, the connection.

Used by every command that needs ARM.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.cli import output
from dockyard.client import connection, serve
from dockyard.config import Paths

if TYPE_CHECKING:
    from dockyard.client.connection import Connection

SERVE_COMMAND = (sys.executable, "-P", "-m", "dockyard.cli", "serve")


@dataclass(frozen=True)
class Session:
    """What one run of the program works with."""

    paths: Paths
    connection: Connection

    @property
    def home(self) -> Path:
        """The user's own folder."""
        return Path.home()


def open_session() -> Session:
    """Start the server when it does not run, and connect to it. Raises DockyardError."""
    paths = Paths.default()
    credentials = serve.ensure(paths, command=SERVE_COMMAND, notify=output.note)
    return Session(paths, connection.Connection(credentials))

"""A command's way to the server: the folders, the server started when it does not run, the connection.

Used by every command that needs ARM.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.cli import output
from dockyard.client import connection, credentials, serve
from dockyard.client.credentials import Credentials
from dockyard.config import Paths
from dockyard.model.errors import NotFound

if TYPE_CHECKING:
    from dockyard.client.connection import Connection

CREDENTIALS_VARIABLE = "DOCKYARD_CREDENTIALS"
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
    return Session(paths, connection.Connection(credentials_in_use(paths)))


def credentials_in_use(paths: Paths) -> Credentials:
    """Start the server when it does not run; return what lets this user in, or whom he wants to be.

    Raises DockyardError.
    """
    own = serve.ensure(paths, command=SERVE_COMMAND, notify=output.note)
    return _of_another() or own


def _of_another() -> Credentials | None:
    """Return the credentials of the principal the user wants to be. Raises NotFound, OperationFailed."""
    path = os.environ.get(CREDENTIALS_VARIABLE)
    if not path:
        return None
    found = credentials.read(Path(path))
    if found is None:
        raise NotFound(
            f"There is no file {path}",
            resolution=f"{CREDENTIALS_VARIABLE} names it; 'dockyard principal create --credentials' writes one.",
        )
    return found

"""``dockyard serve``: run the server in the foreground, or end the running one."""

from __future__ import annotations

from typing import Annotated

import typer

from dockyard.cli import options, output
from dockyard.client import serve as server
from dockyard.config import Paths
from dockyard.model.errors import InvalidRequest

EXAMPLES = options.examples("dockyard serve", "dockyard serve --port 8443", "dockyard serve --stop")


def serve(
    *,
    port: Annotated[
        int | None,
        typer.Option("--port", min=1, max=65535, help="Default: the port of the last time, else a free one."),
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="End the running server; machines go on running.")] = False,
) -> None:
    """Run the server in the foreground. Every command starts it in the background when it does not run."""
    if stop and port is not None:
        raise InvalidRequest("--stop cannot be combined with --port", resolution="Give one or the other.")
    if stop:
        end()
        return
    from dockyard.serve import run  # noqa: PLC0415 - the one door from the command line into the server

    run(port=port)


def end() -> None:
    """End the running server, and say what was done."""
    ended = server.stop(Paths.default())
    if ended is None:
        output.note("The server was not running.")
    else:
        output.note(f"The server at {ended.endpoint} has ended. Machines go on running.")

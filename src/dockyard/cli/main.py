"""The console script: assembles the commands, turns every ending into an exit code.

The one place of the command line that catches everything: foreseen failures are shown, unforeseen ones kept in a file.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
import typer.main

from dockyard.cli import az, doctor, env, errors, extension, image, options, principal, role, serve, vm
from dockyard.cli.exit_codes import ExitCode, exit_code
from dockyard.config import Paths
from dockyard.model.errors import DockyardError

_MACHINES = "Machines"
_ACCESS = "Access"
_EXTENSIONS = "Extensions"
_HOST = "This host"

app = typer.Typer(
    name="dockyard",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=options.examples(
        "dockyard doctor                    what this host has and lacks",
        "dockyard vm create web             a machine with Docker",
        "docker --context dockyard-web run hello",
        "dockyard vm delete web             and everything that belongs to it",
    ),
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - the signature is typer's
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - takes a tenth of a second that few commands need

        sys.stdout.write(f"dockyard {version('dockyard')}\n")
        raise typer.Exit


@app.callback()
def root(
    *,
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Docker-enabled virtual machines, the Azure way, anywhere."""


app.add_typer(vm.app, name="vm", rich_help_panel=_MACHINES)
app.command("env", rich_help_panel=_MACHINES, epilog=env.EXAMPLES)(env.env)
app.command("az", rich_help_panel=_MACHINES, epilog=az.EXAMPLES, context_settings=az.CONTEXT)(az.az)
app.add_typer(image.app, name="image", rich_help_panel=_MACHINES)
app.add_typer(extension.app, name="extension", rich_help_panel=_EXTENSIONS)
app.add_typer(principal.app, name="principal", rich_help_panel=_ACCESS)
app.add_typer(role.app, name="role", rich_help_panel=_ACCESS)
app.command("doctor", rich_help_panel=_HOST, epilog=doctor.EXAMPLES)(doctor.doctor)
app.command("serve", rich_help_panel=_HOST, epilog=serve.EXAMPLES)(serve.serve)


@app.command("stop-serve", rich_help_panel=_HOST, epilog=options.examples("dockyard stop-serve"))
def stop_serve() -> None:
    """End the running server, as 'serve --stop' does; machines go on running."""
    serve.end()


def main() -> None:
    """Run the program with this process's arguments, and end it."""
    # A CI system that gives up sends SIGTERM; what Ctrl-C takes back has to be taken back then too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; nothing is raised."""
    try:
        typer.main.get_command(app).main(args=list(arguments), prog_name="dockyard")
    except SystemExit as ending:
        return _code_of(ending)
    except DockyardError as error:
        errors.show(error)
        return exit_code(error)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the entry point: no traceback reaches a user
        errors.show_unforeseen(error, paths=Paths.default())
        return ExitCode.FAILED
    return ExitCode.OK


def _code_of(ending: SystemExit) -> int:
    if ending.code is None:
        return ExitCode.OK
    return ending.code if isinstance(ending.code, int) else ExitCode.FAILED

"""``dockyard vm run-command``: scripts run in a machine through its agent, without a login."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from dockyard.cli import inputs, listings, options, output
from dockyard.cli.exit_codes import ExitCode
from dockyard.cli.output import Format
from dockyard.cli.session import open_session
from dockyard.client import run_commands
from dockyard.client.names import DEFAULT_GROUP, MachineName
from dockyard.client.run_commands import Follower, RunRequest, RunView
from dockyard.client.text import printable
from dockyard.client.views import Document
from dockyard.model.errors import DeadlineExceeded, DockyardError, InvalidRequest, OperationFailed
from dockyard.model.resource_id import check_resource_name

if TYPE_CHECKING:
    from dockyard.client.connection import Connection

app = typer.Typer(help="Scripts run in virtual machines, without a login.", no_args_is_help=True)
HEADERS = ("NAME", "STATE", "EXIT CODE", "MESSAGE")
_FIRST_INSTALL_SECONDS = 120.0

Name = Annotated[str, typer.Argument(metavar="RUN-COMMAND", help="The run command's name.", show_default=False)]
Script = Annotated[
    str, typer.Option("--script", "-s", metavar="TEXT|@FILE|-", help="The script: its text, a file, standard input.")
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--parameters",
        "-p",
        metavar="NAME=VALUE|VALUE",
        help="One with a name is a variable of the script's environment, one without an argument. Repeatable.",
    ),
]
Protected = Annotated[
    list[str] | None,
    typer.Option(
        "--protected-parameters",
        metavar="NAME=@FILE|NAME=-|NAME=VALUE",
        help="A secret variable: encrypted, never shown. Repeatable.",
    ),
]
RunAs = Annotated[str | None, typer.Option("--run-as", metavar="USER", help="Whom the script runs as. Default: root.")]
Limit = Annotated[int, typer.Option("--timeout", metavar="SECONDS", min=1, help="After these the script is killed.")]


@app.command(
    "invoke",
    epilog=options.examples(
        "dockyard vm run-command invoke web --script 'uptime; df -h'",
        "dockyard vm run-command invoke web --script @check.sh -p level=2 -p /var/lib",
        "dockyard vm run-command invoke web --run-as dockyard --script - < upgrade.sh",
    ),
)
def invoke(
    *,
    vm: options.VirtualMachine,
    script: Script,
    parameters: Parameters = None,
    protected_parameters: Protected = None,
    run_as: RunAs = None,
    timeout: Limit = 5400,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
) -> None:
    """Run a script and print what it writes, as it writes it; its exit code is passed on.

    Ctrl-C ends the script too. A script killed at its time limit is exit code 6.
    """
    request = RunRequest(
        machine=MachineName.checked(resource_group=resource_group, name=vm),
        name=run_commands.fresh_name(),
        script=_script(script),
        parameters=parameters or [],
        protected_parameters=_protected(protected_parameters),
        run_as=run_as,
        timeout=timeout,
    )
    connection = open_session().connection
    try:
        seen = _run(connection, request, timeout=timeout)
    except KeyboardInterrupt:
        _forget(connection, request)
        output.note("\nInterrupted. The script is being ended.")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    _forget(connection, request)
    _judge(seen, timeout=timeout)


@app.command(
    "create",
    epilog=options.examples(
        "dockyard vm run-command create web --name upgrade --script @upgrade.sh --async",
        "dockyard vm run-command create web --name check --script 'test -f /etc/ready' --fail-on-error",
    ),
)
def create(
    *,
    vm: options.VirtualMachine,
    name: Annotated[str, typer.Option("--name", "-n", metavar="RUN-COMMAND", help="What it is to be called.")],
    script: Script,
    parameters: Parameters = None,
    protected_parameters: Protected = None,
    run_as: RunAs = None,
    timeout: Limit = 5400,
    is_async: Annotated[bool, typer.Option("--async", help="Return when the script has begun.")] = False,
    failure_counts: Annotated[
        bool, typer.Option("--fail-on-error", help="Count a script that fails as a failure.")
    ] = False,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    no_wait: options.NoWait = False,
    form: options.Output = Format.TABLE,
) -> None:
    """Run a script under a name, which keeps its state and the end of its output; one that runs is ended first."""
    request = RunRequest(
        machine=MachineName.checked(resource_group=resource_group, name=vm),
        name=check_resource_name(name, what="run command"),
        script=_script(script),
        parameters=parameters or [],
        protected_parameters=_protected(protected_parameters),
        run_as=run_as,
        timeout=timeout,
        is_async=is_async,
        failure_counts=failure_counts,
    )
    connection = open_session().connection
    operation = run_commands.put(connection, request)
    if not no_wait:
        operation.wait(deadline=timeout + _FIRST_INSTALL_SECONDS)
    _show(run_commands.get(connection, request.machine, name=name), form=form)


@app.command("list", epilog=options.examples("dockyard vm run-command list web"))
def list_(
    *,
    vm: options.VirtualMachine,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    quiet: options.Quiet = False,
    form: options.Output = Format.TABLE,
) -> None:
    """List a machine's run commands with how far they have come."""
    machine = MachineName.checked(resource_group=resource_group, name=vm)
    documents = run_commands.list_all(open_session().connection, machine)
    listings.say_documents(documents, headers=HEADERS, row=_row, quiet=quiet, form=form)


@app.command("show", epilog=options.examples("dockyard vm run-command show web upgrade"))
def show(
    *,
    vm: options.VirtualMachine,
    name: Name,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    form: options.Output = Format.TABLE,
) -> None:
    """Show one run command: how far it has come, and the end of its output."""
    machine = MachineName.checked(resource_group=resource_group, name=vm)
    _show(run_commands.get(open_session().connection, machine, name=name), form=form)


@app.command("delete", epilog=options.examples("dockyard vm run-command delete web upgrade"))
def delete(
    *,
    vm: options.VirtualMachine,
    name: Name,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    no_wait: options.NoWait = False,
    timeout: options.Timeout = 300,
) -> None:
    """Forget a run command, with what it kept in the machine; a script that runs is ended."""
    machine = MachineName.checked(resource_group=resource_group, name=vm)
    connection = open_session().connection
    run_commands.get(connection, machine, name=name)
    operation = run_commands.delete(connection, machine, name=name)
    if not no_wait:
        operation.wait(deadline=timeout)
        output.note(f"Run command '{name}' of {machine} is deleted.")


def _run(connection: Connection, request: RunRequest, *, timeout: int) -> RunView:
    operation = run_commands.put(connection, request)
    return run_commands.follow(
        connection,
        request,
        operation,
        out=Follower(_writer(sys.stdout), missed=_missed),
        err=Follower(_writer(sys.stderr), missed=_missed),
        deadline=timeout + _FIRST_INSTALL_SECONDS,
    )


def _forget(connection: Connection, request: RunRequest) -> None:
    """Begin to take the run command away; what keeps it from going is no failure of the script."""
    with contextlib.suppress(DockyardError):
        run_commands.delete(connection, request.machine, name=request.name)


def _judge(seen: RunView, *, timeout: int) -> None:
    """End as the script ended. Raises DeadlineExceeded when it was killed at its limit."""
    if seen.state == "TimedOut":
        raise DeadlineExceeded(
            f"The script did not end within {timeout} s",
            details="It was killed with all it had started.",
            resolution="Give it more with --timeout.",
        )
    if seen.state == "Failed" and seen.exit_code > 0:
        raise typer.Exit(seen.exit_code)
    if seen.state != "Succeeded":
        raise OperationFailed("The script did not run to its end", details=seen.message)


def _script(text: str) -> str:
    script = inputs.content(text, option="--script")
    if not script.strip():
        raise InvalidRequest("--script: there is nothing to run")
    return script


def _protected(texts: list[str] | None) -> list[str]:
    found = []
    for text in texts or []:
        name, mark, value = text.partition("=")
        if not mark or not name.isidentifier():
            raise InvalidRequest(
                "--protected-parameters: a secret parameter needs a name",
                resolution="Write it as NAME=@FILE; everybody on the machine could see an argument.",
            )
        found.append(f"{name}={inputs.content(value, option='--protected-parameters').rstrip(chr(10))}")
    return found


def _writer(stream: TextIO) -> Callable[[str], None]:
    """Write to a stream at once: as it is for a program, fit for a terminal in front of a person."""
    shown = printable if stream.isatty() else str

    def write(text: str) -> None:
        stream.write(shown(text))
        stream.flush()

    return write


def _missed(count: int) -> None:
    output.note(f"… {count} characters of the output came too fast to be shown; the machine keeps them …")


def _row(document: Document) -> tuple[str, ...]:
    seen = run_commands.view(document)
    code = str(seen.exit_code) if seen.is_final else ""
    return (str(document.get("name", "")), seen.state.lower(), code, seen.message)


def _show(document: Document, *, form: Format) -> None:
    if listings.say_alone(document, headers=HEADERS, row=_row, form=form):
        return
    seen = run_commands.view(document)
    titles = ("Name", "State", "Exit code", "Message")
    output.say_fields([*zip(titles, _row(document), strict=True), ("Output", seen.output), ("Errors", seen.error)])

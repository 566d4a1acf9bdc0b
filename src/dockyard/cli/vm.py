"""``dockyard vm``: virtual machines from creation to deletion."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated

import typer

from dockyard.cli import (
    creation,
    deletion,
    options,
    output,
    power,
    summaries,
    vm_change,
    vm_create,
    vm_diagnose,
    vm_disk,
    vm_docker,
    vm_extension,
    vm_ports,
    vm_run_command,
    vm_user,
)
from dockyard.cli.exit_codes import ExitCode
from dockyard.cli.output import Format
from dockyard.cli.session import Session, open_session
from dockyard.client import certificates, processes, ssh, virtual_machines, waiting
from dockyard.client import text as texts
from dockyard.client.names import DEFAULT_GROUP, MachineName
from dockyard.client.views import MachineView
from dockyard.model.errors import InvalidRequest

app = typer.Typer(help="Virtual machines.", no_args_is_help=True)
_LIFE = "Life"
_LOOK = "Look"
_ENTER = "Enter"
_PARTS = "Parts"

app.command("resize", rich_help_panel=_LIFE, epilog=vm_change.RESIZE_EXAMPLES)(vm_change.resize)
app.command("deallocate", rich_help_panel=_LIFE, epilog=vm_change.DEALLOCATE_EXAMPLES)(vm_change.deallocate)
app.command("redeploy", rich_help_panel=_LIFE, epilog=vm_change.REDEPLOY_EXAMPLES)(vm_change.redeploy)
app.command("create", rich_help_panel=_LIFE, epilog=vm_create.EXAMPLES)(vm_create.create)
app.command("open-port", rich_help_panel=_ENTER, epilog=vm_ports.OPEN_EXAMPLES)(vm_ports.open_port)
app.command("close-port", rich_help_panel=_ENTER, epilog=vm_ports.CLOSE_EXAMPLES)(vm_ports.close_port)
app.command("diagnose", rich_help_panel=_LOOK, epilog=vm_diagnose.EXAMPLES)(vm_diagnose.diagnose)
app.add_typer(vm_disk.app, name="disk", rich_help_panel=_PARTS)
app.add_typer(vm_docker.app, name="docker", rich_help_panel=_PARTS)
app.add_typer(vm_extension.app, name="extension", rich_help_panel=_PARTS)
app.add_typer(vm_run_command.app, name="run-command", rich_help_panel=_PARTS)
app.add_typer(vm_user.app, name="user", rich_help_panel=_PARTS)


@app.command(
    "list",
    rich_help_panel=_LOOK,
    epilog=options.examples("dockyard vm list", "dockyard vm list --output json", "dockyard vm list -q | sort"),
)
def list_(
    *,
    resource_group: Annotated[
        str | None, typer.Option("--resource-group", "-g", metavar="GROUP", help="Only this group's machines.")
    ] = None,
    quiet: options.Quiet = False,
    form: options.Output = Format.TABLE,
) -> None:
    """List virtual machines with their state, their Docker endpoint and the days their certificates have left."""
    session = open_session()
    found = virtual_machines.list_all(session.connection, resource_group=resource_group)
    if quiet:
        for view in found:
            output.say(view.id.name)
    elif form is Format.JSON:
        output.say_json([view.document for view in found])
    else:
        now = waiting.now()
        rows = [summaries.list_row(view, expires=_expires(session, view), now=now) for view in found]
        output.say_rows(summaries.LIST_HEADERS, rows, form=form)


@app.command(
    "show",
    rich_help_panel=_LOOK,
    epilog=options.examples("dockyard vm show web", "dockyard vm show web --output json | jq .properties.instanceView"),
)
def show(
    *,
    name: options.VirtualMachine,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    form: options.Output = Format.TABLE,
) -> None:
    """Show one machine: its state, its agent, its extensions. JSON is the ARM document with the instance view."""
    machine = MachineName.checked(resource_group=resource_group, name=name)
    session = open_session()
    view = virtual_machines.get(session.connection, machine)
    if form is Format.JSON:
        output.say_json(view.document)
        return
    fields = [field for field in summaries.fields(view, expires=_expires(session, view), now=waiting.now()) if field[1]]
    if form is Format.TSV:
        output.say_rows(("FIELD", "VALUE"), fields, form=form)
    else:
        output.say_fields(fields)


@app.command("start", rich_help_panel=_LIFE, epilog=options.examples("dockyard vm start web"))
def start(
    *,
    name: options.VirtualMachine,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    no_wait: options.NoWait = False,
    timeout: options.Timeout = 900,
) -> None:
    """Start a machine that is stopped."""
    power.boot(
        group=resource_group,
        name=name,
        begin=virtual_machines.start,
        wait=not no_wait,
        deadline=timeout,
        done="started",
    )


@app.command(
    "stop",
    rich_help_panel=_LIFE,
    epilog=options.examples("dockyard vm stop web", "dockyard vm stop web --skip-shutdown"),
)
def stop(
    *,
    name: options.VirtualMachine,
    skip_shutdown: Annotated[
        bool, typer.Option("--skip-shutdown", help="Pull the plug instead of asking the guest to shut down.")
    ] = False,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    no_wait: options.NoWait = False,
    timeout: options.Timeout = 300,
) -> None:
    """Stop a machine; its disk stays."""
    power.shutdown(
        group=resource_group,
        name=name,
        begin=partial(virtual_machines.stop, skip_shutdown=skip_shutdown),
        wait=not no_wait,
        deadline=timeout,
        done="stopped",
    )


@app.command("restart", rich_help_panel=_LIFE, epilog=options.examples("dockyard vm restart web"))
def restart(
    *,
    name: options.VirtualMachine,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    no_wait: options.NoWait = False,
    timeout: options.Timeout = 900,
) -> None:
    """Restart a machine."""
    power.boot(
        group=resource_group,
        name=name,
        begin=virtual_machines.restart,
        wait=not no_wait,
        deadline=timeout,
        done="restarted",
    )


@app.command(
    "wait",
    rich_help_panel=_LIFE,
    epilog=options.examples(
        "dockyard vm wait web", "dockyard vm wait web --timeout 60", "dockyard vm wait web --deleted"
    ),
)
def wait(
    *,
    name: options.VirtualMachine,
    deleted: Annotated[bool, typer.Option("--deleted", help="Wait until the machine is gone.")] = False,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    timeout: options.Timeout = 1800,
    form: options.Output = Format.TABLE,
) -> None:
    """Follow a creation to its end: machine, Docker extension, endpoint, context."""
    machine = MachineName.checked(resource_group=resource_group, name=name)
    session = open_session()
    try:
        if deleted:
            _wait_until_gone(session, machine, timeout=timeout)
        else:
            vm_create.show_finished(creation.resume(session, machine, deadline=timeout), form=form)
    except KeyboardInterrupt:
        output.note("\nInterrupted. The server goes on with its work.")
        raise typer.Exit(ExitCode.INTERRUPTED) from None


@app.command(
    "delete",
    rich_help_panel=_LIFE,
    epilog=options.examples(
        "dockyard vm delete web", "dockyard vm delete web db --yes", "dockyard vm delete --all --yes"
    ),
)
def delete(
    *,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="The virtual machines.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Delete every machine of the group.")] = False,
    yes: options.Yes = False,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    no_wait: options.NoWait = False,
    timeout: options.Timeout = 300,
) -> None:
    """Delete machines with their disks, extensions, certificates and Docker contexts."""
    if bool(names) == everything:
        raise InvalidRequest("Name the machines to delete, or give --all", resolution="One of the two, not both.")
    wanted = [MachineName.checked(resource_group=resource_group, name=name) for name in names or []]
    session = open_session()
    chosen = deletion.choose(session, wanted, resource_group=resource_group)
    if not chosen:
        output.note("There are no machines.")
        return
    if not deletion.agreed(chosen, yes=yes):
        output.note("Nothing was deleted.")
        raise typer.Exit(ExitCode.FAILED)
    deletion.delete(session, chosen, no_wait=no_wait, timeout=timeout)


@app.command(
    "ssh",
    rich_help_panel=_ENTER,
    epilog=options.examples(
        "dockyard vm ssh web", "dockyard vm ssh web -- docker ps", "dockyard vm ssh web -- -L 8080:localhost:80"
    ),
)
def ssh_(
    *,
    name: options.VirtualMachine,
    command: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND", help="What to run there instead of a shell.")
    ] = None,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
) -> None:
    """Log in to a machine by SSH, or run one command there; its exit code is passed on."""
    machine = MachineName.checked(resource_group=resource_group, name=name)
    session = open_session()
    view = virtual_machines.get(session.connection, machine)
    processes.become(ssh.command(session.paths, view, home=session.home, remote=command or []))


@app.command(
    "console",
    rich_help_panel=_LOOK,
    epilog=options.examples(
        "dockyard vm console web", "dockyard vm console web --lines 50", "dockyard vm console web --follow"
    ),
)
def console(
    *,
    name: options.VirtualMachine,
    lines: Annotated[int | None, typer.Option("--lines", "-n", min=1, help="Only the last lines.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
) -> None:
    """Print what a machine has written to its serial console."""
    machine = MachineName.checked(resource_group=resource_group, name=name)
    session = open_session()
    log = virtual_machines.console_log(session.connection, machine)
    for line in texts.last_lines(log, count=lines) if lines else texts.printable(log).splitlines():
        output.say(line)
    if follow:
        _follow_console(session, machine, seen=len(log))


def _follow_console(session: Session, machine: MachineName, *, seen: int) -> None:
    while True:
        waiting.pause(1)
        log = virtual_machines.console_log(session.connection, machine)
        output.say_part(log[seen:] if len(log) >= seen else log)
        seen = len(log)


def _wait_until_gone(session: Session, machine: MachineName, *, timeout: float) -> None:
    waiting.until(
        lambda: None if virtual_machines.find(session.connection, machine) else True,
        what=f"machine {machine} to be gone",
        deadline=timeout,
        every=0.5,
    )


def _expires(session: Session, view: MachineView) -> datetime | None:
    return certificates.expires_at(certificates.folder_of(session.paths, view.id))

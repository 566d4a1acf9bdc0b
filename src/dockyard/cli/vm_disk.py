"""``dockyard vm disk``: data disks of machines, which come and go while a machine runs."""

from __future__ import annotations

from typing import Annotated

import typer

from dockyard.cli import listings, options, output
from dockyard.cli.exit_codes import ExitCode
from dockyard.cli.output import Format
from dockyard.cli.session import open_session
from dockyard.client import disks
from dockyard.client.names import DEFAULT_GROUP, MachineName
from dockyard.client.views import Document
from dockyard.model.errors import InvalidRequest

app = typer.Typer(help="Data disks of virtual machines, attached and detached while they run.", no_args_is_help=True)
HEADERS = ("LUN", "NAME", "GIB", "STATE", "IN THE MACHINE")

Disk = Annotated[str, typer.Option("--name", "-n", metavar="DISK", help="The disk.")]


@app.command("list", epilog=options.examples("dockyard vm disk list web"))
def list_(
    *,
    vm: options.VirtualMachine,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    quiet: options.Quiet = False,
    form: options.Output = Format.TABLE,
) -> None:
    """List the data disks of a machine, those that are detached last."""
    machine = MachineName.checked(resource_group=resource_group, name=vm)
    found = disks.list_all(open_session().connection, machine)
    listings.say_documents(found, headers=HEADERS, row=_row, quiet=quiet, form=form)


@app.command(
    "attach",
    epilog=options.examples(
        "dockyard vm disk attach web --size-gib 20",
        "dockyard vm disk attach web --size-gib 20 --name pictures --lun 3",
        "dockyard vm disk attach web --name pictures",
    ),
)
def attach(
    *,
    vm: options.VirtualMachine,
    size_gib: Annotated[
        int | None, typer.Option("--size-gib", metavar="GIB", min=1, help="Make a new, empty disk of this size.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", "-n", metavar="DISK", help="A detached disk of the machine, or the new one's name."),
    ] = None,
    lun: Annotated[
        int | None, typer.Option("--lun", metavar="NUMBER", min=0, help="Its number. Default: the first that is free.")
    ] = None,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    timeout: options.Timeout = 120,
) -> None:
    """Give a machine a new disk with --size-gib, or one back that was detached; a machine that runs has it at once."""
    if size_gib is None and name is None:
        raise InvalidRequest("No disk is named", resolution="Give --size-gib for a new one, --name for a detached one.")
    machine = MachineName.checked(resource_group=resource_group, name=vm)
    connection = open_session().connection
    operation, place = disks.attach(connection, machine, size_gib=size_gib, disk=name, lun=lun)
    operation.wait(deadline=timeout)
    output.note(f"The disk is {_path(place)} in {machine}.")


@app.command("detach", epilog=options.examples("dockyard vm disk detach web --name web_DataDisk_0"))
def detach(
    *,
    vm: options.VirtualMachine,
    name: Disk,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    timeout: options.Timeout = 120,
) -> None:
    """Take a disk from a machine and keep it with what is on it. Unmount it in the machine first."""
    machine = MachineName.checked(resource_group=resource_group, name=vm)
    disks.detach(open_session().connection, machine, disk=name).wait(deadline=timeout)
    output.note(f"The disk {name} is detached from {machine} and kept.")


@app.command("delete", epilog=options.examples("dockyard vm disk delete web --name web_DataDisk_0"))
def delete(
    *,
    vm: options.VirtualMachine,
    name: Disk,
    yes: options.Yes = False,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    timeout: options.Timeout = 120,
) -> None:
    """Delete a detached disk and what is on it."""
    machine = MachineName.checked(resource_group=resource_group, name=vm)
    question = f"Delete the disk {name} of {machine} and what is on it?"
    if not output.agreed(question, doing=f"Deleting {name}", yes=yes):
        output.note("Nothing was deleted.")
        raise typer.Exit(ExitCode.FAILED)
    disks.delete(open_session().connection, machine, disk=name).wait(deadline=timeout)
    output.note(f"The disk {name} is gone.")


def _row(disk: Document) -> tuple[str, ...]:
    lun = disk.get("lun")
    properties = disk["properties"]
    place = "" if lun is None else _path(lun)
    return (
        "" if lun is None else str(lun),
        disk["name"],
        str(properties["diskSizeGB"]),
        properties["diskState"],
        place,
    )


def _path(lun: int) -> str:
    return f"/dev/disk/azure/scsi1/lun{lun}"

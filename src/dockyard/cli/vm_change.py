"""``dockyard vm resize``, ``deallocate`` and ``redeploy``: what a machine is made of, and where it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from dockyard.cli import inputs, options, output, power
from dockyard.cli.session import open_session
from dockyard.client import virtual_machines
from dockyard.client.names import DEFAULT_GROUP, MachineName
from dockyard.model.errors import InvalidRequest

RESIZE_EXAMPLES = options.examples("dockyard vm resize web --size Standard_B2s", "dockyard vm resize web --memory 4G")
DEALLOCATE_EXAMPLES = options.examples("dockyard vm deallocate web")
REDEPLOY_EXAMPLES = options.examples("dockyard vm redeploy web")


def resize(
    *,
    name: options.VirtualMachine,
    size: Annotated[str | None, typer.Option("--size", metavar="SIZE", help="A size by Azure's name.")] = None,
    cpus: Annotated[int | None, typer.Option("--cpus", min=1, max=64, help="Processors. Default: as now.")] = None,
    memory: Annotated[
        str | None, typer.Option("--memory", metavar="MIB", help="Memory in MiB, or with M or G. Default: as now.")
    ] = None,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    no_wait: options.NoWait = False,
    timeout: options.Timeout = 900,
) -> None:
    """Give a machine another size. One that runs is restarted; one that is stopped has it at its next start."""
    if size is None and cpus is None and memory is None:
        raise InvalidRequest("Nothing to change is named", resolution="Give --size, or --cpus, --memory or both.")
    machine = MachineName.checked(resource_group=resource_group, name=name)
    inputs.size(name=size, cpus=cpus, memory=memory)
    session = open_session()
    if size is None and (cpus is None or memory is None):
        present = inputs.measures(virtual_machines.get(session.connection, machine).size)
        cpus, memory = cpus or present[0], memory or str(present[1])
    wanted = inputs.size(name=size, cpus=cpus, memory=memory)
    operation = virtual_machines.resize(session.connection, machine, size=wanted)
    if not no_wait:
        power.follow_boot(session, machine, operation, deadline=timeout)
        output.note(f"{machine} has the size {wanted}.")


def deallocate(
    *,
    name: options.VirtualMachine,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    no_wait: options.NoWait = False,
    timeout: options.Timeout = 300,
) -> None:
    """Stop a machine and show it as deallocated, as Azure does with one that costs nothing; its disks stay."""
    power.shutdown(
        group=resource_group,
        name=name,
        begin=virtual_machines.deallocate,
        wait=not no_wait,
        deadline=timeout,
        done="deallocated",
    )


def redeploy(
    *,
    name: options.VirtualMachine,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    no_wait: options.NoWait = False,
    timeout: options.Timeout = 900,
) -> None:
    """Cut a machine's power and start it in a new process: for one that hangs."""
    power.boot(
        group=resource_group,
        name=name,
        begin=virtual_machines.redeploy,
        wait=not no_wait,
        deadline=timeout,
        done="redeployed",
    )

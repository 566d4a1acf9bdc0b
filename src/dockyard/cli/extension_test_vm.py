"""The machine of ``dockyard extension test``: one that runs already, or one that is made and deleted at the end."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import typer

from dockyard.authoring.machine import runner
from dockyard.authoring.machine.arm import Place
from dockyard.authoring.machine.runner import MachineOptions
from dockyard.authoring.observations import Observations
from dockyard.authoring.package import Package
from dockyard.authoring.settings import Given
from dockyard.cli import inputs, output
from dockyard.cli.exit_codes import ExitCode
from dockyard.cli.session import Session, open_session
from dockyard.client import ssh, virtual_machines
from dockyard.client.names import MachineName
from dockyard.client.virtual_machines import MachineRequest
from dockyard.model.errors import Conflict, DockyardError
from dockyard.model.provisioning import PowerState

_DISK_GIB = 10
_DELETE_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which machine: ``vm`` names one that runs; without it one is made of ``image`` within ``deadline`` seconds."""

    vm: str | None
    resource_group: str
    image: str
    deadline: float


def run(package: Package, given: Given, chosen: MachineOptions, choice: Choice) -> Observations:
    """Test a package in a machine; on Ctrl-C as well everything that was made for it is taken back."""
    unfit = runner.can_run(package)
    if unfit is not None:
        return unfit
    session = open_session()
    try:
        with _machine(session, choice) as name:
            output.note(f"Testing {package.handler} {package.version} in {name}.")
            place = Place(session.connection, session.paths, session.home, name)
            return runner.run(place, package, given, chosen, tell=_tell)
    except KeyboardInterrupt:
        output.note("\nInterrupted. What was made for the test is taken back.")
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _tell(step: str) -> None:
    output.note(f"  {step}")


@contextlib.contextmanager
def _machine(session: Session, choice: Choice) -> Iterator[MachineName]:
    if choice.vm is not None:
        yield _running(session, MachineName.checked(resource_group=choice.resource_group, name=choice.vm))
        return
    name = MachineName.checked(resource_group=choice.resource_group, name=f"test-{secrets.token_hex(4)}")
    request = MachineRequest(
        id=name,
        image=virtual_machines.image_reference(choice.image),
        size=inputs.size(name=None, cpus=None, memory=None),
        disk_gib=_DISK_GIB,
        admin_username="dockyard",
        ssh_public_key=ssh.public_key(session.paths, given=None, home=session.home).line,
    )
    output.note(f"Making the machine {name} of {choice.image}.")
    try:
        virtual_machines.create(session.connection, request).wait(deadline=choice.deadline)
        yield name
    finally:
        _delete(session, name)


def _running(session: Session, name: MachineName) -> MachineName:
    view = virtual_machines.get(session.connection, name)
    if view.power is not PowerState.RUNNING:
        raise Conflict(
            f"{view.id} does not run",
            resolution=f"'dockyard vm start {name.name}' starts it.",
            code="OperationNotAllowed",
        )
    return view.id


def _delete(session: Session, name: MachineName) -> None:
    try:
        view = virtual_machines.find(session.connection, name)
        virtual_machines.delete(session.connection, name).wait(deadline=_DELETE_SECONDS)
        ssh.forget(session.paths, view.vm_id if view else "")
    except DockyardError as error:
        output.warn(f"The machine {name} is still there: {error.brief}. 'dockyard vm delete {name.name}' removes it.")

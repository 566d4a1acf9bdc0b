"""How machines are deleted, and what this host kept of them goes too: the flow behind ``vm delete``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dockyard.cli import output
from dockyard.cli.session import Session
from dockyard.client import certificates, docker_context, ssh, virtual_machines
from dockyard.client.docker_context import Outcome
from dockyard.client.names import MachineName
from dockyard.client.operations import Operation
from dockyard.model.errors import DockyardError, NotFound


@dataclass(frozen=True)
class Chosen:
    """A machine to delete. ``vm_id`` is empty when only this host's leftovers of it are there."""

    name: MachineName
    vm_id: str


def choose(session: Session, wanted: Sequence[MachineName], *, resource_group: str) -> list[Chosen]:
    """Return what is to be deleted: the named machines, or all of the group when none is named.

    Raises:
        NotFound: a named machine does not exist, neither at the server nor as leftovers here. Nothing was deleted.
    """
    if not wanted:
        views = virtual_machines.list_all(session.connection, resource_group=resource_group)
        return [Chosen(view.id, view.vm_id) for view in views]
    return [_chosen(session, name) for name in wanted]


def agreed(chosen: Sequence[Chosen], *, yes: bool) -> bool:
    """Whether the user wants it. Raises InvalidRequest where nobody can be asked."""
    names = ", ".join(item.name.name for item in chosen)
    return output.agreed(f"Delete {names} with all data?", doing=f"Deleting {names}", yes=yes)


def delete(session: Session, chosen: Sequence[Chosen], *, no_wait: bool, timeout: float) -> None:
    """Delete machines, all at once, and what this host kept of each. Raises the first failure after trying all."""
    begun: list[tuple[Chosen, Operation]] = []
    failures: list[DockyardError] = []
    for item in chosen:
        try:
            begun.append((item, virtual_machines.delete(session.connection, item.name)))
        except DockyardError as error:
            failures.append(error)
    for item, operation in begun:
        try:
            _end(session, item, operation, no_wait=no_wait, timeout=timeout)
        except DockyardError as error:
            failures.append(error)
    if failures:
        raise failures[0]


def _end(session: Session, item: Chosen, operation: Operation, *, no_wait: bool, timeout: float) -> None:
    if not no_wait:
        operation.wait(deadline=timeout)
    forget(session, item)
    output.note(f"{item.name} is {'being deleted' if no_wait else 'deleted'}.")


def forget(session: Session, item: Chosen) -> None:
    """Remove Docker context, certificates and host keys of a machine."""
    folder = certificates.folder_of(session.paths, item.name)
    context = docker_context.remove(item.name, folder=folder)
    if context.outcome is Outcome.FAILED:
        output.warn(context.note)
    certificates.remove(folder)
    ssh.forget(session.paths, item.vm_id)


def _chosen(session: Session, name: MachineName) -> Chosen:
    try:
        return Chosen(name, virtual_machines.get(session.connection, name).vm_id)
    except NotFound:
        if certificates.folder_of(session.paths, name).path.is_dir():
            return Chosen(name, "")
        raise

"""Disks as resources of their own. They are kept with their machine; called by the ARM API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dockyard.fabric.ports import Store
from dockyard.fabric.updating import Updating
from dockyard.model.disk import DataDisk
from dockyard.model.errors import Conflict, NotFound
from dockyard.model.operation import Operation
from dockyard.model.resource_id import DISKS, ResourceId
from dockyard.model.virtual_machine import VirtualMachine


@dataclass(frozen=True)
class DiskView:
    """One disk with its machine; ``data`` is None for the disk the machine boots from."""

    id: ResourceId
    machine: VirtualMachine
    data: DataDisk | None


class Disks:
    """Look at disks, and delete those that are detached."""

    def __init__(self, *, store: Store, updating: Updating) -> None:
        self._store = store
        self._updating = updating

    def list(self, *, resource_group: str | None = None) -> Sequence[DiskView]:
        """Return the disks, of one group or of all, by machine."""
        group = None if resource_group is None else resource_group.lower()
        machines = self._store.virtual_machines()
        return [
            view
            for machine in machines
            if group in (None, machine.id.resource_group.lower())
            for view in _views(machine)
        ]

    def get(self, *, id: ResourceId) -> DiskView:
        """Return one disk. Raises NotFound."""
        found = self._find(id)
        if found is None:
            raise NotFound(
                f"The Resource 'Microsoft.Compute/disks/{id.name}' under resource group '{id.resource_group}'"
                " was not found"
            )
        return found

    def delete(self, *, id: ResourceId) -> Operation | None:
        """Begin to delete a disk that is detached; None when there is none. Raises Conflict when it is attached."""
        found = self._find(id)
        if found is None:
            return None
        if found.data is None:
            raise Conflict(
                f"Disk {id.name} is attached to VM {found.machine.id}",
                resolution="It goes with its machine.",
                code="OperationNotAllowed",
            )
        return self._updating.delete_disk(found.machine, disk=found.data)

    def _find(self, id: ResourceId) -> DiskView | None:
        return next((view for view in self.list(resource_group=id.resource_group) if view.id.key == id.key), None)


def _views(machine: VirtualMachine) -> Iterator[DiskView]:
    def named(name: str) -> ResourceId:
        return replace(machine.id, type=DISKS, names=(name,))

    yield DiskView(named(machine.os_disk_name), machine, None)
    for disk in machine.data_disks:
        yield DiskView(named(disk.name), machine, disk)

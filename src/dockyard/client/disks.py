"""Data disks of machines over ARM: attached and detached by a change of the machine, as ``az vm disk`` does it.

Called by the CLI. Every function raises only ``dockyard.model.errors``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dockyard.client import virtual_machines
from dockyard.client.names import MachineName
from dockyard.client.operations import Operation
from dockyard.client.views import Document
from dockyard.model.errors import NotFound

if TYPE_CHECKING:
    from dockyard.client.connection import Connection

MACHINE_TAG = "dockyard-machine"


def list_all(connection: Connection, name: MachineName) -> list[Document]:
    """Return the data disks of a machine as ARM shows managed disks, detached ones last. Raises NotFound.

    Those that are attached have a ``lun`` beside what ARM says.
    """
    luns = {str(each["name"]): each["lun"] for each in _attached(connection, name)}
    with connection.mapped():
        found = [disk.as_dict() for disk in connection.compute.disks.list_by_resource_group(name.resource_group)]
    own = [{**disk, "lun": luns[disk["name"]]} for disk in found if disk["name"] in luns]
    detached = [disk for disk in found if (disk.get("tags") or {}).get(MACHINE_TAG, "").lower() == name.name.lower()]
    return [*sorted(own, key=lambda disk: int(disk["lun"])), *detached]


def attach(
    connection: Connection, name: MachineName, *, size_gib: int | None, disk: str | None, lun: int | None
) -> tuple[Operation, int]:
    """Begin to attach a disk; return its lun as well.

    Args:
        connection: the way to ARM.
        name: the machine.
        size_gib: how large a new disk is; None attaches one that was detached.
        disk: the name of that one, or the new one's; None lets the server name the new one.
        lun: where it is to be; None takes the first that is free.

    Raises:
        NotFound: no such machine, or no such disk of it.
        Conflict: its size has room for no more, or the name or the machine is taken.
        InvalidRequest: the lun is taken or there is none such.
    """
    present = _attached(connection, name)
    taken = {int(each["lun"]) for each in present}
    place = lun if lun is not None else next(free for free in range(len(taken) + 1) if free not in taken)
    wanted: dict[str, Any] = {"lun": place, "createOption": "Attach" if size_gib is None else "Empty"}
    if disk is not None:
        wanted["name"] = disk
    if size_gib is not None:
        wanted["diskSizeGB"] = size_gib
    return _change(connection, name, disks=[*present, wanted], what=f"Attaching a disk to {name}"), place


def detach(connection: Connection, name: MachineName, *, disk: str) -> Operation:
    """Begin to detach a disk, which is kept. Raises NotFound, Conflict."""
    present = _attached(connection, name)
    left = [each for each in present if each["name"].lower() != disk.lower()]
    if len(left) == len(present):
        raise _not_attached(name, disk=disk, present=present)
    return _change(connection, name, disks=left, what=f"Detaching {disk} from {name}")


def delete(connection: Connection, name: MachineName, *, disk: str) -> Operation:
    """Begin to delete a disk of a machine that is detached. Raises NotFound, Conflict when it is attached."""
    present = list_all(connection, name)
    if not any(each["name"].lower() == disk.lower() for each in present):
        raise _not_attached(name, disk=disk, present=present)
    disks = connection.compute.disks
    return Operation(
        connection, begin=lambda: disks.begin_delete(name.resource_group, disk), what=f"Deleting the disk {disk}"
    )


def _attached(connection: Connection, name: MachineName) -> list[Any]:
    machine = virtual_machines.get(connection, name)
    return list(machine.document["properties"]["storageProfile"].get("dataDisks") or ())


def _change(connection: Connection, name: MachineName, *, disks: list[Any], what: str) -> Operation:
    body: Any = {"properties": {"storageProfile": {"dataDisks": disks}}}
    machines = connection.compute.virtual_machines
    return Operation(connection, begin=lambda: machines.begin_update(name.resource_group, name.name, body), what=what)


def _not_attached(name: MachineName, *, disk: str, present: list[Any]) -> NotFound:
    names = ", ".join(str(each["name"]) for each in present)
    return NotFound(
        f"{name} has no data disk '{disk}'",
        details=f"It has: {names}." if names else "It has none.",
        code="DiskNotFound",
    )

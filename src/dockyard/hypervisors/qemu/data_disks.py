"""Data disks as QEMU knows them, in its command line and on its monitor. Pure: plans, and what they are made of.

Called by ``argv`` and ``driver``. A disk's logical unit number on the one SCSI controller is the request's ``lun``,
as on Azure; its serial number says the same to the guest's udev rule, which names the disk. The controller comes with
the first disk, into a slot that is always there: a guest without disks need not load its drivers, which takes one under
emulation most of a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from dockyard.model.disk import DataDisk

Properties = Mapping[str, str | int]

SLOT: Properties = {"driver": "pcie-root-port", "id": "disks", "addr": "0x6"}
CONTROLLER: Properties = {"driver": "virtio-scsi-pci", "id": "scsi0", "bus": "disks"}
_NODE = "data-"
_FILE_NODE = "file-"
_ID_LENGTH = 26  # of a node's name, QEMU takes 31 characters


def device(disk: DataDisk) -> Properties:
    """Return the properties of an attached disk's device."""
    lun = disk.lun or 0
    name = _device_id(disk)
    return {
        "driver": "scsi-hd",
        "id": name,
        "bus": f"{CONTROLLER['id']}.0",
        "scsi-id": 0,
        "lun": lun,
        "drive": node(disk),
        "serial": name,
    }


def blocks(disk: DataDisk, *, path: Path) -> tuple[Properties, Properties]:
    """Return the properties of the file and of the disk in it."""
    return qcow2(path, node=node(disk), file_node=_FILE_NODE + _short_id(disk))


def qcow2(path: Path, *, node: str, file_node: str) -> tuple[Properties, Properties]:
    """Cache on the host and obey the guest's flushes; give back to the host what the guest discards or zeroes.

    A host's crash costs no more than a real machine's power cut. Ignoring flushes (``cache.no-flush=on``) would risk
    the file system for no measurable gain: first boot and a write-heavy run took as long either way.
    """
    return (
        {"driver": "file", "node-name": file_node, "filename": str(path), "discard": "unmap"},
        {"driver": "qcow2", "node-name": node, "file": file_node, "discard": "unmap", "detect-zeroes": "unmap"},
    )


def node(disk: DataDisk) -> str:
    """Return the name of the disk's node: it says which disk it is, whatever lun it has."""
    return _NODE + _short_id(disk)


def to_take_away(devices: Mapping[str, str], *, wanted: Sequence[DataDisk]) -> list[str]:
    """Return the devices, of those that are there with their nodes, that are no disk that is wanted."""
    kept = {_device_id(disk): node(disk) for disk in wanted}
    return [name for name, its_node in devices.items() if its_node.startswith(_NODE) and kept.get(name) != its_node]


def unused(nodes: Iterable[str], *, devices: Mapping[str, str]) -> list[str]:
    """Return the nodes of no device, each before the file it reads: of detached disks, or left half-made."""
    left = [name for name in nodes if name.startswith((_NODE, _FILE_NODE))]
    idle = [name for name in left if name.replace(_FILE_NODE, _NODE, 1) not in devices.values()]
    return sorted(idle, key=lambda name: name.startswith(_FILE_NODE))


def lacking(devices: Mapping[str, str], *, wanted: Sequence[DataDisk]) -> list[DataDisk]:
    """Return the disks that are wanted and have no device."""
    return [disk for disk in wanted if _device_id(disk) not in devices]


def _device_id(disk: DataDisk) -> str:
    return f"lun{disk.lun}"


def _short_id(disk: DataDisk) -> str:
    return disk.id.replace("-", "")[:_ID_LENGTH]

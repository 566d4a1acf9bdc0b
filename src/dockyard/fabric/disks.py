"""Which disks a machine is to have, from those it has and those that are asked for: pure, in Azure's words.

A disk that is no longer asked for is detached and kept; it may be attached again by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from dockyard.fabric.requests import DataDiskRequest
from dockyard.model.disk import DataDisk
from dockyard.model.errors import Conflict, InvalidRequest, NotFound
from dockyard.model.virtual_machine import VirtualMachine

MAX_LUN = 63


def owners_of_disks(machines: Sequence[VirtualMachine], *, resource_group: str) -> dict[str, str]:
    """Return which machine of a group has the disk of a name, both as ``disks_wanted`` compares them."""
    group = resource_group.lower()
    return {
        name.lower(): machine.id.name
        for machine in machines
        if machine.id.resource_group.lower() == group
        for name in (machine.os_disk_name, *(disk.name for disk in machine.data_disks))
    }


def disks_wanted(
    asked: Sequence[DataDiskRequest],
    *,
    machine: str,
    present: Sequence[DataDisk],
    owners: Mapping[str, str],
    most: int,
    new_id: Callable[[], str],
) -> tuple[DataDisk, ...]:
    """Return a machine's data disks, those that are detached last.

    Args:
        asked: what the request wants attached.
        machine: the machine's name.
        present: the disks it has, attached or not.
        owners: which machine of the group has the disk of a name (in lower case); this one among them.
        most: how many its size may have.
        new_id: makes the id of a new disk.

    Raises:
        InvalidRequest: a lun twice or out of range, a new disk without a size.
        Conflict: more than ``most``, a disk of another machine, or one that would shrink.
        NotFound: a disk to be attached does not exist.
    """
    _check_luns([request.lun for request in asked])
    if len(asked) > most:
        raise Conflict(
            f"The maximum number of data disks allowed to be attached to a VM of this size is {most}",
            resolution="Take a larger size, or fewer disks.",
            code="OperationNotAllowed",
        )
    left = {disk.name.lower(): disk for disk in present}
    wanted: list[DataDisk] = []
    for request in asked:
        found = _found(request, left)
        if found is None:
            wanted.append(_new(request, machine=machine, owners=owners, taken=wanted, new_id=new_id))
        else:
            del left[found.name.lower()]
            wanted.append(_changed(found, request))
    detached = [replace(disk, lun=None) for disk in present if disk.name.lower() in left]
    return (*wanted, *detached)


def check_growth(name: str, *, before: int, after: int) -> None:
    """Raise Conflict when a disk would become smaller."""
    if after < before:
        raise Conflict(
            f"The disk '{name}' has {before} GiB and cannot become smaller",
            details=f"asked for: {after} GiB",
            code="ResizeDiskError",
        )


def _check_luns(luns: Sequence[int]) -> None:
    for lun in luns:
        if not 0 <= lun <= MAX_LUN:
            raise InvalidRequest(f"The value '{lun}' of parameter 'dataDisk.lun' is not from 0 to {MAX_LUN}")
        if luns.count(lun) > 1:
            raise InvalidRequest(
                f"A disk at LUN {lun} already exists", resolution="Give each of dataDisks a lun of its own."
            )


def _found(request: DataDiskRequest, left: Mapping[str, DataDisk]) -> DataDisk | None:
    if request.name is not None:
        return left.get(request.name.lower())
    return next((disk for disk in left.values() if disk.lun == request.lun), None)


def _changed(disk: DataDisk, request: DataDiskRequest) -> DataDisk:
    size = request.size_gib or disk.size_gib
    check_growth(disk.name, before=disk.size_gib, after=size)
    return replace(
        disk,
        lun=request.lun,
        size_gib=size,
        caching=request.caching or disk.caching,
        storage_type=request.storage_type or disk.storage_type,
    )


def _new(
    request: DataDiskRequest,
    *,
    machine: str,
    owners: Mapping[str, str],
    taken: Sequence[DataDisk],
    new_id: Callable[[], str],
) -> DataDisk:
    name = request.name or _free_name(f"{machine}_DataDisk_{request.lun}", owners)
    owner = owners.get(name.lower())
    if owner is not None or any(disk.name.lower() == name.lower() for disk in taken):
        raise Conflict(
            f"Disk '{name}' cannot be attached as the disk is already owned by VM '{owner or machine}'",
            resolution="Give the new disk another name, or none.",
            code="ConflictingUserInput",
        )
    if request.attach:
        raise NotFound(
            f"Disk '{name}' is not found",
            resolution="createOption Attach takes a disk of this machine that was detached; Empty makes a new one.",
        )
    if request.size_gib is None:
        raise InvalidRequest(
            f"Required parameter 'dataDisk.diskSizeGB' is missing (null) for the disk at LUN {request.lun}",
            resolution="Give a new disk its size in GiB.",
        )
    return DataDisk(
        id=new_id(),
        name=name,
        size_gib=request.size_gib,
        lun=request.lun,
        **{key: value for key, value in _looks(request).items() if value},
    )


def _looks(request: DataDiskRequest) -> dict[str, str]:
    return {"caching": request.caching or "", "storage_type": request.storage_type or ""}


def _free_name(name: str, owners: Mapping[str, str]) -> str:
    number, free = 1, name
    while free.lower() in owners:
        number += 1
        free = f"{name}_{number}"
    return free

"""What a later PUT may change of a machine, and what it may not: pure, in Azure's words. Used by ``updating``.

A member that a request leaves out stays as it is, and so does what never comes back: what was read and sent again
changes nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace

from dockyard.fabric.disks import check_growth, disks_wanted, owners_of_disks
from dockyard.fabric.requests import DataDiskRequest, VirtualMachineRequest
from dockyard.model.errors import Conflict
from dockyard.model.image import ImageReference
from dockyard.model.virtual_machine import OsProfile, VirtualMachine
from dockyard.pki.crypt_hash import is_password


def changed(
    machine: VirtualMachine,
    request: VirtualMachineRequest,
    *,
    image: ImageReference,
    others: Sequence[VirtualMachine],
) -> VirtualMachine:
    """Return the machine as a request wants it.

    ``image`` is what the request's image name means; ``others`` are all machines, this one may be among them.

    Raises:
        Conflict: (code PropertyChangeNotAllowed) it would change what Azure lets nobody change, or of disks what must
            not change while the machine runs (OperationNotAllowed).
        InvalidRequest, NotFound: the disks it asks for cannot be.
    """
    for name in _forbidden(machine, request, image=image):
        raise Conflict(
            f"Changing property '{name}' is not allowed",
            details=f"It is of the virtual machine '{machine.id.name}', which exists.",
            resolution="Leave it as it is, or delete the machine and create it anew.",
            code="PropertyChangeNotAllowed",
        )
    allowed = request.allow_extension_operations
    profile = machine.os_profile
    size = request.size or machine.size
    return replace(
        _with_disks(machine, request, most=size.max_data_disks, others=others),
        size=size,
        os_profile=profile if allowed is None else replace(profile, allow_extension_operations=allowed),
        user_data=machine.user_data if request.user_data is None else request.user_data or None,
        tags=request.tags,
        kept=request.kept,
    )


def needs_power_cycle(before: VirtualMachine, after: VirtualMachine) -> bool:
    """Tell whether a running machine must be started anew to be what it is wanted to be."""
    return (before.size.cpus, before.size.memory_mib) != (after.size.cpus, after.size.memory_mib)


def needs_disk_work(before: VirtualMachine, after: VirtualMachine) -> bool:
    """Tell whether disks are to be made or to grow."""
    return _shapes(before) != _shapes(after)


def _with_disks(
    machine: VirtualMachine, request: VirtualMachineRequest, *, most: int, others: Sequence[VirtualMachine]
) -> VirtualMachine:
    asked = request.os_disk
    size = asked.size_gib or machine.disk_gib
    check_growth(machine.os_disk_name, before=machine.disk_gib, after=size)
    present = machine.data_disks
    wanted = present
    if request.data_disks is not None or most < len(machine.attached_disks):
        wanted = disks_wanted(
            request.data_disks if request.data_disks is not None else _as_asked(machine),
            machine=machine.id.name,
            present=present,
            owners=owners_of_disks(others, resource_group=machine.id.resource_group),
            most=most,
            new_id=lambda: str(uuid.uuid4()),
        )
    after = replace(
        machine,
        disk_gib=size,
        os_disk=replace(
            machine.os_disk,
            caching=asked.caching or machine.os_disk.caching,
            storage_type=asked.storage_type or machine.os_disk.storage_type,
        ),
        data_disks=wanted,
    )
    if machine.may_run and _grows(machine, after):
        raise Conflict(
            "Disks can be resized only while the machine is stopped or deallocated",
            details=f"The virtual machine '{machine.id.name}' is running.",
            resolution="Stop it ('dockyard vm stop', 'az vm deallocate'), change its disks, and start it again.",
            code="OperationNotAllowed",
        )
    return after


def _grows(before: VirtualMachine, after: VirtualMachine) -> bool:
    sizes = {disk.id: disk.size_gib for disk in before.data_disks}
    return before.disk_gib != after.disk_gib or any(
        sizes.get(disk.id, disk.size_gib) != disk.size_gib for disk in after.data_disks
    )


def _as_asked(machine: VirtualMachine) -> tuple[DataDiskRequest, ...]:
    return tuple(
        DataDiskRequest(lun=disk.lun, attach=True, name=disk.name)
        for disk in machine.attached_disks
        if disk.lun is not None
    )


def _shapes(machine: VirtualMachine) -> tuple[int, frozenset[tuple[str, int, int | None]]]:
    return machine.disk_gib, frozenset((disk.id, disk.size_gib, disk.lun) for disk in machine.data_disks)


def _forbidden(machine: VirtualMachine, request: VirtualMachineRequest, *, image: ImageReference) -> Iterator[str]:
    if request.location.lower() != machine.location.lower():
        yield "location"
    if image != machine.image:
        yield "imageReference"
    if request.os_disk.name is not None and request.os_disk.name.lower() != machine.os_disk_name.lower():
        yield "osDisk.name"
    yield from _forbidden_of_os(machine.os_profile, request.os_profile)
    yield from _forbidden_of_password(machine.os_profile, request)


def _forbidden_of_os(present: OsProfile, wanted: OsProfile) -> Iterator[str]:
    if wanted.computer_name != present.computer_name:
        yield "osProfile.computerName"
    if wanted.admin_username != present.admin_username:
        yield "osProfile.adminUsername"
    if wanted.ssh_public_keys and wanted.ssh_public_keys != present.ssh_public_keys:
        yield "linuxConfiguration.ssh.publicKeys"
    if wanted.custom_data_digest not in (None, present.custom_data_digest):
        yield "customData"


def _forbidden_of_password(present: OsProfile, request: VirtualMachineRequest) -> Iterator[str]:
    known, given = present.password_hash, request.admin_password
    if request.password_logins not in (None, known is not None):
        yield "linuxConfiguration.disablePasswordAuthentication"
    if given is not None and (known is None or not is_password(given, known)):
        yield "adminPassword"

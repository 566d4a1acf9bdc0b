"""What a later PUT may change of a machine, and what it may not: pure, in Azure's words. Used by ``updating``.

A member that a request leaves out stays as it is, and so does what never comes back: what was read and sent again
changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dockyard.fabric.requests import VirtualMachineRequest
from dockyard.model.errors import Conflict
from dockyard.model.image import ImageReference
from dockyard.model.virtual_machine import OsProfile, VirtualMachine
from dockyard.pki.crypt_hash import is_password


def changed(machine: VirtualMachine, request: VirtualMachineRequest, *, image: ImageReference) -> VirtualMachine:
    """Return the machine as a request wants it; ``image`` is what the request's image name means.

    Raises:
        Conflict: (code PropertyChangeNotAllowed) it would change what Azure lets nobody change.
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
    return replace(
        machine,
        size=request.size or machine.size,
        os_profile=profile if allowed is None else replace(profile, allow_extension_operations=allowed),
        user_data=machine.user_data if request.user_data is None else request.user_data or None,
        tags=request.tags,
        kept=request.kept,
    )


def needs_power_cycle(before: VirtualMachine, after: VirtualMachine) -> bool:
    """Tell whether a running machine must be started anew to be what it is wanted to be."""
    return before.size != after.size


def _forbidden(machine: VirtualMachine, request: VirtualMachineRequest, *, image: ImageReference) -> Iterator[str]:
    if request.location.lower() != machine.location.lower():
        yield "location"
    if image != machine.image:
        yield "imageReference"
    if request.disk_gib not in (None, machine.disk_gib):
        yield "osDisk.diskSizeGB"
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

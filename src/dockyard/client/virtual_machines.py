"""Virtual machines over ARM: what a front door may ask for, as typed functions on the official SDK.

Called by the CLI and the portal. Every function raises only ``dockyard.model.errors``.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dockyard.client import views
from dockyard.client.names import LOCATION, MachineName
from dockyard.client.operations import Operation
from dockyard.client.views import DOCKER_PORT_TAG, SSH_PORT_TAG, MachineView
from dockyard.model.errors import NotFound
from dockyard.model.image import ImageReference

if TYPE_CHECKING:
    from dockyard.client.connection import Connection

_ALIAS_PUBLISHER, _ALIAS_OFFER = "Dockyard", "alias"


@dataclass(frozen=True, kw_only=True)
class MachineRequest:
    """What a new machine is to be. Ports of None are chosen by the server."""

    id: MachineName
    image: ImageReference
    size: str
    disk_gib: int
    admin_username: str
    ssh_public_key: str
    ssh_port: int | None = None
    docker_port: int | None = None
    data_disks_gib: tuple[int, ...] = ()
    custom_data: bytes | None = field(default=None, repr=False)
    admin_password: str | None = field(default=None, repr=False)


def image_reference(name: str) -> ImageReference:
    """Read an image as users name it: an alias, or publisher:offer:sku[:version]. Raises InvalidRequest."""
    if ":" in name:
        return ImageReference.parse(name)
    return ImageReference(_ALIAS_PUBLISHER, _ALIAS_OFFER, name)


def document(request: MachineRequest) -> dict[str, Any]:
    """Return the ARM body of a request."""
    ports = {SSH_PORT_TAG: request.ssh_port, DOCKER_PORT_TAG: request.docker_port}
    os_profile: dict[str, Any] = {
        "computerName": request.id.name,
        "adminUsername": request.admin_username,
        "linuxConfiguration": {
            "disablePasswordAuthentication": request.admin_password is None,
            "ssh": {
                "publicKeys": [
                    {
                        "path": f"/home/{request.admin_username}/.ssh/authorized_keys",
                        "keyData": request.ssh_public_key,
                    }
                ]
            },
        },
    }
    if request.admin_password is not None:
        os_profile["adminPassword"] = request.admin_password
    if request.custom_data is not None:
        os_profile["customData"] = base64.b64encode(request.custom_data).decode("ascii")
    return {
        "location": LOCATION,
        "tags": {name: str(port) for name, port in ports.items() if port is not None},
        "properties": {
            "hardwareProfile": {"vmSize": request.size},
            "storageProfile": {
                "imageReference": {
                    "publisher": request.image.publisher,
                    "offer": request.image.offer,
                    "sku": request.image.sku,
                    "version": request.image.version,
                },
                "osDisk": {"createOption": "FromImage", "diskSizeGB": request.disk_gib},
                "dataDisks": [
                    {"lun": lun, "createOption": "Empty", "diskSizeGB": size}
                    for lun, size in enumerate(request.data_disks_gib)
                ],
            },
            "osProfile": os_profile,
        },
    }


def create(connection: Connection, request: MachineRequest) -> Operation:
    """Begin to create a machine that must not exist yet. Raises PreconditionFailed when it does."""
    machines = connection.compute.virtual_machines
    body: Any = document(request)  # the SDK's type for a plain document lists hundreds of optional members
    return Operation(
        connection,
        begin=lambda: machines.begin_create_or_update(
            request.id.resource_group, request.id.name, body, headers={"If-None-Match": "*"}
        ),
        what=f"Creating {request.id}",
    )


def get(connection: Connection, name: MachineName) -> MachineView:
    """Return a machine with its instance view. Raises NotFound."""
    with connection.mapped():
        found = connection.compute.virtual_machines.get(name.resource_group, name.name, expand="instanceView")
        return views.machine(found.as_dict())


def find(connection: Connection, name: MachineName) -> MachineView | None:
    """Return a machine with its instance view, or None."""
    try:
        return get(connection, name)
    except NotFound:
        return None


def list_all(connection: Connection, *, resource_group: str | None) -> list[MachineView]:
    """Return the machines of one group, or of all, each with its instance view, by name."""
    machines = connection.compute.virtual_machines
    with connection.mapped():
        pages = machines.list(resource_group) if resource_group else machines.list_all()
        names = [views.machine(item.as_dict()).id for item in pages]
    found = [find(connection, name) for name in names]
    return sorted((view for view in found if view is not None), key=lambda view: (view.id.resource_group, view.id.name))


def start(connection: Connection, name: MachineName) -> Operation:
    """Begin to start a machine. Raises NotFound or Conflict."""
    machines = connection.compute.virtual_machines
    return Operation(
        connection,
        begin=lambda: machines.begin_start(name.resource_group, name.name),
        what=f"Starting {name}",
    )


def stop(connection: Connection, name: MachineName, *, skip_shutdown: bool) -> Operation:
    """Begin to stop a machine; ``skip_shutdown`` pulls the plug. Raises NotFound or Conflict."""
    machines = connection.compute.virtual_machines
    return Operation(
        connection,
        begin=lambda: machines.begin_power_off(name.resource_group, name.name, skip_shutdown=skip_shutdown),
        what=f"Stopping {name}",
    )


def restart(connection: Connection, name: MachineName) -> Operation:
    """Begin to restart a machine. Raises NotFound or Conflict."""
    machines = connection.compute.virtual_machines
    return Operation(
        connection,
        begin=lambda: machines.begin_restart(name.resource_group, name.name),
        what=f"Restarting {name}",
    )


def deallocate(connection: Connection, name: MachineName) -> Operation:
    """Begin to stop a machine and to give back what it holds. Raises NotFound or Conflict."""
    machines = connection.compute.virtual_machines
    return Operation(
        connection,
        begin=lambda: machines.begin_deallocate(name.resource_group, name.name),
        what=f"Deallocating {name}",
    )


def redeploy(connection: Connection, name: MachineName) -> Operation:
    """Begin to start a machine in a new process, its power cut. Raises NotFound or Conflict."""
    machines = connection.compute.virtual_machines
    return Operation(
        connection,
        begin=lambda: machines.begin_redeploy(name.resource_group, name.name),
        what=f"Redeploying {name}",
    )


def resize(connection: Connection, name: MachineName, *, size: str) -> Operation:
    """Begin to give a machine another size. Raises NotFound or Conflict."""
    machines = connection.compute.virtual_machines
    body: Any = {"properties": {"hardwareProfile": {"vmSize": size}}}
    return Operation(
        connection,
        begin=lambda: machines.begin_update(name.resource_group, name.name, body),
        what=f"Resizing {name}",
    )


def delete(connection: Connection, name: MachineName) -> Operation:
    """Begin to delete a machine, its disk and its extensions; no error when there is none."""
    machines = connection.compute.virtual_machines
    return Operation(
        connection,
        begin=lambda: machines.begin_delete(name.resource_group, name.name),
        what=f"Deleting {name}",
    )


def diagnostics(connection: Connection, name: MachineName) -> Mapping[str, Any]:
    """Return what only the server knows of a machine: operations, goal state, reports, logs. Raises NotFound."""
    group = f"{connection.subscription}/resourceGroups/{name.resource_group}"
    path = f"{group}/providers/Microsoft.Compute/virtualMachines/{name.name}/retrieveDiagnosticsData"
    return connection.ask("POST", path)


def console_log(connection: Connection, name: MachineName) -> str:
    """Return what the machine has written to its serial console. Raises NotFound."""
    with connection.mapped():
        answer = connection.compute.virtual_machines.retrieve_boot_diagnostics_data(name.resource_group, name.name)
    url = answer.serial_console_log_blob_uri
    return connection.download(url).decode("utf-8", errors="replace") if url else ""

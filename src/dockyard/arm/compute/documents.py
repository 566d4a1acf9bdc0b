"""Virtual machines, extensions and images as ARM documents. Pure: values of the model in, JSON out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from dockyard.arm.compute.tags import shown_tags
from dockyard.fabric.topology import interfaces_of
from dockyard.model.disk import DataDisk
from dockyard.model.extension import PACKAGE_GONE, Extension
from dockyard.model.image import Image
from dockyard.model.provisioning import PowerState, ProvisioningState
from dockyard.model.resource_id import DISKS, EXTENSIONS, IMAGES, VIRTUAL_MACHINES, ResourceId
from dockyard.model.virtual_machine import Step, VirtualMachine

_LEVELS = {"error": "Error", "warning": "Warning"}
_DISK_STATUS = {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded"}
_STATES = {"success": "succeeded", "warning": "succeeded", "error": "failed", "transitioning": "transitioning"}


def virtual_machine(
    machine: VirtualMachine,
    *,
    extensions: Sequence[Extension],
    instance_view: dict[str, Any] | None = None,
    brief: bool = False,
    with_user_data: bool = False,
) -> dict[str, Any]:
    """Return a machine; ``brief`` (for lists) gives only the ids of its extensions, as Azure does.

    Children are without their outer ``type`` in the full form: `az vm list` and `az vm boot-diagnostics` stumble over
    it (Azure/azure-cli issue 31910).
    """
    properties: dict[str, Any] = {
        "vmId": machine.vm_id,
        "provisioningState": machine.provisioning_state.value,
        "timeCreated": _time(machine.created_at),
        "hardwareProfile": {"vmSize": machine.size.name},
        "storageProfile": _storage_profile(machine),
        "osProfile": _os_profile(machine),
        "networkProfile": {"networkInterfaces": [_interface(machine, id) for id in interfaces_of(machine)]},
        "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
        **machine.kept,
    }
    if instance_view is not None:
        properties["instanceView"] = instance_view
    if with_user_data and machine.user_data is not None:
        properties["userData"] = machine.user_data
    children = [{"id": str(child.id)} if brief else _without_type(extension(child)) for child in extensions]
    document = {
        "id": str(machine.id),
        "name": machine.id.name,
        "type": VIRTUAL_MACHINES,
        "location": machine.location,
        "tags": shown_tags(machine),
        "properties": properties,
    }
    return {**document, "resources": children} if children else document


def has_boot_diagnostics(machine: VirtualMachine) -> bool:
    """Tell whether the console log may be asked for: unless that was turned off."""
    profile = machine.kept.get("diagnosticsProfile", {})
    return (profile.get("bootDiagnostics") or {}).get("enabled") is not False


def instance_view(machine: VirtualMachine, *, power: PowerState, extensions: Sequence[Extension]) -> dict[str, Any]:
    """Return what is the case now: states, steps, the agent, each handler with status and substatus as reported."""
    view: dict[str, Any] = {
        "computerName": machine.os_profile.computer_name,
        "statuses": [_provisioning_status(machine), _power_status(machine, power)]
        + [_step_status(step, machine=machine) for step in machine.steps],
        "bootDiagnostics": {},
        "disks": [
            {"name": name, "statuses": [_DISK_STATUS]}
            for name in (machine.os_disk_name, *(disk.name for disk in machine.attached_disks))
        ],
        "extensions": [extension_view(child) for child in extensions],
    }
    if machine.agent is not None:
        view["vmAgent"] = _agent_view(machine, extensions=extensions)
    return view


def extension(child: Extension, *, with_view: bool = False) -> dict[str, Any]:
    """Return an extension; protected settings never come back."""
    properties: dict[str, Any] = {
        "publisher": child.publisher,
        "type": child.type,
        "typeHandlerVersion": child.type_handler_version,
        "autoUpgradeMinorVersion": child.auto_upgrade_minor_version,
        "settings": dict(child.settings),
        "provisioningState": child.provisioning_state.value,
    }
    if child.provision_after:
        properties["provisionAfterExtensions"] = list(child.provision_after)
    if child.force_update_tag is not None:
        properties["forceUpdateTag"] = child.force_update_tag
    if child.suppress_failures:
        properties["suppressFailures"] = True
    if with_view:
        properties["instanceView"] = extension_view(child)
    return {
        "id": str(child.id),
        "name": child.id.name,
        "type": EXTENSIONS,
        "location": child.location,
        "tags": dict(child.tags),
        "properties": properties,
    }


def extension_view(child: Extension) -> dict[str, Any]:
    """Return an extension's status and substatus as the agent reported them."""
    status = child.status
    view: dict[str, Any] = {
        "name": child.id.name,
        "type": child.handler_name,
        "typeHandlerVersion": status.handler_version if status else child.handler_version,
        "statuses": [_extension_status(child)],
    }
    if status is not None:
        view["substatuses"] = [
            _status(
                code=f"ComponentStatus/{part.name}/{_STATES.get(part.status, part.status)}",
                level=_LEVELS.get(part.status, "Info"),
                display=part.name,
                message=part.message,
            )
            for part in status.substatuses
        ]
    return view


def image(built: Image, *, id: ResourceId, location: str) -> dict[str, Any]:
    """Return a built image as a managed image."""
    tags = {
        "dockyard-urn": str(built.urn),
        "dockyard-id": built.id,
        "dockyard-size-bytes": str(built.size_bytes),
        "dockyard-built-at": _time(built.built_at),
        "dockyard-sha256": built.sha256,
    }
    return _image(id, location=location, state=ProvisioningState.SUCCEEDED, tags=tags)


def image_being_built(*, id: ResourceId, location: str, progress: str) -> dict[str, Any]:
    """Return an image whose build is under way."""
    return _image(id, location=location, state=ProvisioningState.CREATING, tags={"dockyard-progress": progress})


def _image(id: ResourceId, *, location: str, state: ProvisioningState, tags: dict[str, str]) -> dict[str, Any]:
    return {
        "id": str(id),
        "name": id.name,
        "type": IMAGES,
        "location": location,
        "tags": tags,
        "properties": {
            "provisioningState": state.value,
            "storageProfile": {"osDisk": {"osType": "Linux", "osState": "Generalized"}},
        },
    }


def _interface(machine: VirtualMachine, id: str) -> dict[str, Any]:
    named = machine.network.interfaces
    option = {"deleteOption": "Delete" if machine.network.deletes_interfaces else "Detach"} if named else {}
    return {"id": id, "properties": {"primary": True, **option}}


def _storage_profile(machine: VirtualMachine) -> dict[str, Any]:
    image = machine.image
    reference = {"publisher": image.publisher, "offer": image.offer, "sku": image.sku, "version": image.version}
    disk = {
        "osType": "Linux",
        "name": machine.os_disk_name,
        "createOption": "FromImage",
        "caching": machine.os_disk.caching,
        "writeAcceleratorEnabled": False,
        "managedDisk": _managed(machine, machine.os_disk_name, kind=machine.os_disk.storage_type),
        "diskSizeGB": machine.disk_gib,
        "deleteOption": "Delete",
    }
    data = [_data_disk(machine, each) for each in machine.attached_disks]
    return {"imageReference": {**reference, "exactVersion": image.version}, "osDisk": disk, "dataDisks": data}


def _data_disk(machine: VirtualMachine, disk: DataDisk) -> dict[str, Any]:
    return {
        "lun": disk.lun,
        "name": disk.name,
        "createOption": disk.create_option,
        "caching": disk.caching,
        "writeAcceleratorEnabled": False,
        "managedDisk": _managed(machine, disk.name, kind=disk.storage_type),
        "diskSizeGB": disk.size_gib,
        "toBeDetached": False,
        "deleteOption": "Delete",
    }


def _managed(machine: VirtualMachine, name: str, *, kind: str) -> dict[str, str]:
    return {"id": str(replace(machine.id, type=DISKS, names=(name,))), "storageAccountType": kind}


def _os_profile(machine: VirtualMachine) -> dict[str, Any]:
    profile = machine.os_profile
    keys = [{"path": key.path, "keyData": key.key_data} for key in profile.ssh_public_keys]
    return {
        "computerName": profile.computer_name,
        "adminUsername": profile.admin_username,
        "linuxConfiguration": {
            "disablePasswordAuthentication": profile.password_hash is None,
            "ssh": {"publicKeys": keys},
            "provisionVMAgent": True,
        },
        "secrets": [],
        "allowExtensionOperations": profile.allow_extension_operations,
        "requireGuestProvisionSignal": True,
    }


def _provisioning_status(machine: VirtualMachine) -> dict[str, Any]:
    state = machine.provisioning_state
    failed = state is ProvisioningState.FAILED
    return _status(
        code=f"ProvisioningState/{state.value.lower()}",
        level="Error" if failed else "Info",
        display=f"Provisioning {state.value.lower()}",
        message=machine.error.message if machine.error else "",
    )


def _power_status(machine: VirtualMachine, power: PowerState) -> dict[str, Any]:
    ended = power is PowerState.STOPPED and machine.wanted_running and machine.provisioning_state.is_final
    message = "The machine's process ended although nobody stopped it; 'dockyard vm start' starts it again."
    return _status(
        code=f"PowerState/{power.value}",
        level="Error" if ended else "Info",
        display=power.display,
        message=message if ended else "",
    )


def _step_status(step: Step, *, machine: VirtualMachine) -> dict[str, Any]:
    last = step is machine.steps[-1]
    failed = last and machine.provisioning_state is ProvisioningState.FAILED
    word = "failed" if failed else ("done" if step.ended_at else "running")
    took = f" ({(step.ended_at - step.started_at).total_seconds():.1f} s)" if step.ended_at else ""
    return _status(
        code=f"Step/{step.name}/{word}",
        level="Error" if failed else "Info",
        display=f"{step.name} {word}{took}",
        message=step.message,
        at=step.ended_at or step.started_at,
    )


def _agent_view(machine: VirtualMachine, *, extensions: Sequence[Extension]) -> dict[str, Any]:
    agent = machine.agent
    if agent is None:
        return {}
    ready = agent.status == "Ready"
    status = _status(
        code=f"ProvisioningState/{'succeeded' if ready else 'failed'}",
        level="Info" if ready else "Error",
        display=agent.status,
        message=agent.message,
        at=agent.at,
    )
    return {
        "vmAgentVersion": agent.version,
        "statuses": [status],
        "extensionHandlers": [_handler(child) for child in extensions if child.status is not None],
    }


def _handler(child: Extension) -> dict[str, Any]:
    status = child.status
    if status is None:
        return {}
    ready = status.handler_status == "Ready"
    return {
        "type": child.handler_name,
        "typeHandlerVersion": status.handler_version,
        "status": _status(
            code=f"ProvisioningState/{'succeeded' if ready else status.handler_status.lower()}",
            level="Info" if ready else "Warning",
            display=status.handler_status,
            message=status.handler_message,
            at=status.at,
        ),
    }


def _extension_status(child: Extension) -> dict[str, Any]:
    status = child.status
    is_gone = child.error is not None and child.error.code == PACKAGE_GONE
    if is_gone or status is None or status.status is None or status.sequence_number != child.sequence_number:
        waiting = status.handler_message if status else "Waiting for the guest agent."
        failed = child.provisioning_state is ProvisioningState.FAILED
        return _status(
            code=f"ProvisioningState/{'failed' if failed else 'transitioning'}",
            level="Error" if failed else "Info",
            display="Provisioning failed" if failed else "Transitioning",
            message=child.error.message if child.error else waiting,
        )
    return _status(
        code=f"ProvisioningState/{_STATES.get(status.status, 'failed')}",
        level=_LEVELS.get(status.status, "Info"),
        display=status.operation or status.status,
        message=status.message,
        at=status.at,
    )


def _status(*, code: str, level: str, display: str, message: str, at: datetime | None = None) -> dict[str, Any]:
    status = {"code": code, "level": level, "displayStatus": display, "message": message}
    return {**status, "time": _time(at)} if at is not None else status


def _without_type(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "type"}


def _time(at: datetime) -> str:
    return at.isoformat()

"""From a machine's goal to the instance metadata document. Pure; called by ``routes``, once for each incarnation.

Azure's schema. cloud-init 25.1 takes from it: names, keys, whether passwords are off (the *text* ``true``), user data,
and both interfaces by hardware address.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network

from dockyard.model.guest import GuestGoal
from dockyard.model.virtual_machine import VirtualMachine
from dockyard_contract.documents import dump_json

API_VERSIONS = ("2018-02-01", "2019-06-01", "2020-09-01", "2021-02-01", "2021-08-01")

# Members that came with a later version than the oldest, by the first version that has them. WALinuxAgent 2.12 asks for
# the oldest and writes a warning into its log for each member it does not know.
_SINCE = {
    "azEnvironment": "2018-10-01",
    "customData": "2019-02-01",
    "isHostCompatibilityLayerVm": "2020-06-01",
    "osProfile": "2020-07-15",
    "provider": "2018-10-01",
    "publicKeys": "2018-04-02",
    "resourceId": "2019-03-11",
    "storageProfile": "2019-06-01",
    "tagsList": "2019-06-04",
    "userData": "2021-01-01",
}
_OUTBOUND_IP = "10.0.2.15"  # what QEMU's user network gives to its only machine
_PREFIX = 24


def versions(_goal: GuestGoal) -> str:
    """The interface's versions; the same for every goal."""
    return dump_json({"apiVersions": list(API_VERSIONS)})


def instance(goal: GuestGoal) -> str:
    """The whole document, in the newest version."""
    return dump_json({"compute": _compute(goal.machine), "network": _network(goal.machine)})


def in_version(document: Mapping[str, Mapping[str, object]], *, version: str) -> dict[str, object]:
    """The document as a version of the interface has it; ``version`` is a date, ``2018-02-01``."""
    compute = {name: value for name, value in document["compute"].items() if _SINCE.get(name, "") <= version}
    return {**document, "compute": compute}


def _compute(machine: VirtualMachine) -> dict[str, object]:
    profile = machine.os_profile
    image = machine.image
    return {
        "azEnvironment": "AzureStack",
        "customData": "",  # never served here: it comes on the disc of the first boot
        "isHostCompatibilityLayerVm": "false",
        "location": machine.location,
        "name": machine.id.name,
        "offer": image.offer,
        "osProfile": {
            "adminUsername": profile.admin_username,
            "computerName": profile.computer_name,
            "disablePasswordAuthentication": "true" if profile.password_hash is None else "false",
        },
        "osType": "Linux",
        "placementGroupId": "",
        "platformFaultDomain": "0",
        "platformUpdateDomain": "0",
        "provider": "Microsoft.Compute",
        "publicKeys": [{"keyData": key.key_data.strip(), "path": key.path} for key in profile.ssh_public_keys],
        "publisher": image.publisher,
        "resourceGroupName": machine.id.resource_group,
        "resourceId": str(machine.id),
        "sku": image.sku,
        "storageProfile": {
            "imageReference": {
                "id": "",
                "publisher": image.publisher,
                "offer": image.offer,
                "sku": image.sku,
                "version": image.version,
            },
            "osDisk": {"diskSizeGB": str(machine.disk_gib), "name": machine.os_disk_name, "osType": "Linux"},
            "dataDisks": [
                {"lun": str(disk.lun), "name": disk.name, "diskSizeGB": str(disk.size_gib)}
                for disk in machine.attached_disks
            ],
        },
        "subscriptionId": machine.id.subscription_id,
        "tags": ";".join(f"{name}:{value}" for name, value in machine.tags.items()),
        "tagsList": [{"name": name, "value": value} for name, value in machine.tags.items()],
        "userData": machine.user_data or "",
        "version": image.version,
        "vmId": machine.vm_id,
        "vmScaleSetName": "",
        "vmSize": machine.size.name,
        "zone": "",
    }


def _network(machine: VirtualMachine) -> dict[str, object]:
    network = machine.network
    return {
        "interface": [
            _interface(mac=network.mac_address, ip=network.private_ip),
            _interface(mac=network.outbound_mac_address, ip=_OUTBOUND_IP),
        ]
    }


def _interface(*, mac: str, ip: str) -> dict[str, object]:
    subnet = IPv4Network(f"{ip}/{_PREFIX}", strict=False)
    return {
        "ipv4": {
            "ipAddress": [{"privateIpAddress": ip, "publicIpAddress": ""}],
            "subnet": [{"address": str(subnet.network_address), "prefix": str(_PREFIX)}],
        },
        "ipv6": {"ipAddress": []},
        "macAddress": mac.replace(":", "").replace("-", "").upper(),
    }

"""Network interfaces as bodies and documents. Pure. An interface here has one address: its machine's."""

from __future__ import annotations

from typing import Any

from dockyard.arm.network.members import SUCCEEDED, address, child_document, choice, link, named
from dockyard.fabric.topology import Topology
from dockyard.model.errors import InvalidRequest
from dockyard.model.network import NETWORK_INTERFACES, NetworkResource
from dockyard_contract.documents import JsonObject

IP_CONFIGURATIONS = f"{NETWORK_INTERFACES}/ipConfigurations"


def read(properties: JsonObject) -> dict[str, Any]:
    """Read what a PUT asks for. Raises MalformedDocument, InvalidRequest."""
    parts = named(properties.array("ipConfigurations"))
    if len(parts) != 1:
        raise InvalidRequest(
            f"A network interface here has one ipConfiguration, not {len(parts)}",
            resolution="Leave the primary one.",
            code="InvalidRequestFormat",
        )
    dns = properties.optional_object("dnsSettings")
    servers = [each.string() for each in (dns.optional_array("dnsServers") if dns else None) or ()]
    group = link(properties, "networkSecurityGroup")
    return {
        "ipConfigurations": [{"name": name, "properties": _configuration(each)} for name, each in parts],
        "dnsSettings": {"dnsServers": servers},
        "enableIPForwarding": bool(properties.optional_boolean("enableIPForwarding")),
        "enableAcceleratedNetworking": bool(properties.optional_boolean("enableAcceleratedNetworking")),
        **({"networkSecurityGroup": group} if group else {}),
    }


def show(resource: NetworkResource, topology: Topology) -> dict[str, Any]:
    """Return the properties as ARM shows them: with the machine's own addresses when it has one."""
    machine = topology.machines.get(resource.id.key)
    shown: dict[str, Any] = {
        "enableIPForwarding": False,
        "enableAcceleratedNetworking": False,
        **resource.properties,
        "ipConfigurations": [
            child_document(resource, IP_CONFIGURATIONS, each, primary=True, privateIPAddressVersion="IPv4")
            for each in resource.children("ipConfigurations")
        ],
        "dnsSettings": {"dnsServers": [], "appliedDnsServers": [], **resource.properties.get("dnsSettings", {})},
        "hostedWorkloads": [],
        "tapConfigurations": [],
        "nicType": "Standard",
        **SUCCEEDED,
    }
    if machine is not None:
        mac = machine.network.mac_address.upper().replace(":", "-")
        shown |= {"virtualMachine": {"id": str(machine.id)}, "macAddress": mac, "primary": True}
    return shown


def _configuration(properties: JsonObject) -> dict[str, Any]:
    choice(properties, "privateIPAddressVersion", "IPv4", default="IPv4")
    method = choice(properties, "privateIPAllocationMethod", "Dynamic", "Static", default="Dynamic")
    asked = address(properties, "privateIPAddress")
    if method == "Static" and asked is None:
        raise InvalidRequest(
            "An ipConfiguration with static allocation needs its privateIPAddress",
            code="PrivateIPAddressNotSpecified",
        )
    subnet = properties.object("subnet").string("id").rstrip("/")
    public = link(properties, "publicIPAddress")
    return {
        "privateIPAllocationMethod": method,
        "subnet": {"id": subnet},
        **({"privateIPAddress": asked} if asked and method == "Static" else {}),
        **({"publicIPAddress": public} if public else {}),
    }

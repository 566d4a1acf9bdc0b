"""Public IP addresses as bodies and documents. Pure. There is one address, the host's own loopback address."""

from __future__ import annotations

import re
from typing import Any

from dockyard.arm.network.members import choice
from dockyard.fabric.topology import Topology
from dockyard.model.errors import InvalidRequest
from dockyard.model.network import PUBLIC_ADDRESS, NetworkResource
from dockyard_contract.documents import JsonObject

_LABEL = re.compile(r"[a-z][a-z0-9-]{1,61}[a-z0-9]")


def read(properties: JsonObject) -> dict[str, Any]:
    """Read what a PUT asks for. Raises MalformedDocument, InvalidRequest."""
    choice(properties, "publicIPAddressVersion", "IPv4", default="IPv4")
    dns = properties.optional_object("dnsSettings")
    label = dns.optional_string("domainNameLabel") if dns else None
    if label and not _LABEL.fullmatch(label):
        raise InvalidRequest(
            f"The domain name label {label[:80]} is invalid. It must conform to the following regular expression:"
            f" ^{_LABEL.pattern}$",
            code="InvalidDomainNameLabel",
        )
    minutes = properties.optional_integer("idleTimeoutInMinutes")
    return {
        "publicIPAllocationMethod": choice(
            properties, "publicIPAllocationMethod", "Dynamic", "Static", default="Dynamic"
        ),
        "idleTimeoutInMinutes": 4 if minutes is None else minutes,
        **({"dnsSettings": {"domainNameLabel": label}} if label else {}),
    }


def show(resource: NetworkResource, topology: Topology) -> dict[str, Any]:
    """Return the properties as ARM shows them; names below ``localhost`` lead to the loopback address everywhere."""
    shown: dict[str, Any] = {
        **resource.properties,
        "ipAddress": PUBLIC_ADDRESS,
        "publicIPAddressVersion": "IPv4",
        "ipTags": [],
        "ddosSettings": {"protectionMode": "VirtualNetworkInherited"},
    }
    if "dnsSettings" in resource.properties:
        label = resource.properties["dnsSettings"]["domainNameLabel"]
        shown["dnsSettings"] = {"domainNameLabel": label, "fqdn": f"{label}.localhost"}
    users = topology.referrers_of(str(resource.id))
    return {**shown, "ipConfiguration": {"id": users[0]}} if users else shown

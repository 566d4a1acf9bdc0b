"""Resources of Azure's network provider as the fabric keeps them: documents of a few kinds, and who names whom.

What a machine that was created without network interfaces is shown with is implied by its name: an interface, a public
IP address, a security group and a virtual network, named as ``az vm create`` names them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dockyard.model.resource_id import ResourceId

VIRTUAL_NETWORKS = "Microsoft.Network/virtualNetworks"
NETWORK_INTERFACES = "Microsoft.Network/networkInterfaces"
PUBLIC_IP_ADDRESSES = "Microsoft.Network/publicIPAddresses"
NETWORK_SECURITY_GROUPS = "Microsoft.Network/networkSecurityGroups"
TYPES = (VIRTUAL_NETWORKS, NETWORK_INTERFACES, PUBLIC_IP_ADDRESSES, NETWORK_SECURITY_GROUPS)
PUBLIC_ADDRESS = "127.0.0.1"
"""Where every machine of this host is reached: its forwards listen there."""

_IMPLIED_NAMES = {
    NETWORK_INTERFACES: "VMNic",
    PUBLIC_IP_ADDRESSES: "PublicIP",
    NETWORK_SECURITY_GROUPS: "NSG",
    VIRTUAL_NETWORKS: "VNET",
}


@dataclass(frozen=True, kw_only=True)
class NetworkResource:
    """The stored document. ``properties`` are ARM's, as asked for and checked; children are among them.

    Attributes:
        guid: ARM's ``resourceGuid``.
        owner: the key of the virtual machine it is deleted with; empty when it stands for itself.
    """

    id: ResourceId
    location: str
    guid: str
    properties: Mapping[str, Any]
    sku: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""

    def children(self, collection: str) -> list[dict[str, Any]]:
        """Return a list of named members: ``subnets``, ``securityRules``, ``ipConfigurations``."""
        return list(self.properties.get(collection, ()))

    def child(self, collection: str, name: str) -> dict[str, Any] | None:
        """Return one of them by name, compared without case, or None."""
        return next((each for each in self.children(collection) if each["name"].lower() == name.lower()), None)


@dataclass(frozen=True)
class Reference:
    """``source`` (a resource or a part of one) names ``target``; both are ids."""

    source: str
    target: str


def references(resource: NetworkResource) -> Iterator[Reference]:
    """Yield whom a resource names."""
    own, properties = str(resource.id), resource.properties
    yield from _reference(own, properties.get("networkSecurityGroup"))
    for subnet in resource.children("subnets"):
        yield from _reference(f"{own}/subnets/{subnet['name']}", subnet["properties"].get("networkSecurityGroup"))
    for part in resource.children("ipConfigurations"):
        source = f"{own}/ipConfigurations/{part['name']}"
        yield from _reference(source, part["properties"].get("subnet"))
        yield from _reference(source, part["properties"].get("publicIPAddress"))


def implied_id(machine: ResourceId, type: str) -> ResourceId:
    """Name the resource of one type that goes with a machine created without network interfaces."""
    name = f"{machine.name}{_IMPLIED_NAMES[type]}"
    return ResourceId(machine.subscription_id, machine.resource_group, type, (name,))


def _reference(source: str, link: Mapping[str, Any] | None) -> Iterator[Reference]:
    if link and link.get("id"):
        yield Reference(source, str(link["id"]))

"""The network resources of the host at one moment: the stored ones, those machines imply, and who names whom. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from dockyard.model.network import (
    NETWORK_INTERFACES,
    NETWORK_SECURITY_GROUPS,
    PUBLIC_IP_ADDRESSES,
    VIRTUAL_NETWORKS,
    NetworkResource,
    implied_id,
    references,
)
from dockyard.model.resource_id import ResourceId
from dockyard.model.security_rules import OpenPort, SecurityRule, open_ports
from dockyard.model.virtual_machine import VirtualMachine

_SUBNETS = "/subnets/"


@dataclass(frozen=True)
class Topology:
    """Look-ups by key: an id in lower case. ``referrers`` are ids; ``machines`` are by the key of their interface."""

    resources: Mapping[str, NetworkResource]
    machines: Mapping[str, VirtualMachine]
    referrers: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, *, stored: Sequence[NetworkResource], machines: Sequence[VirtualMachine]) -> Topology:
        """Join the stored resources with what machines without interfaces imply; a stored one goes first."""
        resources = {each.id.key: each for machine in machines for each in implied(machine)}
        resources |= {each.id.key: each for each in stored}
        referrers: dict[str, list[str]] = {}
        for resource in resources.values():
            for reference in references(resource):
                referrers.setdefault(reference.target.lower(), []).append(reference.source)
        return cls(
            resources=resources,
            machines={id.lower(): machine for machine in machines for id in interfaces_of(machine)},
            referrers={target: tuple(sources) for target, sources in referrers.items()},
        )

    def referrers_of(self, id: str) -> tuple[str, ...]:
        """Return the ids of what names a resource or a subnet."""
        return self.referrers.get(id.lower(), ())

    def subnet(self, id: str) -> dict[str, Any] | None:
        """Return a subnet by id, None when there is none."""
        network, _, name = id.lower().partition(_SUBNETS)
        found = self.resources.get(network)
        return found.child("subnets", name) if found else None

    def exists(self, id: str) -> bool:
        """Tell whether there is a resource or a subnet with this id."""
        return id.lower() in self.resources or (_SUBNETS in id.lower() and self.subnet(id) is not None)

    def open_ports(self, machine: VirtualMachine) -> list[OpenPort]:
        """Return the ports of a machine that the security groups on its way in allow."""
        found: set[OpenPort] = set()
        for interface in interfaces_of(machine):
            groups = [[SecurityRule.of(rule) for rule in rules] for rules in self._groups(interface)]
            found.update(open_ports(groups, address=machine.network.private_ip))
        return sorted(found)

    def _groups(self, interface: str) -> Iterator[list[dict[str, Any]]]:
        """Yield the rules of the groups of an interface's subnets, then of its own."""
        found = self.resources.get(interface.lower())
        if found is None:
            return
        subnets = [part["properties"].get("subnet") for part in found.children("ipConfigurations")]
        holders = [self.subnet(str(link["id"])) for link in subnets if link]
        parts = [subnet["properties"] for subnet in holders if subnet] + [found.properties]
        for part in parts:
            link = part.get("networkSecurityGroup")
            group = self.resources.get(str(link["id"]).lower()) if link else None
            if group is not None:
                yield group.children("securityRules")


def interfaces_of(machine: VirtualMachine) -> tuple[str, ...]:
    """Return the ids of a machine's network interfaces, implied or named at its creation."""
    return machine.network.interfaces or (str(implied_id(machine.id, NETWORK_INTERFACES)),)


def implied(machine: VirtualMachine) -> tuple[NetworkResource, ...]:
    """Return what a machine without named interfaces is shown with; nothing for another one."""
    if machine.network.interfaces:
        return ()
    ids = {type: implied_id(machine.id, type) for type in _PROPERTIES}
    return tuple(
        NetworkResource(
            id=id,
            location=machine.location,
            guid=str(uuid.uuid5(uuid.UUID(machine.vm_id), type)),
            properties=_PROPERTIES[type](machine, ids),
            sku={"name": "Standard", "tier": "Regional"} if type == PUBLIC_IP_ADDRESSES else {},
            owner=machine.id.key,
        )
        for type, id in ids.items()
    )


def _interface(machine: VirtualMachine, ids: Mapping[str, ResourceId]) -> dict[str, Any]:
    subnet = ids[VIRTUAL_NETWORKS].child(kind="subnets", name=_subnet_name(machine))
    configuration = {
        "privateIPAddress": machine.network.private_ip,
        "privateIPAllocationMethod": "Dynamic",
        "subnet": {"id": str(subnet)},
        "publicIPAddress": {"id": str(ids[PUBLIC_IP_ADDRESSES])},
    }
    return {
        "ipConfigurations": [{"name": f"ipconfig{machine.id.name}", "properties": configuration}],
        "networkSecurityGroup": {"id": str(ids[NETWORK_SECURITY_GROUPS])},
    }


def _public_address(_machine: VirtualMachine, _ids: Mapping[str, ResourceId]) -> dict[str, Any]:
    return {"publicIPAllocationMethod": "Static", "idleTimeoutInMinutes": 4}


def _security_group(machine: VirtualMachine, _ids: Mapping[str, ResourceId]) -> dict[str, Any]:
    """The forwards a machine has from the start are the rules it has from the start."""
    rules = [
        _allowing(f"default-allow-{forward.name}", port=forward.guest_port, priority=1000 + 10 * at)
        for at, forward in enumerate(each for each in machine.network.forwards if not each.opened)
    ]
    return {"securityRules": rules}


def _virtual_network(machine: VirtualMachine, _ids: Mapping[str, ResourceId]) -> dict[str, Any]:
    subnet = str(IPv4Network(f"{machine.network.private_ip}/24", strict=False))
    return {
        "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
        "subnets": [{"name": _subnet_name(machine), "properties": {"addressPrefix": subnet}}],
    }


_PROPERTIES = {
    VIRTUAL_NETWORKS: _virtual_network,
    NETWORK_SECURITY_GROUPS: _security_group,
    PUBLIC_IP_ADDRESSES: _public_address,
    NETWORK_INTERFACES: _interface,
}


def _subnet_name(machine: VirtualMachine) -> str:
    return f"{machine.id.name}Subnet"


def _allowing(name: str, *, port: int, priority: int) -> dict[str, Any]:
    return {
        "name": name,
        "properties": {
            "priority": priority,
            "direction": "Inbound",
            "access": "Allow",
            "protocol": "Tcp",
            "sourceAddressPrefix": "*",
            "sourcePortRange": "*",
            "destinationAddressPrefix": "*",
            "destinationPortRange": str(port),
        },
    }

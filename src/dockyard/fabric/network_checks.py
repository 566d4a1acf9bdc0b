"""What a network resource may be and when it may go, judged against all others: pure, in Azure's codes and words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from dockyard.fabric.topology import Topology
from dockyard.model.errors import InvalidRequest
from dockyard.model.network import (
    NETWORK_INTERFACES,
    NETWORK_SECURITY_GROUPS,
    PUBLIC_IP_ADDRESSES,
    VIRTUAL_NETWORKS,
    NetworkResource,
    references,
)
from dockyard.model.resource_id import ResourceId
from dockyard.model.security_rules import SecurityRule, check_size

_OUTBOUND = IPv4Network("10.0.2.0/24")  # of every machine's way out; the same on its virtual network would mislead it
_ELSEWHERE = IPv4Network("10.1.0.0/16")
_KEPT_BY_AZURE = 4  # the first addresses of a subnet


def checked(resource: NetworkResource, *, topology: Topology) -> NetworkResource:
    """Return the resource as it may be stored, an interface with its address.

    Raises:
        InvalidRequest: it names what does not exist or is taken, or would change what is in use.
    """
    _check_references(resource, topology)
    if resource.id.type == VIRTUAL_NETWORKS:
        _check_ranges(resource)
        _check_subnets_kept(resource, topology)
    elif resource.id.type == NETWORK_SECURITY_GROUPS:
        _check_rules(resource)
    elif resource.id.type == PUBLIC_IP_ADDRESSES:
        _check_label(resource, topology)
    elif resource.id.type == NETWORK_INTERFACES:
        _check_public_addresses(resource, topology)
        return _with_addresses(resource, topology)
    return resource


def check_unused(resource: NetworkResource, *, topology: Topology) -> None:
    """Raise InvalidRequest (InUseSubnetCannotBeDeleted, NicInUse, ...) when something needs the resource."""
    id, users = str(resource.id), ", ".join(topology.referrers_of(str(resource.id)))
    if resource.id.type == VIRTUAL_NETWORKS:
        for subnet in resource.children("subnets"):
            check_subnet_unused(id, subnet["name"], topology=topology)
    elif resource.id.type == NETWORK_INTERFACES and resource.id.key in topology.machines:
        raise InvalidRequest(
            f"Network Interface {id} is used by existing resource {topology.machines[resource.id.key].id}. In order to"
            " delete the network interface, it must be dissociated from the resource",
            resolution="Delete the virtual machine first.",
            code="NicInUse",
        )
    elif resource.id.type == PUBLIC_IP_ADDRESSES and users:
        raise InvalidRequest(
            f"Public IP address {id} can not be deleted since it is still allocated to resource {users}. In order to"
            " delete the public IP, disassociate/detach the Public IP address from the resource",
            code="PublicIPAddressCannotBeDeleted",
        )
    elif resource.id.type == NETWORK_SECURITY_GROUPS and users:
        raise InvalidRequest(
            f"Network security group {id} cannot be deleted because it is in use by the following resources: {users}."
            " In order to delete the Network security group, remove the association with the resource(s)",
            code="InUseNetworkSecurityGroupCannotBeDeleted",
        )


def check_subnet_unused(network: str, name: str, *, topology: Topology) -> None:
    """Raise InvalidRequest (code InUseSubnetCannotBeDeleted) when an interface lies in the subnet."""
    users = topology.referrers_of(f"{network}/subnets/{name}")
    if users:
        raise InvalidRequest(
            f"Subnet {name} is in use by {users[0]} and cannot be deleted. In order to delete the subnet, delete all"
            " the resources within the subnet",
            code="InUseSubnetCannotBeDeleted",
        )


def _check_references(resource: NetworkResource, topology: Topology) -> None:
    for reference in references(resource):
        if not topology.exists(reference.target):
            raise InvalidRequest(
                f"Resource {reference.target} referenced by resource {reference.source} was not found. Please make"
                " sure that the referenced resource exists, and that both resources are in the same region",
                code="InvalidResourceReference",
            )


def _check_ranges(resource: NetworkResource) -> None:
    space = [IPv4Network(prefix) for prefix in resource.properties["addressSpace"]["addressPrefixes"]]
    before: list[IPv4Network] = []
    for subnet in resource.children("subnets"):
        for network in (IPv4Network(prefix) for prefix in _prefixes(subnet)):
            if not any(network.subnet_of(whole) for whole in space):
                raise InvalidRequest(
                    f"Subnet '{subnet['name']}' is not valid because its IP address range is outside the IP address"
                    f" range of virtual network '{resource.id.name}'",
                    code="NetcfgSubnetRangeOutsideVnet",
                )
            if any(network.overlaps(other) for other in before):
                raise InvalidRequest(
                    f"Subnet '{subnet['name']}' is not valid because its IP address range overlaps with that of an"
                    f" existing subnet in virtual network '{resource.id.name}'",
                    code="NetcfgSubnetRangesOverlap",
                )
            before.append(network)


def _check_subnets_kept(resource: NetworkResource, topology: Topology) -> None:
    before = topology.resources.get(resource.id.key)
    for subnet in before.children("subnets") if before else ():
        wanted = resource.child("subnets", subnet["name"])
        if wanted is None:
            check_subnet_unused(str(resource.id), subnet["name"], topology=topology)
        elif _prefixes(wanted) != _prefixes(subnet) and topology.referrers_of(
            f"{resource.id}/subnets/{subnet['name']}"
        ):
            raise InvalidRequest(
                f"Subnet {subnet['name']} is in use and cannot be updated", code="InUsePrefixCannotBeDeleted"
            )


def _check_rules(resource: NetworkResource) -> None:
    rules = [SecurityRule.of(rule) for rule in resource.children("securityRules")]
    taken: dict[tuple[int, bool], str] = {}
    for rule in rules:
        other = taken.setdefault((rule.priority, rule.inbound), rule.name)
        if other != rule.name:
            raise InvalidRequest(
                f"Security rule {rule.name} conflicts with rule {other}. Rules cannot have the same Priority and"
                " Direction",
                code="SecurityRuleConflict",
            )
    check_size(rules)


def _check_label(resource: NetworkResource, topology: Topology) -> None:
    label = _label(resource)
    for other in topology.resources.values():
        if label and other.id.key != resource.id.key and _label(other) == label:
            raise InvalidRequest(
                f"DNS record {label}.localhost is already used by another public IP",
                details=f"It is {other.id}.",
                code="DnsRecordInUse",
            )


def _check_public_addresses(resource: NetworkResource, topology: Topology) -> None:
    for reference in references(resource):
        others = [
            source
            for source in topology.referrers_of(reference.target)
            if not source.lower().startswith(f"{resource.id.key}/")
        ]
        if others and f"/{PUBLIC_IP_ADDRESSES}/".lower() in reference.target.lower():
            raise InvalidRequest(
                f"Resource {reference.source} is referencing public IP address {reference.target} that is already"
                f" allocated to resource {others[0]}",
                code="PublicIPAddressInUse",
            )


def _with_addresses(resource: NetworkResource, topology: Topology) -> NetworkResource:
    machine = topology.machines.get(resource.id.key)
    parts = []
    for part in resource.children("ipConfigurations"):
        address = machine.network.private_ip if machine else _address(resource.id, part, topology)
        parts.append({**part, "properties": {**part["properties"], "privateIPAddress": address}})
    return replace(resource, properties={**resource.properties, "ipConfigurations": parts})


def _address(id: ResourceId, part: dict[str, Any], topology: Topology) -> str:
    """Choose an interface's address: the one asked for, the one it has, else the first that is free in the subnet."""
    properties = part["properties"]
    subnet = topology.subnet(str(properties["subnet"]["id"])) or {"name": "", "properties": {}}
    networks = [IPv4Network(prefix, strict=False) for prefix in _prefixes(subnet)]
    taken = dict(_taken(id, str(properties["subnet"]["id"]), topology))
    asked = properties.get("privateIPAddress")
    if asked and properties.get("privateIPAllocationMethod") == "Static":
        return _checked_static(asked, part["name"], networks=networks, taken=taken)
    before = topology.resources.get(id.key)
    had = before.child("ipConfigurations", part["name"]) if before else None
    present = had["properties"].get("privateIPAddress", "") if had else ""
    if present and present not in taken and any(IPv4Address(present) in network for network in networks):
        return str(present)
    usable = [network for network in networks if not network.subnet_of(_OUTBOUND)] or [_ELSEWHERE]
    for address in (str(host) for network in usable for host in _hosts(network)):
        if address not in taken:
            return address
    raise InvalidRequest(
        f"Subnet {subnet['name']} does not have enough capacity for 1 IP addresses", code="SubnetIsFull"
    )


def _checked_static(asked: str, name: str, *, networks: list[IPv4Network], taken: dict[str, str]) -> str:
    if not any(IPv4Address(asked) in network for network in networks):
        raise InvalidRequest(
            f"Private static IP address {asked} does not belong to the range of subnet prefix"
            f" {', '.join(str(network) for network in networks)}",
            code="PrivateIPAddressNotInSubnet",
        )
    if asked in taken:
        raise InvalidRequest(
            f"IP configuration {name} is using the private IP address {asked} which is already allocated to resource"
            f" {taken[asked]}",
            code="PrivateIPAddressIsAllocated",
        )
    if IPv4Address(asked) in _OUTBOUND:
        raise InvalidRequest(
            f"Private static IP address {asked} cannot be given: {_OUTBOUND} is the network of every machine's way out",
            resolution="Use another subnet, or let the address be allocated dynamically.",
            code="PrivateIPAddressInReservedRange",
        )
    return asked


def _taken(id: ResourceId, subnet: str, topology: Topology) -> Iterator[tuple[str, str]]:
    """Yield the addresses of the same virtual network that others have, and whose they are."""
    network = subnet.lower().partition("/subnets/")[0]
    for other in topology.resources.values():
        for part in other.children("ipConfigurations") if other.id.key != id.key else ():
            link = part["properties"].get("subnet") or {}
            if str(link.get("id", "")).lower().startswith(f"{network}/"):
                yield part["properties"].get("privateIPAddress", ""), f"{other.id}/ipConfigurations/{part['name']}"


def _hosts(network: IPv4Network) -> Iterator[IPv4Address]:
    for number in range(_KEPT_BY_AZURE, network.num_addresses - 1):
        host = network.network_address + number
        if host not in _OUTBOUND:
            yield host


def _prefixes(subnet: dict[str, Any]) -> list[str]:
    properties = subnet["properties"]
    return list(
        properties.get("addressPrefixes") or [properties[name] for name in ("addressPrefix",) if name in properties]
    )


def _label(resource: NetworkResource) -> str:
    return str((resource.properties.get("dnsSettings") or {}).get("domainNameLabel") or "").lower()

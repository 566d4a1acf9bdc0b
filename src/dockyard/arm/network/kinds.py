"""The table of network resources: for each kind its words, how a body is read and how a document is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dockyard.arm import schemas
from dockyard.arm.describe import Schema
from dockyard.arm.network import network_interfaces, public_ip_addresses, security_groups, virtual_networks
from dockyard.fabric.topology import Topology
from dockyard.model.network import (
    NETWORK_INTERFACES,
    NETWORK_SECURITY_GROUPS,
    PUBLIC_IP_ADDRESSES,
    VIRTUAL_NETWORKS,
    NetworkResource,
)
from dockyard_contract.documents import JsonObject

_PREFIX = schemas.an_object("addressPrefix", addressPrefix=schemas.TEXT)
_RULE = schemas.an_object(
    "protocol",
    "access",
    "direction",
    "priority",
    protocol={"enum": ["Tcp", "Udp", "Icmp", "Esp", "Ah", "*"]},
    access={"enum": ["Allow", "Deny"]},
    direction={"enum": ["Inbound", "Outbound"]},
    priority={"type": "integer", "minimum": 100, "maximum": 4096},
    sourceAddressPrefix=schemas.TEXT,
    sourcePortRange=schemas.TEXT,
    destinationAddressPrefix=schemas.TEXT,
    destinationPortRange=schemas.TEXT,
)
_ANY_TO = {"sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": "*"}
_WEB = {"protocol": "Tcp", "access": "Allow", "direction": "Inbound", "priority": 300, "destinationPortRange": "8080"}


@dataclass(frozen=True, kw_only=True)
class Child:
    """A kind of part that has an id of its own. ``collection`` is the member of its parent that holds it."""

    collection: str
    title: str
    read: Callable[[JsonObject], dict[str, Any]]
    show: Callable[[NetworkResource, Mapping[str, Any], Topology], dict[str, Any]]
    body: Schema


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of resource. ``title`` names it in the descriptions of its routes."""

    type: str
    title: str
    read: Callable[[JsonObject], dict[str, Any]]
    show: Callable[[NetworkResource, Topology], dict[str, Any]]
    body: Schema
    has_sku: bool = False
    child: Child | None = None


def _optional(**properties: Schema) -> dict[str, Any]:
    """Return the schema of a body that need not have ``properties``."""
    members = {"location": schemas.MAYBE_TEXT, "tags": schemas.TAGS}
    return schemas.an_object(**members, properties=schemas.maybe(schemas.an_object(**properties)))


def _with_example(body: dict[str, Any], properties: Mapping[str, Any]) -> Schema:
    return {**body, "examples": [{"location": "local", "properties": properties}]}


KINDS = (
    Kind(
        type=VIRTUAL_NETWORKS,
        title="virtual network",
        read=virtual_networks.read,
        show=virtual_networks.show,
        body=_with_example(
            schemas.a_body(
                "addressSpace",
                addressSpace=schemas.an_object("addressPrefixes", addressPrefixes=schemas.an_array(schemas.TEXT)),
                subnets={"type": ["array", "null"], "items": schemas.OBJECT},
            ),
            {
                "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                "subnets": [{"name": "default", "properties": {"addressPrefix": "10.0.0.0/24"}}],
            },
        ),
        child=Child(
            collection="subnets",
            title="subnet",
            read=virtual_networks.read_subnet,
            show=virtual_networks.show_subnet,
            body=schemas.an_object("properties", properties=_PREFIX)
            | {"examples": [{"properties": {"addressPrefix": "10.0.1.0/24"}}]},
        ),
    ),
    Kind(
        type=NETWORK_INTERFACES,
        title="network interface",
        read=network_interfaces.read,
        show=network_interfaces.show,
        body=schemas.a_body("ipConfigurations", ipConfigurations=schemas.an_array(schemas.OBJECT)),
    ),
    Kind(
        type=PUBLIC_IP_ADDRESSES,
        title="public IP address",
        read=public_ip_addresses.read,
        show=public_ip_addresses.show,
        body=_with_example(
            _optional(publicIPAllocationMethod=schemas.MAYBE_TEXT), {"publicIPAllocationMethod": "Static"}
        ),
        has_sku=True,
    ),
    Kind(
        type=NETWORK_SECURITY_GROUPS,
        title="network security group",
        read=security_groups.read,
        show=security_groups.show,
        body=_with_example(
            _optional(securityRules={"type": ["array", "null"], "items": schemas.OBJECT}),
            {"securityRules": [{"name": "web", "properties": {**_ANY_TO, **_WEB}}]},
        ),
        child=Child(
            collection="securityRules",
            title="security rule",
            read=security_groups.read_rule,
            show=security_groups.show_rule,
            body=schemas.an_object("properties", properties=_RULE)
            | {"examples": [{"properties": {**_ANY_TO, **_WEB, "priority": 310}}]},
        ),
    ),
)

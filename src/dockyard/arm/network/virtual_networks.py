"""Virtual networks and their subnets as bodies and documents. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockyard.arm.network.members import SUCCEEDED, child_document, link, links, named, prefix
from dockyard.fabric.topology import Topology
from dockyard.model.errors import InvalidRequest
from dockyard.model.network import VIRTUAL_NETWORKS, NetworkResource
from dockyard_contract.documents import JsonObject

SUBNETS = f"{VIRTUAL_NETWORKS}/subnets"


def read(properties: JsonObject) -> dict[str, Any]:
    """Read what a PUT asks for. Raises MalformedDocument, InvalidRequest."""
    prefixes = [prefix(each) for each in properties.object("addressSpace").array("addressPrefixes")]
    if not prefixes:
        raise InvalidRequest("A virtual network needs an address prefix", code="InvalidAddressPrefixFormat")
    subnets = named(properties.optional_array("subnets") or ())
    return {
        "addressSpace": {"addressPrefixes": prefixes},
        "subnets": [{"name": name, "properties": read_subnet(each)} for name, each in subnets],
    }


def read_subnet(properties: JsonObject) -> dict[str, Any]:
    """Read what a subnet is to be. Raises MalformedDocument, InvalidRequest."""
    many = [prefix(each) for each in properties.optional_array("addressPrefixes") or ()]
    found: dict[str, Any] = {"addressPrefixes": many} if many else {}
    if not many or properties.optional_string("addressPrefix"):
        found = {"addressPrefix": prefix(properties.value("addressPrefix"))}
    group = link(properties, "networkSecurityGroup")
    return {**found, "networkSecurityGroup": group} if group else found


def show(resource: NetworkResource, topology: Topology) -> dict[str, Any]:
    """Return the properties as ARM shows them."""
    return {
        **resource.properties,
        "subnets": [show_subnet(resource, each, topology) for each in resource.children("subnets")],
        "enableDdosProtection": False,
        "virtualNetworkPeerings": [],
    }


def show_subnet(parent: NetworkResource, child: Mapping[str, Any], topology: Topology) -> dict[str, Any]:
    """Return a subnet as ARM shows it."""
    document = child_document(parent, SUBNETS, child, **SUCCEEDED, delegations=[])
    users = topology.referrers_of(document["id"])
    document["properties"] |= {"ipConfigurations": links(users)} if users else {}
    document["properties"] |= {
        "privateEndpointNetworkPolicies": "Disabled",
        "privateLinkServiceNetworkPolicies": "Enabled",
    }
    return document

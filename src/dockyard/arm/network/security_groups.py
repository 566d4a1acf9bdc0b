"""Network security groups and their rules as bodies and documents. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

from dockyard.arm.network.members import child_document, choice, links, named
from dockyard.fabric.topology import Topology
from dockyard.model.errors import InvalidRequest
from dockyard.model.network import NETWORK_SECURITY_GROUPS, NetworkResource
from dockyard_contract.documents import JsonObject

RULES = f"{NETWORK_SECURITY_GROUPS}/securityRules"
_DEFAULT_RULES = f"{NETWORK_SECURITY_GROUPS}/defaultSecurityRules"
_TAG = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,79}")
_VNET, _ALL = "VirtualNetwork", "*"
_DEFAULTS: tuple[dict[str, Any], ...] = (
    {"name": "AllowVnetInBound", "access": "Allow", "priority": 65000, "source": _VNET, "to": _VNET},
    {"name": "AllowAzureLoadBalancerInBound", "access": "Allow", "priority": 65001, "source": "AzureLoadBalancer"},
    {"name": "DenyAllInBound", "access": "Deny", "priority": 65500},
    {"name": "AllowVnetOutBound", "access": "Allow", "priority": 65000, "source": _VNET, "to": _VNET},
    {"name": "AllowInternetOutBound", "access": "Allow", "priority": 65001, "to": "Internet"},
    {"name": "DenyAllOutBound", "access": "Deny", "priority": 65500},
)


def read(properties: JsonObject) -> dict[str, Any]:
    """Read what a PUT asks for. Raises MalformedDocument, InvalidRequest."""
    rules = named(properties.optional_array("securityRules") or ())
    return {"securityRules": [{"name": name, "properties": read_rule(each)} for name, each in rules]}


def read_rule(properties: JsonObject) -> dict[str, Any]:
    """Read what a rule is to be; the fabric checks its ports. Raises MalformedDocument, InvalidRequest."""
    priority = properties.integer("priority")
    if not 100 <= priority <= 4096:
        raise InvalidRequest(
            f"Security rule has invalid Priority. Value provided: {priority} Allowed range 100-4096",
            code="SecurityRuleInvalidPriority",
        )
    description = properties.optional_string("description")
    return {
        **({"description": description} if description else {}),
        "protocol": choice(properties, "protocol", "Tcp", "Udp", "Icmp", "Esp", "Ah", "*"),
        **_either(properties, "sourcePortRange", "sourcePortRanges"),
        **_either(properties, "destinationPortRange", "destinationPortRanges"),
        **_either(properties, "sourceAddressPrefix", "sourceAddressPrefixes", prefixes=True),
        **_either(properties, "destinationAddressPrefix", "destinationAddressPrefixes", prefixes=True),
        "access": choice(properties, "access", "Allow", "Deny"),
        "priority": priority,
        "direction": choice(properties, "direction", "Inbound", "Outbound"),
    }


def show(resource: NetworkResource, topology: Topology) -> dict[str, Any]:
    """Return the properties as ARM shows them."""
    users = topology.referrers_of(str(resource.id))
    subnets = tuple(id for id in users if "/subnets/" in id.lower())
    interfaces = tuple(id for id in users if id not in subnets)
    return {
        "securityRules": [show_rule(resource, each, topology) for each in resource.children("securityRules")],
        "defaultSecurityRules": [_default(resource, **each) for each in _DEFAULTS],
        **({"networkInterfaces": links(interfaces)} if interfaces else {}),
        **({"subnets": links(subnets)} if subnets else {}),
    }


def show_rule(parent: NetworkResource, child: Mapping[str, Any], _topology: Topology) -> dict[str, Any]:
    """Return a rule as ARM shows it."""
    document = child_document(parent, RULES, child)
    many = ("sourcePortRanges", "destinationPortRanges", "sourceAddressPrefixes", "destinationAddressPrefixes")
    document["properties"] = {**{name: [] for name in many}, **document["properties"]}
    return document


def _default(
    parent: NetworkResource, *, name: str, access: str, priority: int, source: str = _ALL, to: str = _ALL
) -> dict[str, Any]:
    properties = {
        "protocol": "*",
        "sourcePortRange": "*",
        "destinationPortRange": "*",
        "sourceAddressPrefix": source,
        "destinationAddressPrefix": to,
        "access": access,
        "priority": priority,
        "direction": "Inbound" if name.endswith("InBound") else "Outbound",
    }
    return child_document(parent, _DEFAULT_RULES, {"name": name, "properties": properties})


def _either(properties: JsonObject, one: str, many: str, *, prefixes: bool = False) -> dict[str, Any]:
    """Read a member that may be one text or several: exactly one of the two must be given."""
    texts = [each.string() for each in properties.optional_array(many) or ()]
    single = properties.optional_string(one)
    for text in [*texts, *([single] if single else [])]:
        if prefixes:
            _check_prefix(text)
    if texts and single:
        raise InvalidRequest(
            f"A security rule has either {one} or {many}, not both", code="SecurityRuleCannotHaveBothSingleAndPlural"
        )
    if single:
        return {one: single}
    if texts:
        return {many: texts}
    raise InvalidRequest(
        f"A security rule needs {one} or {many}",
        details=f"found neither at {properties.path}",
        resolution="Use '*' for any.",
        code="SecurityRuleParameterNotSpecified",
    )


def _check_prefix(text: str) -> None:
    if text == "*" or _TAG.fullmatch(text):
        return
    try:
        ip_network(text, strict=False)
    except ValueError as error:
        raise InvalidRequest(
            f"Security rule has invalid Address prefix. Value provided: {text[:60]}",
            resolution="Use '*', an address, a CIDR prefix or a service tag.",
            code="SecurityRuleInvalidAddressPrefix",
        ) from error

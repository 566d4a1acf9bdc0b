"""Which ports security groups open, as a table, and how many they may."""

from __future__ import annotations

from typing import Any

import pytest

from dockyard.model.errors import InvalidRequest
from dockyard.model.security_rules import MAX_PORTS, SecurityRule, check_size, open_ports

ANY = {
    "sourceAddressPrefix": "*",
    "sourcePortRange": "*",
    "destinationAddressPrefix": "*",
    "access": "Allow",
    "direction": "Inbound",
    "protocol": "Tcp",
    "priority": 300,
}


def rule(ports: str, **changes: Any) -> SecurityRule:
    return SecurityRule.of({"name": "r", "properties": {**ANY, "destinationPortRange": ports, **changes}})


def opened(*groups: list[SecurityRule]) -> list[str]:
    return [f"{each.protocol}/{each.port}" for each in open_ports(groups, address="10.0.0.4")]


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ([], []),
        ([rule("80")], ["tcp/80"]),
        ([rule("80", protocol="*")], ["tcp/80", "udp/80"]),
        ([rule("80", protocol="Icmp")], []),
        ([rule("80,443, 90-91")], ["tcp/80", "tcp/90", "tcp/91", "tcp/443"]),
        ([rule("*")], []),
        ([rule("0-65535")], []),
        ([rule("80", access="Deny")], []),
        ([rule("80"), rule("*", access="Deny", priority=299)], []),
        ([rule("80"), rule("*", access="Deny", priority=301)], ["tcp/80"]),
        ([rule("80"), rule("*", access="Deny", priority=200, protocol="Udp")], ["tcp/80"]),
        ([rule("80"), rule("80", access="Deny", priority=200, sourceAddressPrefix="10.0.0.0/8")], ["tcp/80"]),
        ([rule("80", direction="Outbound")], []),
        ([rule("80", sourceAddressPrefix="Internet")], ["tcp/80"]),
        ([rule("80", sourceAddressPrefix="VirtualNetwork")], []),
        ([rule("80", sourceAddressPrefix="127.0.0.0/8")], ["tcp/80"]),
        ([rule("80", sourceAddressPrefix=None, sourceAddressPrefixes=["1.2.3.4", "127.0.0.1"])], ["tcp/80"]),
        ([rule("80", sourcePortRange="1000-2000")], []),
        ([rule("80", destinationAddressPrefix="10.0.0.4")], ["tcp/80"]),
        ([rule("80", destinationAddressPrefix="VirtualNetwork")], ["tcp/80"]),
        ([rule("80", destinationAddressPrefix="10.0.0.5/32")], []),
        ([rule("80", sourceAddressPrefix="1.2.3.4"), rule("*", priority=400)], []),
    ],
)
def test_a_group_opens(rules: list[SecurityRule], found: list[str]) -> None:
    assert opened(rules) == found


def test_every_group_on_the_way_must_let_pass() -> None:
    assert opened([rule("80-81")], [rule("81-82")]) == ["tcp/81"]
    assert opened([rule("*")], [rule("80")]) == ["tcp/80"]
    assert opened() == []


def test_a_group_opens_no_more_than_a_host_can_give() -> None:
    check_size([rule(f"1000-{999 + MAX_PORTS}"), rule("1000-1010"), rule("*"), rule("1-65535", access="Deny")])
    check_size([rule("1-65535", protocol="Icmp")])
    for rules in ([rule("1000-1064")], [rule("1000-1063"), rule("80")]):
        with pytest.raises(InvalidRequest) as refusal:
            check_size(rules)
        assert refusal.value.code == "SecurityRuleTooManyPorts"

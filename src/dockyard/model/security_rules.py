"""Rules of network security groups, and which ports they open on this host. Pure.

The way in leads through the group of the subnet, then through that of the interface; each lets pass what its first
matching rule, by priority, allows. Whoever comes through a forward comes from the host's own loopback address, which is
the internet to a machine: rules that speak of another source do not match. ``*`` as a port lets pass but opens nothing:
a port is opened where a rule names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from dockyard.model.errors import InvalidRequest

MAX_PORTS = 64
"""How many ports the inbound rules of one group may open."""

_EVERYTHING = (0, 65535)
_ANY_PREFIX = frozenset({"*", "internet", "any", "0.0.0.0/0"})
_CALLER = IPv4Address("127.0.0.1")
_OPENABLE = {"tcp": ("tcp",), "udp": ("udp",), "*": ("tcp", "udp")}


@dataclass(frozen=True, order=True)
class OpenPort:
    """A port of the guest that may be reached; ``protocol`` is ``tcp`` or ``udp``."""

    protocol: str
    port: int


@dataclass(frozen=True, kw_only=True)
class SecurityRule:
    """One rule. ``ports`` are ranges with both ends; ``protocol`` is in lower case."""

    name: str
    priority: int
    inbound: bool
    allows: bool
    protocol: str
    sources: tuple[str, ...]
    source_ports: tuple[tuple[int, int], ...]
    destinations: tuple[str, ...]
    ports: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> SecurityRule:
        """Read a rule as ARM writes it. Raises InvalidRequest (code SecurityRuleInvalidPortRange)."""
        properties = document["properties"]
        return cls(
            name=document["name"],
            priority=properties["priority"],
            inbound=properties["direction"].lower() == "inbound",
            allows=properties["access"].lower() == "allow",
            protocol=properties["protocol"].lower(),
            sources=_several(properties, "sourceAddressPrefix", "sourceAddressPrefixes"),
            source_ports=_ranges(_several(properties, "sourcePortRange", "sourcePortRanges")),
            destinations=_several(properties, "destinationAddressPrefix", "destinationAddressPrefixes"),
            ports=_ranges(_several(properties, "destinationPortRange", "destinationPortRanges")),
        )

    def named_ports(self) -> Iterator[OpenPort]:
        """Yield the ports an inbound rule that allows calls by number."""
        if self.inbound and self.allows:
            for protocol in _OPENABLE.get(self.protocol, ()):
                for first, last in self.ports:
                    if (first, last) != _EVERYTHING:
                        yield from (OpenPort(protocol, port) for port in range(max(first, 1), last + 1))

    def matches(self, wanted: OpenPort, *, address: str) -> bool:
        """Tell whether the rule speaks of a caller of this host who asks for a port of the guest at ``address``."""
        return (
            self.inbound
            and self.protocol in ("*", wanted.protocol)
            and _EVERYTHING in self.source_ports
            and any(first <= wanted.port <= last for first, last in self.ports)
            and any(_contains(prefix, _CALLER) for prefix in self.sources)
            and any(prefix.lower() == "virtualnetwork" or _holds(prefix, address) for prefix in self.destinations)
        )


def open_ports(groups: Sequence[Sequence[SecurityRule]], *, address: str) -> list[OpenPort]:
    """Return what all groups on the way let in, of the ports that one of them names; nothing without a group."""
    rules_of_all = [rule for rules in groups for rule in rules]
    named = {port for rule in rules_of_all for port in rule.named_ports() if rule.matches(port, address=address)}
    return sorted(port for port in named if all(_lets_in(rules, port, address=address) for rules in groups))


def check_size(rules: Sequence[SecurityRule]) -> None:
    """Raise InvalidRequest when the rules of one group would open more ports than a host can give."""
    for rule in rules:
        if rule.inbound and rule.allows and rule.protocol in _OPENABLE:
            _check_count(sum(last - first + 1 for first, last in rule.ports if (first, last) != _EVERYTHING), rule)
    _check_count(len({port.port for rule in rules for port in rule.named_ports()}), rules[-1] if rules else None)


def _check_count(count: int, rule: SecurityRule | None) -> None:
    if rule is not None and count > MAX_PORTS:
        raise InvalidRequest(
            f"The inbound rules would open {count} ports; {MAX_PORTS} are the most a security group opens here",
            details=f"security rule: {rule.name}. Every port that a rule allows becomes a port of this computer.",
            resolution="Name fewer ports, or use '*', which is accepted and opens none.",
            code="SecurityRuleTooManyPorts",
        )


def _lets_in(rules: Sequence[SecurityRule], port: OpenPort, *, address: str) -> bool:
    for rule in sorted(rules, key=lambda each: each.priority):
        if rule.matches(port, address=address):
            return rule.allows
    return False


def _several(properties: Mapping[str, Any], one: str, many: str) -> tuple[str, ...]:
    single = properties.get(one)
    return tuple(properties.get(many) or ()) + ((single,) if single else ())


def _ranges(texts: Sequence[str]) -> tuple[tuple[int, int], ...]:
    return tuple(_range(part.strip()) for text in texts for part in text.split(","))


def _range(text: str) -> tuple[int, int]:
    if text == "*":
        return _EVERYTHING
    first, dash, last = text.partition("-")
    low, high = _port(first), _port(last if dash else first)
    if low is None or high is None or low > high:
        raise InvalidRequest(
            f"Security rule has invalid Port range. Value provided: {text[:40]}. Value should be an integer OR integer"
            " range with '-' delimiter. Valid range 0-65535",
            code="SecurityRuleInvalidPortRange",
        )
    return low, high


def _port(text: str) -> int | None:
    ok = text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= _EVERYTHING[1]
    return int(text) if ok else None


def _holds(prefix: str, address: str) -> bool:
    return _contains(prefix, IPv4Address(address)) if address else prefix.lower() in _ANY_PREFIX


def _contains(prefix: str, address: IPv4Address) -> bool:
    if prefix.lower() in _ANY_PREFIX:
        return True
    try:
        return address in IPv4Network(prefix, strict=False)
    except ValueError:
        return False  # a service tag, which means nobody here

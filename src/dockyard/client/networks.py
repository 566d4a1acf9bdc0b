"""Ports of machines over ARM: opened by a rule of the machine's security group, as ``az vm open-port`` does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dockyard.client import virtual_machines
from dockyard.client.names import MachineName
from dockyard.client.views import Document, MachineView
from dockyard.model.errors import Conflict, NotFound

if TYPE_CHECKING:
    from dockyard.client.connection import Connection

_FIRST_PRIORITY = 900  # as az does


def open_port(connection: Connection, name: MachineName, *, ports: str, protocol: str, priority: int | None) -> str:
    """Allow ports of a machine in its security group; return the rule's name.

    Args:
        connection: the way to ARM.
        name: the machine.
        ports: a port, a range or several of them with commas: ``8080``, ``9000-9010``, ``80,443``.
        protocol: ``Tcp``, ``Udp`` or ``*``.
        priority: the rule's; None chooses the first that is free from 900 on.

    Raises:
        NotFound: no such machine.
        Conflict: its network interface has no security group of its own.
        InvalidRequest: not ports, or too many.
    """
    group = _group_of(connection, virtual_machines.get(connection, name))
    rule = f"open-port-{ports.replace(',', '-')}" + ("" if protocol == "Tcp" else f"-{protocol.lower()}")
    parts = [part.strip() for part in ports.split(",")]
    body = {
        "properties": {
            "protocol": protocol,
            "access": "Allow",
            "direction": "Inbound",
            "priority": priority or _free_priority(group, rule=rule),
            "sourceAddressPrefix": "*",
            "sourcePortRange": "*",
            "destinationAddressPrefix": "*",
            **({"destinationPortRanges": parts} if len(parts) > 1 else {"destinationPortRange": ports}),
        }
    }
    connection.ask("PUT", f"{group['id']}/securityRules/{rule}", body=body)
    return rule


def close_port(connection: Connection, name: MachineName, *, rule: str) -> None:
    """Delete a rule of a machine's security group. Raises NotFound."""
    group = _group_of(connection, virtual_machines.get(connection, name))
    if not any(each["name"].lower() == rule.lower() for each in _rules(group)):
        raise NotFound(
            f"There is no rule '{rule}' in the security group of {name}",
            details="It has: " + ", ".join(sorted(str(each["name"]) for each in _rules(group))),
        )
    connection.ask("DELETE", f"{group['id']}/securityRules/{rule}")


def _group_of(connection: Connection, machine: MachineView) -> Document:
    profile = (machine.document.get("properties") or {}).get("networkProfile") or {}
    for link in profile.get("networkInterfaces") or ():
        interface = connection.ask("GET", str(link["id"]))
        group = interface["properties"].get("networkSecurityGroup")
        if group:
            return connection.ask("GET", str(group["id"]))
    raise Conflict(
        f"The network interface of {machine.id} has no security group of its own",
        resolution="Give it one, or add the rule to its subnet's security group.",
    )


def _free_priority(group: Document, *, rule: str) -> int:
    rules = [each for each in _rules(group) if each["properties"]["direction"] == "Inbound"]
    present = [each["properties"]["priority"] for each in rules if each["name"].lower() == rule.lower()]
    taken = {each["properties"]["priority"] for each in rules}
    return int(present[0] if present else next(at for at in range(_FIRST_PRIORITY, 4097) if at not in taken))


def _rules(group: Document) -> list[Any]:
    return list(group["properties"].get("securityRules") or ())

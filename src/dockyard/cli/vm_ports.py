"""``dockyard vm open-port`` and ``close-port``: ports of a machine on this computer, by rules of its security group."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from dockyard.cli import options, output, summaries
from dockyard.cli.output import Format
from dockyard.cli.session import open_session
from dockyard.client import networks, virtual_machines
from dockyard.client.names import DEFAULT_GROUP, MachineName


class Protocol(Enum):
    """ARM's words for what a rule is about."""

    TCP = "tcp"
    UDP = "udp"
    ANY = "any"

    @property
    def word(self) -> str:
        """ARM's word."""
        return "*" if self is Protocol.ANY else self.value.capitalize()


OPEN_EXAMPLES = options.examples(
    "dockyard vm open-port web --port 8080",
    "dockyard vm open-port web --port 80,443",
    "dockyard vm open-port web --port 9000-9010 --priority 950",
    "dockyard vm open-port dns --port 53 --protocol udp",
)
CLOSE_EXAMPLES = options.examples(
    "dockyard vm close-port web --rule open-port-8080", "dockyard vm close-port web --rule open-port-80-443"
)


def open_port(
    *,
    name: options.VirtualMachine,
    port: Annotated[
        str, typer.Option("--port", metavar="PORTS", help="A port, a range, or several with commas: 80,443,9000-9010.")
    ],
    protocol: Annotated[Protocol, typer.Option("--protocol", help="What may come in.")] = Protocol.TCP,
    priority: Annotated[
        int | None, typer.Option("--priority", metavar="NUMBER", help="The rule's priority; else the first from 900.")
    ] = None,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    form: options.Output = Format.TABLE,
) -> None:
    """Open ports of a machine on 127.0.0.1, at once and at every boot.

    Adds a rule to the machine's network security group, as 'az vm open-port' does. The port of this computer is the
    same where it is free and above 1023; what it is in the end is printed.
    """
    machine = MachineName.checked(resource_group=resource_group, name=name)
    connection = open_session().connection
    rule = networks.open_port(connection, machine, ports=port, protocol=protocol.word, priority=priority)
    view = virtual_machines.get(connection, machine)
    if form is Format.JSON:
        output.say_json({"rule": rule, "forwards": list(view.forwards)})
    else:
        output.say_fields([("Rule", rule), ("Open ports", summaries.open_ports(view))])


def close_port(
    *,
    name: options.VirtualMachine,
    rule: Annotated[str, typer.Option("--rule", metavar="RULE", help="The rule's name, as open-port printed it.")],
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
) -> None:
    """Delete a rule of a machine's network security group; the ports only it opened are closed."""
    machine = MachineName.checked(resource_group=resource_group, name=name)
    networks.close_port(open_session().connection, machine, rule=rule)
    output.note(f"The rule {rule} is gone.")

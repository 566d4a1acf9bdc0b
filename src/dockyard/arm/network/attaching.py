"""What a virtual machine's request says of its network interfaces, checked and completed."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request

from dockyard.arm.context import context_of
from dockyard.arm.network.routes import check_join
from dockyard.fabric.requests import VirtualMachineRequest


def attached(request: Request, wanted: VirtualMachineRequest) -> VirtualMachineRequest:
    """Return the request with the address of its interface; see ``Networks.check_interfaces`` for what it raises.

    Raises:
        Forbidden: the caller may not join a machine to the interface.
    """
    networks = context_of(request).fabric.networks
    machines = networks.topology().machines
    for id in wanted.interfaces:
        user = machines.get(id.lower())
        if user is None or user.id.key != wanted.id.key:  # what a machine has, whoever may change it may leave to it
            check_join(request, id)
    return replace(wanted, private_ip=networks.check_interfaces(wanted.interfaces, machine=wanted.id))

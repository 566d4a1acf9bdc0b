"""Ports of the host for what security groups let in: chosen by a pure plan, then opened in machines that run.

Called by ``networks`` whenever a resource or a machine has changed what may come in. A machine's record has its
forwards, so that the next start of the machine opens them again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from dockyard.fabric.ports import HostPorts, HypervisorDriver, Store
from dockyard.fabric.topology import Topology
from dockyard.model.errors import DockyardError, Exhausted
from dockyard.model.resource_id import ResourceId
from dockyard.model.security_rules import OpenPort
from dockyard.model.virtual_machine import PortForward, VirtualMachine

_log = logging.getLogger(__name__)
_LEAST_OWN_PORT = 1024  # below it no plain user may listen
_FIRST_CHOSEN = 24500
_LAST_CHOSEN = 29999  # below Linux's ephemeral range, so that no outgoing connection borrows a stopped machine's port


class Forwarding:
    """Keeps the forwards of machines what their security groups say."""

    def __init__(self, *, store: Store, hypervisor: HypervisorDriver, ports: HostPorts) -> None:
        self._store = store
        self._hypervisor = hypervisor
        self._ports = ports

    async def refresh(self, *, topology: Topology) -> None:
        """Open and close ports of the machines whose groups say otherwise than their records do.

        Raises:
            Exhausted: (code PortInUse) no port is left, or one was taken in the moment between look and use.
            OperationFailed: a hypervisor did not answer.
        """
        changed = [id for id in {each.id for each in topology.machines.values()} if self._record(id, topology=topology)]
        for id in changed:
            machine = self._store.virtual_machine(id=id)
            if machine is not None:
                await self._hypervisor.set_forwards(vm_id=machine.vm_id, forwards=machine.network.forwards)

    async def restore(self) -> None:
        """Give running machines the forwards of their records: an earlier server may have died between the two."""
        await asyncio.gather(*(self._restore(machine) for machine in self._store.virtual_machines()))

    async def _restore(self, machine: VirtualMachine) -> None:
        try:
            await self._hypervisor.set_forwards(vm_id=machine.vm_id, forwards=machine.network.forwards)
        except DockyardError as error:
            _log.warning("the forwards of machine %s are not as recorded: %s", machine.id.name, error.brief)

    def _record(self, id: ResourceId, *, topology: Topology) -> bool:
        machine = self._store.virtual_machine(id=id)
        if machine is None:
            return False
        others = [other for other in self._store.virtual_machines() if other.vm_id != machine.vm_id]
        wanted = forwards(machine, ports=topology.open_ports(machine), others=others, is_free=self._is_free)
        if wanted == machine.network.forwards:
            return False
        self._store.put_virtual_machine(replace(machine, network=replace(machine.network, forwards=wanted)))
        return True

    def _is_free(self, protocol: str, port: int) -> bool:
        return self._ports.is_free(port=port, protocol=protocol)


def forwards(
    machine: VirtualMachine,
    *,
    ports: Sequence[OpenPort],
    others: Sequence[VirtualMachine],
    is_free: Callable[[str, int], bool],
) -> tuple[PortForward, ...]:
    """Return the forwards a machine is to have: its own, and one for each port its groups open.

    A port keeps the forward it has. A new one gets the same number on the host where that is free and a plain user may
    listen on it. Raises Exhausted (code PortInUse).
    """
    own = [forward for forward in machine.network.forwards if not forward.opened]
    reached = {(forward.protocol, forward.guest_port) for forward in own}
    present = {(each.protocol, each.guest_port): each for each in machine.network.forwards if each.opened}
    taken = {(each.protocol, each.host_port) for other in others for each in other.network.forwards}
    taken |= {(each.protocol, each.host_port) for each in machine.network.forwards}
    chosen: list[PortForward] = []
    for wanted in ports:
        key = (wanted.protocol, wanted.port)
        if key in reached:
            continue
        forward = present.get(key) or _new(wanted, taken=taken, is_free=is_free)
        taken.add((forward.protocol, forward.host_port))
        chosen.append(forward)
    return (*own, *chosen)


def _new(wanted: OpenPort, *, taken: set[tuple[str, int]], is_free: Callable[[str, int], bool]) -> PortForward:
    same = [wanted.port] if wanted.port >= _LEAST_OWN_PORT else []
    for port in (*same, *range(_FIRST_CHOSEN, _LAST_CHOSEN + 1)):
        if (wanted.protocol, port) not in taken and is_free(wanted.protocol, port):
            name = f"{wanted.protocol}-{wanted.port}"
            return PortForward(name, port, wanted.port, protocol=wanted.protocol, opened=True, chosen=True)
    raise Exhausted(
        f"No loopback port is left for port {wanted.port} of the guest",
        resolution="Close some ports: delete security rules or virtual machines.",
        code="PortInUse",
    )

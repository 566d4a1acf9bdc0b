"""Machines in memory: the port ``HypervisorDriver`` without a hypervisor.

Used by tests of the rooms above; it keeps the contract suite that real drivers keep, so what it shows may be relied on.
Guests do nothing by themselves: a test plays them, and scripts failures, through the methods below ``console_log``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dockyard.fabric.ports import MachineSpec, MachineState
from dockyard.hypervisors.console_text import clean
from dockyard.model.errors import DockyardError, Exhausted, NotFound, OperationFailed
from dockyard.model.virtual_machine import PortForward, ProcessIdentity

_FIRST_PID = 4_194_305  # one more than the largest process number Linux gives out


@dataclass
class _Machine:
    ports: frozenset[int] = frozenset()
    process: ProcessIdentity | None = None
    spec: MachineSpec | None = None
    disks: frozenset[str] = frozenset()
    attached: Mapping[int, str] = field(default_factory=dict)
    console: bytearray = field(default_factory=bytearray)
    starts: int = 0


class FakeDriver:
    """See ``dockyard.fabric.ports.HypervisorDriver`` for what the methods of the port promise."""

    def __init__(self) -> None:
        self._machines: dict[str, _Machine] = {}
        self._failures: list[DockyardError] = []
        self._taken_ports: set[int] = set()
        self._starts = 0

    async def create(self, *, spec: MachineSpec) -> None:
        """Remember the machine and its disks."""
        machine = self._machines.setdefault(spec.machine.vm_id, _Machine())
        machine.disks = frozenset(disk.id for disk in spec.machine.data_disks)

    async def start(self, *, spec: MachineSpec) -> ProcessIdentity:
        """Give the machine a process, or return the one it has."""
        machine = self._machines.get(spec.machine.vm_id)
        if machine is None:
            raise NotFound(f"The machine '{spec.machine.id.name}' has no disk; it was not created")
        if machine.process is None:
            machine.process = self._new_process(machine, spec=spec)
        return machine.process

    async def observe(self, *, vm_id: str) -> MachineState:
        """Look into memory."""
        machine = self._machines.get(vm_id)
        if machine is None:
            return MachineState.ABSENT
        return MachineState.RUNNING if machine.process else MachineState.STOPPED

    async def identify(self, *, vm_id: str) -> ProcessIdentity | None:
        """Return the machine's process, None when it does not run."""
        machine = self._machines.get(vm_id)
        return machine.process if machine else None

    async def shut_down(self, *, vm_id: str, deadline_seconds: float) -> None:  # noqa: ARG002 - guests here obey at once
        """Stop the machine."""
        self._stop(vm_id)

    async def set_forwards(self, *, vm_id: str, forwards: Sequence[PortForward]) -> None:
        """Remember the ports of a machine that runs."""
        machine = self._machines.get(vm_id)
        if machine is not None and machine.process is not None:
            self._open(machine, forwards)

    async def set_data_disks(self, *, spec: MachineSpec) -> None:
        """Remember the disks of a machine that runs."""
        machine = self._machines.get(spec.machine.vm_id)
        if machine is not None and machine.process is not None:
            self._attach(machine, spec)

    async def power_off(self, *, vm_id: str) -> None:
        """Stop the machine."""
        self._stop(vm_id)

    async def delete(self, *, vm_id: str) -> None:
        """Forget the machine."""
        self._machines.pop(vm_id, None)

    async def list(self) -> Sequence[str]:
        """Return the ids of all machines."""
        return sorted(self._machines)

    def console_tail(self, *, vm_id: str, lines: int) -> Sequence[str]:
        """Return the last lines a test wrote, escape sequences removed."""
        return clean(self.console_log(vm_id=vm_id))[-lines:] if lines > 0 else ()

    def console_log(self, *, vm_id: str) -> bytes:
        """Return all a test wrote."""
        machine = self._machines.get(vm_id)
        return bytes(machine.console) if machine else b""

    def hypervisor_log(self, *, vm_id: str) -> bytes:
        """Tell of the machine's starts."""
        machine = self._machines.get(vm_id)
        return f"started {machine.starts} times\n".encode() if machine and machine.starts else b""

    @property
    def running(self) -> frozenset[str]:
        """The ids of the machines that run."""
        return frozenset(vm_id for vm_id, machine in self._machines.items() if machine.process)

    def last_start(self, *, vm_id: str) -> MachineSpec | None:
        """What the machine was last started with."""
        return self._machines[vm_id].spec

    def open_ports(self, *, vm_id: str) -> frozenset[int]:
        """The ports of the host that lead to a machine that runs."""
        machine = self._machines.get(vm_id)
        return machine.ports if machine and machine.process else frozenset()

    def attached_disks(self, *, vm_id: str) -> Mapping[int, str]:
        """The ids of the data disks a machine that runs has, by lun."""
        machine = self._machines.get(vm_id)
        return machine.attached if machine and machine.process else {}

    def write_console(self, *, vm_id: str, text: str) -> None:
        """Play a guest that writes to its serial console."""
        self._machines[vm_id].console += text.encode()

    def crash(self, *, vm_id: str) -> None:
        """Play a hypervisor that dies."""
        self._machines[vm_id].process = None

    def fail_start(self, error: DockyardError) -> None:
        """Let the next start that would make a process raise ``error``; repeated calls queue up."""
        self._failures.append(error)

    def take_port(self, port: int) -> None:
        """Play another program that listens on a port."""
        self._taken_ports.add(port)

    def free_port(self, port: int) -> None:
        """Play that program's end."""
        self._taken_ports.discard(port)

    def _new_process(self, machine: _Machine, *, spec: MachineSpec) -> ProcessIdentity:
        if self._failures:
            raise self._failures.pop(0)
        machine.spec = spec
        self._open(machine, spec.machine.network.forwards)
        self._attach(machine, spec)
        machine.starts += 1
        self._starts += 1
        return ProcessIdentity(pid=_FIRST_PID + self._starts, start_time=self._starts)

    def _open(self, machine: _Machine, forwards: Sequence[PortForward]) -> None:
        ports = frozenset(forward.host_port for forward in forwards)
        others = (other.ports for other in self._machines.values() if other.process and other is not machine)
        for port in sorted(ports & self._taken_ports.union(*others)):
            raise Exhausted(f"Port {port} of this computer is in use", code="PortInUse", temporary=True)
        machine.ports = ports

    def _attach(self, machine: _Machine, spec: MachineSpec) -> None:
        wanted = {disk.lun: disk.id for disk in spec.machine.attached_disks if disk.lun is not None}
        for id in set(wanted.values()) - machine.disks:
            raise OperationFailed(f"The disk {id} cannot be opened: it was not created")
        machine.attached = wanted

    def _stop(self, vm_id: str) -> None:
        if vm_id in self._machines:
            self._machines[vm_id].process = None

"""What a starting server does first: observe what is really there, decide, act.

Machines outlive the server: running ones are adopted (their endpoints opened again), operations that an earlier server
left in progress are taken up again, and what no record knows of is removed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dockyard.fabric.operations import Operations, Work
from dockyard.fabric.ports import MachineState
from dockyard.fabric.rooms import Rooms
from dockyard.model.operation import Operation, OperationKind
from dockyard.model.virtual_machine import ProcessIdentity, VirtualMachine

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Observed:
    """One machine of the store beside what is really there."""

    machine: VirtualMachine
    state: MachineState
    process: ProcessIdentity | None


@dataclass(frozen=True)
class Plan:
    """What to do, decided before anything is done."""

    attach: tuple[VirtualMachine, ...]
    adopt: tuple[tuple[VirtualMachine, ProcessIdentity], ...]
    remove: tuple[str, ...]
    resume: tuple[Operation, ...]


def decide(*, observed: Sequence[Observed], found: Sequence[str], unfinished: Sequence[Operation]) -> Plan:
    """Compare records with reality. ``found`` lists the ids of machines of which any file exists."""
    running = [entry for entry in observed if entry.state is MachineState.RUNNING]
    return Plan(
        attach=tuple(entry.machine for entry in running),
        adopt=tuple(
            (entry.machine, entry.process)
            for entry in running
            if entry.process is not None and entry.process != entry.machine.process
        ),
        remove=tuple(sorted(set(found) - {entry.machine.vm_id for entry in observed})),
        resume=tuple(unfinished),
    )


async def reconcile(*, rooms: Rooms, operations: Operations, works: Mapping[OperationKind, Work]) -> Plan:
    """Bring records and reality together; return what was done."""
    observed = [await _observe(rooms, machine) for machine in rooms.store.virtual_machines()]
    plan = decide(
        observed=observed,
        found=await rooms.hypervisor.list(),
        unfinished=rooms.store.operations_in_progress(),
    )
    for vm_id in plan.remove:
        _log.info("removing machine %s: no record knows of it", vm_id)
        await rooms.hypervisor.delete(vm_id=vm_id)
        rooms.keys.delete(vm_id=vm_id)
    for machine, process in plan.adopt:
        rooms.store.put_virtual_machine(replace(machine, process=process))
    for machine in plan.attach:
        _log.info("adopting machine %s (%s)", machine.id.name, machine.vm_id)
        await rooms.network.attach(vm_id=machine.vm_id)
    for operation in plan.resume:
        _log.info("resuming %s of %s at '%s'", operation.kind.value, operation.target, operation.step)
        operations.resume(operation=operation, work=works[operation.kind])
    return plan


async def _observe(rooms: Rooms, machine: VirtualMachine) -> Observed:
    state = await rooms.hypervisor.observe(vm_id=machine.vm_id)
    process = await rooms.hypervisor.identify(vm_id=machine.vm_id) if state is MachineState.RUNNING else None
    return Observed(machine=machine, state=state, process=process)

"""Changing a machine that exists. Called by ``virtual_machines``; the work is resumed by ``reconcile``.

The wish is written at once. What the hardware must follow is an operation: a running machine is shut down and started
again, as Azure does it; one that does not run has it at its next start.
"""

from __future__ import annotations

from dataclasses import replace

from dockyard.fabric import changing
from dockyard.fabric.guests import Guests
from dockyard.fabric.machine_records import MachineRecords, called
from dockyard.fabric.operations import Journal, Operations, Work
from dockyard.fabric.ports import MachineState
from dockyard.fabric.power import Power
from dockyard.fabric.requests import VirtualMachineRequest
from dockyard.fabric.rooms import Rooms
from dockyard.model.operation import Operation, OperationKind
from dockyard.model.provisioning import ProvisioningState, moved
from dockyard.model.virtual_machine import VirtualMachine

_APPLY = "apply"


class Updating:
    """From the machine there is to the machine a request wants."""

    def __init__(
        self, *, rooms: Rooms, operations: Operations, records: MachineRecords, power: Power, guests: Guests
    ) -> None:
        self._rooms = rooms
        self._store = rooms.store
        self._operations = operations
        self._records = records
        self._power = power
        self._guests = guests

    def update(
        self, existing: VirtualMachine, *, request: VirtualMachineRequest
    ) -> tuple[VirtualMachine, Operation | None]:
        """Write what a request changes; begin the operation when hardware must follow.

        Raises:
            Conflict: an operation is at work on it, or the request would change what cannot be changed.
            NotFound: the image it names is unknown.
        """
        self._records.check_idle(existing)
        image = self._rooms.images.resolve(name=request.image_name)
        machine = changing.changed(existing, request, image=image)
        if not changing.needs_power_cycle(existing, machine):
            self._store.put_virtual_machine(machine)
            self._guests.published(vm_id=machine.vm_id)
            return machine, None
        state = moved(machine.provisioning_state, ProvisioningState.UPDATING, what=called(machine.id))
        machine = replace(machine, provisioning_state=state, error=None, steps=())
        with self._store.transaction():
            self._store.put_virtual_machine(machine)
            kind = OperationKind.UPDATE_VIRTUAL_MACHINE
            operation = self._operations.start(kind=kind, target=machine.id, work=self.update_work)
        self._guests.published(vm_id=machine.vm_id)
        return machine, operation

    def works(self) -> dict[OperationKind, Work]:
        """Return the work of each kind of operation, for starting and for resuming."""
        return {OperationKind.UPDATE_VIRTUAL_MACHINE: self.update_work}

    async def update_work(self, journal: Journal) -> None:
        """Let the hardware follow the document."""
        await self._records.guarded(journal, self._apply)

    async def _apply(self, journal: Journal) -> None:
        machine = self._records.get(id=journal.operation.target)
        step = journal.operation.step  # of an earlier server: it stopped the machine only to start it again
        runs = await self._rooms.hypervisor.observe(vm_id=machine.vm_id) is MachineState.RUNNING
        if runs or step not in ("", _APPLY):
            await self._power.cycle(journal)
        else:
            journal.step(_APPLY)

"""Changing a machine that exists. Called by ``virtual_machines``; the work is resumed by ``reconcile``.

The wish is written at once. What the hardware must follow is an operation: for another size a running machine is shut
down and started again, as Azure does it; data disks come and go while it runs. One that does not run has both at its
next start.
"""

from __future__ import annotations

from dataclasses import replace

from dockyard.fabric import changing
from dockyard.fabric.booting import Booting
from dockyard.fabric.guests import Guests
from dockyard.fabric.machine_records import MachineRecords, called
from dockyard.fabric.operations import Journal, Operations, Work
from dockyard.fabric.ports import MachineState
from dockyard.fabric.power import Power
from dockyard.fabric.requests import VirtualMachineRequest
from dockyard.fabric.rooms import Rooms
from dockyard.model.disk import DataDisk
from dockyard.model.errors import Conflict
from dockyard.model.operation import Operation, OperationKind
from dockyard.model.provisioning import ProvisioningState, moved
from dockyard.model.resource_id import DISKS
from dockyard.model.virtual_machine import VirtualMachine

_APPLY = "apply"


class Updating:
    """From the machine there is to the machine a request wants."""

    def __init__(
        self,
        *,
        rooms: Rooms,
        operations: Operations,
        records: MachineRecords,
        booting: Booting,
        power: Power,
        guests: Guests,
    ) -> None:
        self._rooms = rooms
        self._store = rooms.store
        self._operations = operations
        self._records = records
        self._booting = booting
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
        image = existing.image
        if request.image_name is not None:
            image = self._rooms.images.resolve(name=request.image_name)
        others = self._store.virtual_machines()
        machine = changing.changed(existing, request, image=image, others=others)
        cycle = changing.needs_power_cycle(existing, machine)
        if not cycle and not changing.needs_disk_work(existing, machine):
            self._store.put_virtual_machine(machine)
            self._guests.published(vm_id=machine.vm_id)
            return machine, None
        state = moved(machine.provisioning_state, ProvisioningState.UPDATING, what=called(machine.id))
        machine = replace(machine, provisioning_state=state, error=None, steps=())
        with self._store.transaction():
            self._store.put_virtual_machine(machine)
            operation = self._begin(machine, power_cycle=cycle)
        self._guests.published(vm_id=machine.vm_id)
        return machine, operation

    def delete_disk(self, machine: VirtualMachine, *, disk: DataDisk) -> Operation:
        """Begin to delete a disk that is detached from its machine. Raises Conflict when it is attached."""
        if disk.lun is not None:
            raise Conflict(
                f"Disk {disk.name} is attached to VM {machine.id}",
                resolution="Detach it first: leave it out of the machine's storageProfile.dataDisks.",
                code="OperationNotAllowed",
            )
        self._records.check_idle(machine)
        state = moved(machine.provisioning_state, ProvisioningState.UPDATING, what=called(machine.id))
        left = tuple(each for each in machine.data_disks if each.id != disk.id)
        with self._store.transaction():
            self._store.put_virtual_machine(replace(machine, provisioning_state=state, data_disks=left))
            self._store.forget_roles(within=replace(machine.id, type=DISKS, names=(disk.name,)))
            return self._begin(machine, power_cycle=False)

    def _begin(self, machine: VirtualMachine, *, power_cycle: bool) -> Operation:
        return self._operations.start(
            kind=OperationKind.UPDATE_VIRTUAL_MACHINE,
            target=machine.id,
            work=self.update_work,
            arguments={"power_cycle": str(power_cycle)},
        )

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
        cycle = journal.operation.argument("power_cycle") == "True" and (runs or step not in ("", _APPLY))
        if not cycle:
            journal.step(_APPLY)
        spec = self._booting.spec(machine, image=self._booting.image_of(machine))
        await self._rooms.hypervisor.create(spec=spec)
        if cycle:
            await self._power.cycle(journal)
        else:
            await self._rooms.hypervisor.set_data_disks(spec=spec)

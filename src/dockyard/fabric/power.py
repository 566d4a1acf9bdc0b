"""Starting, stopping, restarting, moving machines. Called by the ARM API; the work is resumed by ``reconcile``.

The wish is written at once; an operation then makes it true.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dockyard.fabric.booting import Booting
from dockyard.fabric.guests import Guests
from dockyard.fabric.machine_records import MachineRecords, called
from dockyard.fabric.operations import Journal, Operations, Work
from dockyard.fabric.ports import MachineState
from dockyard.fabric.rooms import Rooms
from dockyard.model.operation import Operation, OperationKind
from dockyard.model.provisioning import ProvisioningState, moved
from dockyard.model.resource_id import ResourceId
from dockyard.model.virtual_machine import VirtualMachine

SHUTDOWN_DEADLINE_SECONDS = 90.0


class Power:
    """Whether machines run."""

    def __init__(
        self, *, rooms: Rooms, operations: Operations, records: MachineRecords, booting: Booting, guests: Guests
    ) -> None:
        self._rooms = rooms
        self._store = rooms.store
        self._operations = operations
        self._records = records
        self._booting = booting
        self._guests = guests

    def start(self, *, id: ResourceId) -> Operation:
        """Begin to start a machine. Raises NotFound, Conflict."""
        wish = replace(self._records.get(id=id), wanted_running=True, deallocated=False)
        return self._change(wish, kind=OperationKind.START_VIRTUAL_MACHINE)

    def stop(self, *, id: ResourceId, skip_shutdown: bool) -> Operation:
        """Begin to stop a machine; ``skip_shutdown`` cuts the power. Raises NotFound, Conflict."""
        wish = replace(self._records.get(id=id), wanted_running=False)  # one that is deallocated stays so
        arguments = {"skip_shutdown": str(skip_shutdown)}
        return self._change(wish, kind=OperationKind.STOP_VIRTUAL_MACHINE, arguments=arguments)

    def deallocate(self, *, id: ResourceId) -> Operation:
        """Begin to stop a machine and to give back what it holds of the host. Raises NotFound, Conflict."""
        wish = replace(self._records.get(id=id), wanted_running=False, deallocated=True)
        return self._change(wish, kind=OperationKind.DEALLOCATE_VIRTUAL_MACHINE)

    def restart(self, *, id: ResourceId) -> Operation:
        """Begin to shut a machine down and start it again. Raises NotFound, Conflict."""
        wish = replace(self._records.get(id=id), wanted_running=True, deallocated=False)
        return self._change(wish, kind=OperationKind.RESTART_VIRTUAL_MACHINE)

    def redeploy(self, *, id: ResourceId) -> Operation:
        """Begin to give a machine a new place to run in: a new process, the power cut. Raises NotFound, Conflict."""
        wish = replace(self._records.get(id=id), wanted_running=True, deallocated=False)
        arguments = {"skip_shutdown": str(True)}
        return self._change(wish, kind=OperationKind.REDEPLOY_VIRTUAL_MACHINE, arguments=arguments)

    def reapply(self, *, id: ResourceId) -> Operation:
        """Begin to make true again what the document says, without a restart. Raises NotFound, Conflict.

        A machine whose last operation failed is Succeeded after it.
        """
        return self._change(self._records.get(id=id), kind=OperationKind.REAPPLY_VIRTUAL_MACHINE)

    def works(self) -> dict[OperationKind, Work]:
        """Return the work of each kind of operation, for starting and for resuming."""
        return {
            OperationKind.START_VIRTUAL_MACHINE: self.start_work,
            OperationKind.STOP_VIRTUAL_MACHINE: self.stop_work,
            OperationKind.DEALLOCATE_VIRTUAL_MACHINE: self.stop_work,
            OperationKind.RESTART_VIRTUAL_MACHINE: self.restart_work,
            OperationKind.REDEPLOY_VIRTUAL_MACHINE: self.restart_work,
            OperationKind.REAPPLY_VIRTUAL_MACHINE: self.reapply_work,
        }

    async def start_work(self, journal: Journal) -> None:
        """Start a machine and wait for its agent."""
        await self._records.guarded(journal, self._start)

    async def stop_work(self, journal: Journal) -> None:
        """Stop a machine."""
        await self._records.guarded(journal, self._stop)

    async def restart_work(self, journal: Journal) -> None:
        """Stop a machine, then start it: a restart or a redeployment."""
        await self._records.guarded(journal, self.cycle)

    async def reapply_work(self, journal: Journal) -> None:
        """Look after disk, endpoints and goal of a machine."""
        await self._records.guarded(journal, self._reapply)

    async def cycle(self, journal: Journal) -> None:
        """Shut a machine down and start it; begins with the start when the journal says that it was shut down."""
        if journal.operation.step in ("", "power-off"):
            await self._stop(journal)
        await self._start(journal)

    def _change(
        self, wish: VirtualMachine, *, kind: OperationKind, arguments: Mapping[str, str] | None = None
    ) -> Operation:
        self._records.check_idle(wish)
        state = moved(wish.provisioning_state, ProvisioningState.UPDATING, what=called(wish.id))
        with self._store.transaction():
            self._store.put_virtual_machine(replace(wish, provisioning_state=state, error=None, steps=()))
            work = self.works()[kind]
            return self._operations.start(kind=kind, target=wish.id, work=work, arguments=arguments)

    async def _start(self, journal: Journal) -> None:
        id = journal.operation.target
        machine = self._records.get(id=id)
        if await self._rooms.hypervisor.observe(vm_id=machine.vm_id) is not MachineState.RUNNING:
            self._guests.started(vm_id=machine.vm_id)
            self._store.put_virtual_machine(replace(self._records.get(id=id), agent=None, process=None))
        await self._booting.boot(journal, id, image=self._booting.image_of(machine))

    async def _stop(self, journal: Journal) -> None:
        id = journal.operation.target
        machine = self._records.get(id=id)
        journal.step("power-off")
        if journal.operation.argument("skip_shutdown") == "True":
            await self._rooms.hypervisor.power_off(vm_id=machine.vm_id)
        else:
            await self._rooms.hypervisor.shut_down(vm_id=machine.vm_id, deadline_seconds=SHUTDOWN_DEADLINE_SECONDS)
        await self._rooms.network.detach(vm_id=machine.vm_id)
        self._store.put_virtual_machine(replace(self._records.get(id=id), process=None))

    async def _reapply(self, journal: Journal) -> None:
        machine = self._records.get(id=journal.operation.target)
        journal.step("reapply")
        image = self._booting.image_of(machine)
        spec = self._booting.spec(machine, image=image)
        await self._rooms.hypervisor.create(spec=spec)
        await self._rooms.hypervisor.set_data_disks(spec=spec)
        if await self._rooms.hypervisor.observe(vm_id=machine.vm_id) is MachineState.RUNNING:
            await self._rooms.network.attach(vm_id=machine.vm_id)
        self._guests.published(vm_id=machine.vm_id)

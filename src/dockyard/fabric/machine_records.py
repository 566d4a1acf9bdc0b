"""The records of machines while something is done to them: steps, the end of an operation, who may begin one.

Used by ``virtual_machines``, ``creating``, ``booting`` and ``power``. Acts on nothing but the store.
"""

from __future__ import annotations

from dataclasses import replace

from dockyard.fabric import planning
from dockyard.fabric.changes import Changes
from dockyard.fabric.operations import Journal, Operations, Work
from dockyard.fabric.ports import Clock, Store
from dockyard.model.errors import Conflict, DockyardError, NotFound
from dockyard.model.provisioning import ProvisioningState, moved
from dockyard.model.resource_id import ResourceId
from dockyard.model.virtual_machine import VirtualMachine


class MachineRecords:
    """One machine's document, read anew before each write: the guest's reports are written beside an operation's."""

    def __init__(self, *, store: Store, clock: Clock, operations: Operations, changes: Changes) -> None:
        self._store = store
        self._clock = clock
        self._operations = operations
        self._changes = changes

    def get(self, *, id: ResourceId) -> VirtualMachine:
        """Return one machine. Raises NotFound."""
        machine = self._store.virtual_machine(id=id)
        if machine is None:
            raise NotFound(
                f"The virtual machine '{id.name}' does not exist in resource group '{id.resource_group}'",
                resolution="'dockyard vm list' shows what exists.",
            )
        return machine

    def check_idle(self, machine: VirtualMachine) -> None:
        """Raise Conflict when an operation is at work on the machine."""
        if self._operations.busy(target=machine.id):
            raise Conflict(
                f"{called(machine.id)} is {machine.provisioning_state.value}: another operation is at work on it",
                resolution="Wait until it has ended ('dockyard vm wait'), then try again.",
                temporary=True,
            )

    def begin(self, id: ResourceId, step: str) -> None:
        """Write that a step begins, and that the one before it ended."""
        machine = planning.begin_step(self.get(id=id), step, now=self._clock.now())
        self._store.put_virtual_machine(machine)

    def note(self, id: ResourceId, message: str) -> None:
        """Write a word on the running step."""
        self._store.put_virtual_machine(planning.note_step(self.get(id=id), message))

    def settle(self, id: ResourceId, *, state: ProvisioningState, error: DockyardError | None = None) -> None:
        """Write how an operation on a machine ended, and wake who waits for the machine."""
        machine = planning.end_step(self.get(id=id), now=self._clock.now())
        settled = moved(machine.provisioning_state, state, what=called(id))
        record = error.record() if error else None
        self._store.put_virtual_machine(replace(machine, provisioning_state=settled, error=record))
        self._changes.notify(machine.vm_id)

    async def guarded(self, journal: Journal, work: Work) -> None:
        """Do the work of a change; write on the machine how it ended."""
        id = journal.operation.target
        try:
            await work(journal)
        except DockyardError as error:
            self.settle(id, state=ProvisioningState.FAILED, error=error)
            raise
        self.settle(id, state=ProvisioningState.SUCCEEDED)


def called(id: ResourceId) -> str:
    """Return what a machine is called in messages."""
    return f"The virtual machine '{id.name}'"

"""What can be done with virtual machines as a whole. Called by the ARM API; power is ``power``'s.

Each long-running use case checks and writes the wish at once, then leaves the work to an operation whose pieces may
all be repeated: a server that dies in the middle does them again on its next start.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace

from dockyard.fabric import planning
from dockyard.fabric.creating import Creating
from dockyard.fabric.machine_records import MachineRecords
from dockyard.fabric.operations import Operations, Work
from dockyard.fabric.ports import MachineState
from dockyard.fabric.requests import VirtualMachineRequest
from dockyard.fabric.rooms import Rooms
from dockyard.fabric.updating import Updating
from dockyard.model.errors import InvalidRequest, NotFound, PreconditionFailed
from dockyard.model.operation import Operation, OperationKind
from dockyard.model.provisioning import PowerState, ProvisioningState
from dockyard.model.resource_id import ResourceId, check_virtual_machine_name
from dockyard.model.virtual_machine import VirtualMachine
from dockyard.pki.crypt_hash import hash_password


class VirtualMachines:
    """Create, look at, change and delete machines."""

    def __init__(
        self, *, rooms: Rooms, operations: Operations, records: MachineRecords, creating: Creating, updating: Updating
    ) -> None:
        self._rooms = rooms
        self._store = rooms.store
        self._operations = operations
        self._records = records
        self._creating = creating
        self._updating = updating

    def get(self, *, id: ResourceId) -> VirtualMachine:
        """Return one machine. Raises NotFound."""
        return self._records.get(id=id)

    def list(self, *, resource_group: str | None = None) -> Sequence[VirtualMachine]:
        """Return the machines, of one group or of all."""
        group = None if resource_group is None else resource_group.lower()
        machines = self._store.virtual_machines()
        return [machine for machine in machines if group in (None, machine.id.resource_group.lower())]

    async def power_state(self, machine: VirtualMachine) -> PowerState:
        """Return what is really the case; a process is looked at, not remembered."""
        running = await self._rooms.hypervisor.observe(vm_id=machine.vm_id) is MachineState.RUNNING
        if machine.deallocated:
            return PowerState.DEALLOCATING if running else PowerState.DEALLOCATED
        if running:
            return PowerState.RUNNING if machine.wanted_running else PowerState.STOPPING
        starting = machine.wanted_running and not machine.provisioning_state.is_final
        return PowerState.STARTING if starting else PowerState.STOPPED

    def console_log(self, *, vm_id: str) -> bytes:
        """Return the serial console log of a machine by UUID; empty when there is none."""
        return self._rooms.hypervisor.console_log(vm_id=vm_id)

    def create(
        self, *, request: VirtualMachineRequest, only_if_absent: bool
    ) -> tuple[VirtualMachine, Operation | None]:
        """Begin to create a machine, or change an existing one (without an operation when it has nothing to do).

        Raises:
            PreconditionFailed: it exists and ``only_if_absent``.
            Conflict: an operation is at work on it, or the request would change what cannot be changed.
            InvalidRequest: it lacks a password or an image, or a property may not be what is asked.
            NotFound: the image is unknown.
            Exhausted: a port is taken.
        """
        check_virtual_machine_name(request.id.name)
        self._check_group(request.id)
        existing = self._store.virtual_machine(id=request.id)
        if existing is not None:
            if only_if_absent:
                raise _exists(existing)
            return self._updating.update(existing, request=request)
        if request.image_name is None:
            raise _without_image()
        password = request.admin_password
        machine = planning.new_machine(
            request=request,
            password_hash=None if password is None else hash_password(password),
            vm_id=str(uuid.uuid4()),
            image=self._rooms.images.resolve(name=request.image_name),
            now=self._rooms.clock.now(),
            others=self._store.virtual_machines(),
            is_free=lambda port: self._rooms.ports.is_free(port=port),
        )
        with self._store.transaction():
            self._store.put_virtual_machine(machine)
            operation = self._operations.start(
                kind=OperationKind.CREATE_VIRTUAL_MACHINE, target=machine.id, work=self._creating.create_work
            )
        return machine, operation

    async def delete(self, *, id: ResourceId) -> Operation | None:
        """Begin to delete a machine with everything it has; None when there is none. Ends a creation under way."""
        machine = self._store.virtual_machine(id=id)
        if machine is None:
            return None
        await self._operations.preempt(target=id)
        for extension in self._store.extensions(machine=id):
            await self._operations.preempt(target=extension.id)
        machine = self._store.virtual_machine(id=id)
        if machine is None:
            return None
        with self._store.transaction():
            self._store.put_virtual_machine(
                replace(machine, provisioning_state=ProvisioningState.DELETING, wanted_running=False)
            )
            return self._operations.start(
                kind=OperationKind.DELETE_VIRTUAL_MACHINE, target=id, work=self._creating.delete_work
            )

    def works(self) -> dict[OperationKind, Work]:
        """Return the work of each kind of operation on a machine, for starting and for resuming."""
        return {
            OperationKind.CREATE_VIRTUAL_MACHINE: self._creating.create_work,
            OperationKind.DELETE_VIRTUAL_MACHINE: self._creating.delete_work,
            **self._updating.works(),
        }

    def _check_group(self, id: ResourceId) -> None:
        names = {group.name.lower() for group in self._store.resource_groups()}
        if id.resource_group.lower() not in names:
            raise NotFound(
                f"Resource group '{id.resource_group}' could not be found",
                resolution="Create it first, or use the group 'dockyard'.",
                code="ResourceGroupNotFound",
            )


def _exists(machine: VirtualMachine) -> PreconditionFailed:
    return PreconditionFailed(
        f"A virtual machine named '{machine.id.name}' already exists",
        details=f"It is in resource group '{machine.id.resource_group}', created {machine.created_at:%F %T}.",
        resolution="Choose another name, or delete it first.",
    )


def _without_image() -> InvalidRequest:
    return InvalidRequest(
        "Required parameter 'imageReference' is missing (null)",
        resolution="Name the image by publisher, offer, sku and version; 'az vm image list' shows what exists.",
        code="InvalidParameter",
    )

"""What can be done with virtual machines. Called by the ARM API and by ``reconcile``.

Each long-running use case checks and writes the wish at once, then leaves the work to an operation whose pieces may
all be repeated: a server that dies in the middle does them again on its next start.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from dockyard.fabric import planning
from dockyard.fabric.changes import Changes
from dockyard.fabric.guests import Guests
from dockyard.fabric.operations import Journal, Operations, Work
from dockyard.fabric.ports import (
    Clock,
    HostPorts,
    HypervisorDriver,
    ImageStore,
    MachineSpec,
    MachineState,
    PlatformNetwork,
    Store,
    TenantKeys,
)
from dockyard.fabric.requests import VirtualMachineRequest
from dockyard.model.errors import (
    Conflict,
    DeadlineExceeded,
    DockyardError,
    NotFound,
    OperationFailed,
    PreconditionFailed,
)
from dockyard.model.image import Image, ImageBuildOptions
from dockyard.model.operation import Operation, OperationKind
from dockyard.model.provisioning import PowerState, ProvisioningState, moved
from dockyard.model.resource_id import ResourceId, check_virtual_machine_name
from dockyard.model.virtual_machine import VirtualMachine

_log = logging.getLogger(__name__)

BOOT_DEADLINE_SECONDS = 300.0
AGENT_DEADLINE_SECONDS = 180.0
SHUTDOWN_DEADLINE_SECONDS = 90.0
_LOOK_EVERY_SECONDS = 1.0
_CONSOLE_LINES = 15


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """The ports the use cases act through."""

    store: Store
    clock: Clock
    hypervisor: HypervisorDriver
    network: PlatformNetwork
    keys: TenantKeys
    images: ImageStore
    ports: HostPorts


class VirtualMachines:
    """Create, look at, start, stop and delete machines."""

    def __init__(self, *, rooms: Rooms, operations: Operations, guests: Guests, changes: Changes) -> None:
        self._rooms = rooms
        self._store = rooms.store
        self._operations = operations
        self._guests = guests
        self._changes = changes

    # Looking

    def get(self, *, id: ResourceId) -> VirtualMachine:
        """Return one machine. Raises NotFound."""
        machine = self._store.virtual_machine(id=id)
        if machine is None:
            raise NotFound(
                f"The virtual machine '{id.name}' does not exist in resource group '{id.resource_group}'",
                resolution="'dockyard vm list' shows what exists.",
            )
        return machine

    def list(self, *, resource_group: str | None = None) -> Sequence[VirtualMachine]:
        """Return the machines, of one group or of all."""
        group = None if resource_group is None else resource_group.lower()
        machines = self._store.virtual_machines()
        return [machine for machine in machines if group in (None, machine.id.resource_group.lower())]

    async def power_state(self, machine: VirtualMachine) -> PowerState:
        """Return what is really the case; a process is looked at, not remembered."""
        running = await self._rooms.hypervisor.observe(vm_id=machine.vm_id) is MachineState.RUNNING
        if running:
            return PowerState.RUNNING if machine.wanted_running else PowerState.STOPPING
        starting = machine.wanted_running and not machine.provisioning_state.is_final
        return PowerState.STARTING if starting else PowerState.STOPPED

    def console_log(self, *, vm_id: str) -> bytes:
        """Return the serial console log of a machine by UUID; empty when there is none."""
        return self._rooms.hypervisor.console_log(vm_id=vm_id)

    # Creating

    def create(
        self, *, request: VirtualMachineRequest, only_if_absent: bool
    ) -> tuple[VirtualMachine, Operation | None]:
        """Begin to create a machine, or change the tags of an existing one (then without an operation).

        Raises:
            PreconditionFailed: it exists and ``only_if_absent``.
            Conflict: an operation is at work on it, or the request would change what cannot be changed.
            NotFound: the image is unknown.
            Exhausted: a port is taken.
        """
        check_virtual_machine_name(request.id.name)
        self._check_group(request.id)
        existing = self._store.virtual_machine(id=request.id)
        if existing is not None:
            return self._update(existing, request=request, only_if_absent=only_if_absent), None
        machine = planning.new_machine(
            request=request,
            vm_id=str(uuid.uuid4()),
            image=self._rooms.images.resolve(name=request.image_name),
            now=self._rooms.clock.now(),
            others=self._store.virtual_machines(),
            is_free=lambda port: self._rooms.ports.is_free(port=port),
        )
        with self._store.transaction():
            self._store.put_virtual_machine(machine)
            operation = self._operations.start(
                kind=OperationKind.CREATE_VIRTUAL_MACHINE, target=machine.id, work=self.create_work
            )
        return machine, operation

    async def create_work(self, journal: Journal) -> None:
        """Bring a machine that is being created to its first Ready; what fails before it boots is taken back."""
        id = journal.operation.target
        try:
            image = await self._ensure_image(journal, id)
            await self._ensure_disk(journal, id, image=image)
            await self._boot(journal, id, image=image)
        except DockyardError as error:
            await self._fail_create(journal, id, error=error)
            raise
        self._settle(id, state=ProvisioningState.SUCCEEDED)

    async def _ensure_image(self, journal: Journal, id: ResourceId) -> Image:
        journal.step("image")
        self._begin(id, "image")
        machine = self.get(id=id)
        alias = self._rooms.images.alias(reference=machine.image)
        image = self._rooms.images.get(image_id=machine.image_id) or self._rooms.images.find(alias=alias)
        if image is None:
            options = ImageBuildOptions()
            image = await self._rooms.images.build(
                alias=alias, options=options, progress=lambda text: self._note(id, text)
            )
        self._store.put_virtual_machine(replace(self.get(id=id), image_id=image.id))
        return image

    async def _ensure_disk(self, journal: Journal, id: ResourceId, *, image: Image) -> None:
        journal.step("disk")
        self._begin(id, "disk")
        machine = self.get(id=id)
        self._rooms.keys.create(vm_id=machine.vm_id)
        await self._rooms.hypervisor.create(spec=self._spec(machine, image=image))

    async def _boot(self, journal: Journal, id: ResourceId, *, image: Image) -> None:
        journal.step("boot")
        self._begin(id, "boot")
        machine = self.get(id=id)
        await self._rooms.network.attach(vm_id=machine.vm_id)
        process = await self._rooms.hypervisor.start(spec=self._spec(machine, image=image))
        self._store.put_virtual_machine(replace(self.get(id=id), process=process))
        await self._wait_for_guest(journal, id)

    async def _wait_for_guest(self, journal: Journal, id: ResourceId) -> None:
        vm_id = self.get(id=id).vm_id
        await self._wait(
            id,
            until=lambda: self._guests.is_provisioned(vm_id=vm_id),
            what="the guest to boot and report Ready",
            seconds=BOOT_DEADLINE_SECONDS,
        )
        journal.step("agent")
        self._begin(id, "agent")
        await self._wait(
            id,
            until=lambda: self._agent_is_ready(id),
            what="the guest agent to report its status",
            seconds=AGENT_DEADLINE_SECONDS,
        )

    def _agent_is_ready(self, id: ResourceId) -> bool:
        agent = self.get(id=id).agent
        return agent is not None and agent.status == "Ready"

    async def _fail_create(self, journal: Journal, id: ResourceId, *, error: DockyardError) -> None:
        if journal.operation.step in ("image", "disk") or (
            journal.operation.step == "boot" and self.get(id=id).process is None
        ):
            for extension in self._store.extensions(machine=id):
                await self._operations.preempt(target=extension.id, error=error.record())
            await self._take_back(id)
        else:
            self._settle(id, state=ProvisioningState.FAILED, error=error)

    async def _take_back(self, id: ResourceId) -> None:
        machine = self.get(id=id)
        await self._rooms.hypervisor.delete(vm_id=machine.vm_id)
        await self._rooms.network.detach(vm_id=machine.vm_id)
        self._rooms.keys.delete(vm_id=machine.vm_id)
        self._store.delete_virtual_machine(id=id)
        self._guests.forget(vm_id=machine.vm_id)

    def _update(
        self, existing: VirtualMachine, *, request: VirtualMachineRequest, only_if_absent: bool
    ) -> VirtualMachine:
        if only_if_absent:
            raise PreconditionFailed(
                f"A virtual machine named '{existing.id.name}' already exists",
                details=f"It is in resource group '{existing.id.resource_group}', created {existing.created_at:%F %T}.",
                resolution="Choose another name, or delete it first.",
            )
        self._check_idle(existing)
        same = (request.size, request.os_profile) == (existing.size, existing.os_profile)
        if not same or self._rooms.images.resolve(name=request.image_name) != existing.image:
            raise Conflict(
                f"Only the tags of the virtual machine '{existing.id.name}' can be changed",
                resolution="Delete it and create it anew with the other image, size or user.",
                code="PropertyChangeNotAllowed",
            )
        return self.set_tags(id=existing.id, tags=dict(request.tags))

    def set_tags(self, *, id: ResourceId, tags: dict[str, str]) -> VirtualMachine:
        """Replace the tags. Raises NotFound."""
        machine = replace(self.get(id=id), tags=tags)
        self._store.put_virtual_machine(machine)
        self._guests.published(vm_id=machine.vm_id)
        return machine

    # Power

    def start(self, *, id: ResourceId) -> Operation:
        """Begin to start a machine. Raises NotFound, Conflict."""
        return self._change_power(id, kind=OperationKind.START_VIRTUAL_MACHINE, running=True, arguments={})

    def stop(self, *, id: ResourceId, skip_shutdown: bool) -> Operation:
        """Begin to stop a machine; ``skip_shutdown`` cuts the power. Raises NotFound, Conflict."""
        arguments = {"skip_shutdown": str(skip_shutdown)}
        return self._change_power(id, kind=OperationKind.STOP_VIRTUAL_MACHINE, running=False, arguments=arguments)

    def restart(self, *, id: ResourceId) -> Operation:
        """Begin to shut a machine down and start it again. Raises NotFound, Conflict."""
        return self._change_power(id, kind=OperationKind.RESTART_VIRTUAL_MACHINE, running=True, arguments={})

    def _change_power(
        self, id: ResourceId, *, kind: OperationKind, running: bool, arguments: dict[str, str]
    ) -> Operation:
        machine = self.get(id=id)
        self._check_idle(machine)
        state = moved(machine.provisioning_state, ProvisioningState.UPDATING, what=_called(id))
        with self._store.transaction():
            self._store.put_virtual_machine(
                replace(machine, provisioning_state=state, wanted_running=running, error=None, steps=())
            )
            return self._operations.start(kind=kind, target=id, work=self.works()[kind], arguments=arguments)

    async def start_work(self, journal: Journal) -> None:
        """Start a machine and wait for its agent."""
        await self._guarded(journal, self._start)

    async def stop_work(self, journal: Journal) -> None:
        """Stop a machine."""
        await self._guarded(journal, self._stop)

    async def restart_work(self, journal: Journal) -> None:
        """Stop a machine, then start it."""
        await self._guarded(journal, self._restart)

    async def _start(self, journal: Journal) -> None:
        id = journal.operation.target
        machine = self.get(id=id)
        if await self._rooms.hypervisor.observe(vm_id=machine.vm_id) is not MachineState.RUNNING:
            self._guests.started(vm_id=machine.vm_id)
            self._store.put_virtual_machine(replace(self.get(id=id), agent=None, process=None))
        await self._boot(journal, id, image=self._image_of(machine))

    async def _stop(self, journal: Journal) -> None:
        id = journal.operation.target
        machine = self.get(id=id)
        journal.step("power-off")
        if journal.operation.argument("skip_shutdown") == "True":
            await self._rooms.hypervisor.power_off(vm_id=machine.vm_id)
        else:
            await self._rooms.hypervisor.shut_down(vm_id=machine.vm_id, deadline_seconds=SHUTDOWN_DEADLINE_SECONDS)
        await self._rooms.network.detach(vm_id=machine.vm_id)
        self._store.put_virtual_machine(replace(self.get(id=id), process=None))

    async def _restart(self, journal: Journal) -> None:
        if journal.operation.step in ("", "power-off"):
            await self._stop(journal)
        await self._start(journal)

    async def _guarded(self, journal: Journal, work: Work) -> None:
        id = journal.operation.target
        try:
            await work(journal)
        except DockyardError as error:
            self._settle(id, state=ProvisioningState.FAILED, error=error)
            raise
        self._settle(id, state=ProvisioningState.SUCCEEDED)

    # Deleting

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
            return self._operations.start(kind=OperationKind.DELETE_VIRTUAL_MACHINE, target=id, work=self.delete_work)

    async def delete_work(self, journal: Journal) -> None:
        """Remove process, ports, files, keys and records."""
        journal.step("delete")
        if self._store.virtual_machine(id=journal.operation.target) is not None:
            await self._take_back(journal.operation.target)

    # Shared

    def works(self) -> dict[OperationKind, Work]:
        """Return the work of each kind of operation on a machine, for starting and for resuming."""
        return {
            OperationKind.CREATE_VIRTUAL_MACHINE: self.create_work,
            OperationKind.START_VIRTUAL_MACHINE: self.start_work,
            OperationKind.STOP_VIRTUAL_MACHINE: self.stop_work,
            OperationKind.RESTART_VIRTUAL_MACHINE: self.restart_work,
            OperationKind.DELETE_VIRTUAL_MACHINE: self.delete_work,
        }

    def _check_group(self, id: ResourceId) -> None:
        names = {group.name.lower() for group in self._store.resource_groups()}
        if id.resource_group.lower() not in names:
            raise NotFound(
                f"Resource group '{id.resource_group}' could not be found",
                resolution="Create it first, or use the group 'dockyard'.",
                code="ResourceGroupNotFound",
            )

    def _check_idle(self, machine: VirtualMachine) -> None:
        if self._operations.busy(target=machine.id):
            raise Conflict(
                f"{_called(machine.id)} is {machine.provisioning_state.value}: another operation is at work on it",
                resolution="Wait until it has ended ('dockyard vm wait'), then try again.",
                temporary=True,
            )

    def _image_of(self, machine: VirtualMachine) -> Image:
        image = self._rooms.images.get(image_id=machine.image_id)
        if image is None:
            raise OperationFailed(
                f"The image {_called(machine.id)} was made from is no longer there",
                details=f"image {machine.image} ({machine.image_id[:12]})",
                resolution="Its disk cannot be read without it. Delete the machine and create it anew.",
                code="ImageMissing",
            )
        return image

    def _spec(self, machine: VirtualMachine, *, image: Image) -> MachineSpec:
        return MachineSpec(machine=machine, image=image, link=self._rooms.network.link(vm_id=machine.vm_id))

    async def _wait(self, id: ResourceId, *, until: Callable[[], bool], what: str, seconds: float) -> None:
        vm_id = self.get(id=id).vm_id
        deadline = self._rooms.clock.now().timestamp() + seconds
        while not until():
            if await self._rooms.hypervisor.observe(vm_id=vm_id) is not MachineState.RUNNING:
                raise OperationFailed(
                    f"The machine ended while waiting for {what}",
                    details=self._console(vm_id),
                    resolution="Start it again with 'dockyard vm start'; 'dockyard vm console' shows its whole output.",
                    code="VMStartFailed",
                )
            if self._rooms.clock.now().timestamp() >= deadline:
                raise DeadlineExceeded(
                    f"Waited {seconds:.0f} s for {what}",
                    details=self._console(vm_id),
                    resolution="The machine is left running for a look: 'dockyard vm console' shows its output.",
                    code="VMAgentStatusTimeout",
                )
            await self._changes.wait(vm_id, seconds=_LOOK_EVERY_SECONDS)

    def _console(self, vm_id: str) -> str:
        lines = self._rooms.hypervisor.console_tail(vm_id=vm_id, lines=_CONSOLE_LINES)
        return "\n".join(["The guest's last console lines:", *lines]) if lines else "The guest's console is empty."

    def _begin(self, id: ResourceId, step: str) -> None:
        machine = planning.begin_step(self.get(id=id), step, now=self._rooms.clock.now())
        self._store.put_virtual_machine(machine)

    def _note(self, id: ResourceId, message: str) -> None:
        self._store.put_virtual_machine(planning.note_step(self.get(id=id), message))

    def _settle(self, id: ResourceId, *, state: ProvisioningState, error: DockyardError | None = None) -> None:
        machine = planning.end_step(self.get(id=id), now=self._rooms.clock.now())
        settled = moved(machine.provisioning_state, state, what=_called(id))
        record = error.record() if error else None
        self._store.put_virtual_machine(replace(machine, provisioning_state=settled, error=record))
        self._changes.notify(machine.vm_id)


def _called(id: ResourceId) -> str:
    return f"The virtual machine '{id.name}'"

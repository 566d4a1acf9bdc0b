"""Bring a machine's process up and wait until its guest and its agent have reported.

Used by ``creating`` and ``power``. Every piece may be repeated: a machine that already runs is taken as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dockyard.fabric import first_boot
from dockyard.fabric.changes import Changes
from dockyard.fabric.guests import Guests
from dockyard.fabric.machine_records import MachineRecords, called
from dockyard.fabric.operations import Journal
from dockyard.fabric.ports import MachineSpec, MachineState
from dockyard.fabric.rooms import Rooms
from dockyard.model.errors import DeadlineExceeded, OperationFailed
from dockyard.model.image import Image
from dockyard.model.resource_id import ResourceId
from dockyard.model.virtual_machine import VirtualMachine

BOOT_DEADLINE_SECONDS = 300.0
AGENT_DEADLINE_SECONDS = 180.0
_LOOK_EVERY_SECONDS = 1.0
_CONSOLE_LINES = 15


class Booting:
    """From a disk to an agent that is Ready."""

    def __init__(self, *, rooms: Rooms, records: MachineRecords, guests: Guests, changes: Changes) -> None:
        self._rooms = rooms
        self._store = rooms.store
        self._records = records
        self._guests = guests
        self._changes = changes

    async def boot(self, journal: Journal, id: ResourceId, *, image: Image) -> None:
        """Start the machine and wait for its agent. Raises OperationFailed, DeadlineExceeded, Exhausted."""
        journal.step("boot")
        self._records.begin(id, "boot")
        machine = self._records.get(id=id)
        await self._rooms.network.attach(vm_id=machine.vm_id)
        process = await self._rooms.hypervisor.start(spec=self.spec(machine, image=image))
        self._store.put_virtual_machine(replace(self._records.get(id=id), process=process))
        await self._wait_for_guest(journal, id)

    def image_of(self, machine: VirtualMachine) -> Image:
        """Return the built image a machine was made from. Raises OperationFailed (code ImageMissing)."""
        image = self._rooms.images.get(image_id=machine.image_id)
        if image is None:
            raise OperationFailed(
                f"The image {called(machine.id)} was made from is no longer there",
                details=f"image {machine.image} ({machine.image_id[:12]})",
                resolution="Its disk cannot be read without it. Delete the machine and create it anew.",
                code="ImageMissing",
            )
        return image

    def spec(self, machine: VirtualMachine, *, image: Image) -> MachineSpec:
        """Return what the hypervisor needs to know."""
        link = self._rooms.network.link(vm_id=machine.vm_id)
        return MachineSpec(machine=machine, image=image, link=link, disc=first_boot.disc(machine))

    async def _wait_for_guest(self, journal: Journal, id: ResourceId) -> None:
        vm_id = self._records.get(id=id).vm_id
        await self._wait(
            id,
            until=lambda: self._guests.is_provisioned(vm_id=vm_id),
            what="the guest to boot and report Ready",
            seconds=BOOT_DEADLINE_SECONDS,
        )
        journal.step("agent")
        self._records.begin(id, "agent")
        await self._wait(
            id,
            until=lambda: self._agent_is_ready(id),
            what="the guest agent to report its status",
            seconds=AGENT_DEADLINE_SECONDS,
        )
        self._note_provisioned(id)

    def _note_provisioned(self, id: ResourceId) -> None:
        """Write that the first boot is over; what was for it alone is kept no longer."""
        machine = self._records.get(id=id)
        if not machine.provisioned:
            profile = replace(machine.os_profile, custom_data=None)
            self._store.put_virtual_machine(replace(machine, os_profile=profile, provisioned=True))

    def _agent_is_ready(self, id: ResourceId) -> bool:
        agent = self._records.get(id=id).agent
        return agent is not None and agent.status == "Ready"

    async def _wait(self, id: ResourceId, *, until: Callable[[], bool], what: str, seconds: float) -> None:
        vm_id = self._records.get(id=id).vm_id
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

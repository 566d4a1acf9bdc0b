"""The work of creating a machine, and of taking one away. Called by ``virtual_machines``; resumed by ``reconcile``."""

from __future__ import annotations

from dataclasses import replace

from dockyard.fabric import planning
from dockyard.fabric.booting import Booting
from dockyard.fabric.guests import Guests
from dockyard.fabric.machine_records import MachineRecords
from dockyard.fabric.operations import Journal, Operations
from dockyard.fabric.rooms import Rooms
from dockyard.model.errors import DockyardError, Exhausted
from dockyard.model.image import Image, ImageBuildOptions
from dockyard.model.provisioning import ProvisioningState
from dockyard.model.resource_id import ResourceId


class Creating:
    """From a document to a machine that is Ready, and back to nothing."""

    def __init__(
        self, *, rooms: Rooms, operations: Operations, records: MachineRecords, booting: Booting, guests: Guests
    ) -> None:
        self._rooms = rooms
        self._store = rooms.store
        self._operations = operations
        self._records = records
        self._booting = booting
        self._guests = guests

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
        self._records.settle(id, state=ProvisioningState.SUCCEEDED)

    async def delete_work(self, journal: Journal) -> None:
        """Remove process, ports, files, keys and records."""
        journal.step("delete")
        if self._store.virtual_machine(id=journal.operation.target) is not None:
            await self._take_back(journal.operation.target)

    async def _ensure_image(self, journal: Journal, id: ResourceId) -> Image:
        journal.step("image")
        self._records.begin(id, "image")
        machine = self._records.get(id=id)
        alias = self._rooms.images.alias(reference=machine.image)
        image = self._rooms.images.get(image_id=machine.image_id) or self._rooms.images.find(alias=alias)
        if image is None:
            options = ImageBuildOptions()
            image = await self._rooms.images.build(
                alias=alias, options=options, progress=lambda text: self._records.note(id, text)
            )
        self._store.put_virtual_machine(replace(self._records.get(id=id), image_id=image.id))
        return image

    async def _ensure_disk(self, journal: Journal, id: ResourceId, *, image: Image) -> None:
        journal.step("disk")
        self._records.begin(id, "disk")
        machine = self._records.get(id=id)
        self._rooms.keys.create(vm_id=machine.vm_id)
        await self._rooms.hypervisor.create(spec=self._booting.spec(machine, image=image))

    async def _boot(self, journal: Journal, id: ResourceId, *, image: Image) -> None:
        """Boot for the first time; a port that was chosen for the machine and is taken by now makes way for another."""
        while True:
            try:
                return await self._booting.boot(journal, id, image=image)
            except Exhausted as error:
                if error.code != "PortInUse" or not self._choose_other_ports(id):
                    raise

    def _choose_other_ports(self, id: ResourceId) -> bool:
        machine = self._records.get(id=id)
        changed = planning.with_free_ports(
            machine,
            machines=self._store.virtual_machines(),
            is_free=lambda port: self._rooms.ports.is_free(port=port),
        )
        self._store.put_virtual_machine(changed)
        return changed != machine

    async def _fail_create(self, journal: Journal, id: ResourceId, *, error: DockyardError) -> None:
        if journal.operation.step in ("image", "disk") or (
            journal.operation.step == "boot" and self._records.get(id=id).process is None
        ):
            for extension in self._store.extensions(machine=id):
                await self._operations.preempt(target=extension.id, error=error.record())
            await self._take_back(id)
        else:
            self._records.settle(id, state=ProvisioningState.FAILED, error=error)

    async def _take_back(self, id: ResourceId) -> None:
        machine = self._records.get(id=id)
        await self._rooms.hypervisor.delete(vm_id=machine.vm_id)
        await self._rooms.network.detach(vm_id=machine.vm_id)
        self._rooms.keys.delete(vm_id=machine.vm_id)
        self._store.delete_virtual_machine(id=id)
        self._guests.forget(vm_id=machine.vm_id)

"""The fabric whole: its use cases joined over one set of ports. Made by ``dockyard.serve``, used by the ARM API."""

from __future__ import annotations

from dataclasses import dataclass

from dockyard.fabric.changes import Changes
from dockyard.fabric.deployments import Deployments
from dockyard.fabric.extensions import Extensions
from dockyard.fabric.guests import Guests
from dockyard.fabric.images import Images
from dockyard.fabric.networks import Networks
from dockyard.fabric.operations import Operations, Work
from dockyard.fabric.ports import PackageStore
from dockyard.fabric.principals import Principals
from dockyard.fabric.reconcile import Plan, reconcile
from dockyard.fabric.resource_groups import ResourceGroups
from dockyard.fabric.roles import Roles
from dockyard.fabric.run_commands import RunCommands
from dockyard.fabric.storage_accounts import StorageAccounts
from dockyard.fabric.virtual_machines import Rooms, VirtualMachines
from dockyard.model.operation import OperationKind


@dataclass(frozen=True)
class Fabric:
    """Every use case, by noun."""

    rooms: Rooms
    operations: Operations
    guests: Guests
    virtual_machines: VirtualMachines
    extensions: Extensions
    run_commands: RunCommands
    images: Images
    resource_groups: ResourceGroups
    deployments: Deployments
    storage_accounts: StorageAccounts
    networks: Networks
    packages: PackageStore
    principals: Principals
    roles: Roles

    async def open(self) -> Plan:
        """Bring records and reality together; call once before serving."""
        plan = await reconcile(rooms=self.rooms, operations=self.operations, works=self._works())
        await self.networks.restore()
        return plan

    async def close(self) -> None:
        """Stop all work where it is; machines go on, operations are resumed at the next start."""
        await self.operations.suspend()
        for machine in self.rooms.store.virtual_machines():
            await self.rooms.network.detach(vm_id=machine.vm_id)

    def _works(self) -> dict[OperationKind, Work]:
        return {
            **self.virtual_machines.works(),
            **self.extensions.works(),
            **self.run_commands.works(),
            **self.images.works(),
            **self.resource_groups.works(),
            **self.deployments.works(),
        }


def build(*, rooms: Rooms, guests: Guests, packages: PackageStore, changes: Changes) -> Fabric:
    """Join the use cases. ``guests`` is made first because the platform network needs it."""
    operations = Operations(store=rooms.store, clock=rooms.clock)
    machines = VirtualMachines(rooms=rooms, operations=operations, guests=guests, changes=changes)
    extensions = Extensions(rooms=rooms, packages=packages, operations=operations, guests=guests, changes=changes)
    return Fabric(
        rooms=rooms,
        operations=operations,
        guests=guests,
        virtual_machines=machines,
        extensions=extensions,
        run_commands=RunCommands(store=rooms.store, extensions=extensions, operations=operations),
        images=Images(store=rooms.store, images=rooms.images, operations=operations),
        resource_groups=ResourceGroups(store=rooms.store, operations=operations, machines=machines),
        deployments=Deployments(store=rooms.store, operations=operations, clock=rooms.clock),
        storage_accounts=StorageAccounts(store=rooms.store, clock=rooms.clock),
        networks=Networks(store=rooms.store, hypervisor=rooms.hypervisor, ports=rooms.ports),
        packages=packages,
        principals=Principals(store=rooms.store, clock=rooms.clock),
        roles=Roles(store=rooms.store, clock=rooms.clock),
    )

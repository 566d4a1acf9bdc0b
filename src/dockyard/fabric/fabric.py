"""The fabric whole: its use cases joined over one set of ports. Made by ``dockyard.serve``, used by the ARM API."""

from __future__ import annotations

from dataclasses import dataclass

from dockyard.fabric.booting import Booting
from dockyard.fabric.changes import Changes
from dockyard.fabric.creating import Creating
from dockyard.fabric.deployments import Deployments
from dockyard.fabric.disk_views import Disks
from dockyard.fabric.extensions import Extensions
from dockyard.fabric.guests import Guests
from dockyard.fabric.images import Images
from dockyard.fabric.kinds import machine_kinds, network_kinds, storage_kinds
from dockyard.fabric.locks import Locks
from dockyard.fabric.machine_records import MachineRecords
from dockyard.fabric.networks import Networks
from dockyard.fabric.operations import Operations, Work
from dockyard.fabric.packages import Packages
from dockyard.fabric.ports import PackageStore
from dockyard.fabric.power import Power
from dockyard.fabric.principals import Principals
from dockyard.fabric.reconcile import Plan, reconcile
from dockyard.fabric.resource_groups import ResourceGroups
from dockyard.fabric.resources import Resources
from dockyard.fabric.roles import Roles
from dockyard.fabric.rooms import Rooms
from dockyard.fabric.run_commands import RunCommands
from dockyard.fabric.storage_accounts import StorageAccounts
from dockyard.fabric.updating import Updating
from dockyard.fabric.virtual_machines import VirtualMachines
from dockyard.model.operation import OperationKind


@dataclass(frozen=True)
class Fabric:
    """Every use case, by noun."""

    rooms: Rooms
    operations: Operations
    guests: Guests
    virtual_machines: VirtualMachines
    power: Power
    disks: Disks
    extensions: Extensions
    run_commands: RunCommands
    images: Images
    resource_groups: ResourceGroups
    deployments: Deployments
    storage_accounts: StorageAccounts
    networks: Networks
    packages: Packages
    principals: Principals
    roles: Roles
    resources: Resources
    locks: Locks

    async def open(self) -> Plan:
        """Bring records and reality together; call once before serving."""
        self.packages.look_over()
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
            **self.power.works(),
            **self.extensions.works(),
            **self.run_commands.works(),
            **self.images.works(),
            **self.resource_groups.works(),
            **self.deployments.works(),
        }


def build(*, rooms: Rooms, guests: Guests, packages: PackageStore, changes: Changes) -> Fabric:
    """Join the use cases. ``guests`` is made first because the platform network needs it."""
    operations = Operations(store=rooms.store, clock=rooms.clock)
    records = MachineRecords(store=rooms.store, clock=rooms.clock, operations=operations, changes=changes)
    booting = Booting(rooms=rooms, records=records, guests=guests, changes=changes)
    creating = Creating(rooms=rooms, operations=operations, records=records, booting=booting, guests=guests)
    power = Power(rooms=rooms, operations=operations, records=records, booting=booting, guests=guests)
    updating = Updating(
        rooms=rooms, operations=operations, records=records, booting=booting, power=power, guests=guests
    )
    machines = VirtualMachines(
        rooms=rooms, operations=operations, records=records, creating=creating, updating=updating
    )
    extensions = Extensions(rooms=rooms, packages=packages, operations=operations, guests=guests, changes=changes)
    networks = Networks(store=rooms.store, hypervisor=rooms.hypervisor, ports=rooms.ports)
    accounts = StorageAccounts(store=rooms.store, clock=rooms.clock)
    resources = Resources(
        kinds=(  # in the order of deletion: what uses others before them
            *machine_kinds(store=rooms.store, machines=machines),
            *network_kinds(networks=networks),
            *storage_kinds(accounts=accounts),
        )
    )
    return Fabric(
        rooms=rooms,
        operations=operations,
        guests=guests,
        virtual_machines=machines,
        power=power,
        disks=Disks(store=rooms.store, updating=updating),
        extensions=extensions,
        run_commands=RunCommands(store=rooms.store, extensions=extensions, operations=operations),
        images=Images(store=rooms.store, images=rooms.images, operations=operations),
        resource_groups=ResourceGroups(store=rooms.store, operations=operations, resources=resources),
        deployments=Deployments(store=rooms.store, operations=operations, clock=rooms.clock),
        storage_accounts=accounts,
        networks=networks,
        packages=Packages(store=rooms.store, packages=packages, guests=guests),
        principals=Principals(store=rooms.store, clock=rooms.clock),
        roles=Roles(store=rooms.store, clock=rooms.clock),
        resources=resources,
        locks=Locks(store=rooms.store, clock=rooms.clock),
    )

"""What can be done with resource groups. Called by the ARM API."""

from __future__ import annotations

from collections.abc import Sequence

from dockyard.fabric.operations import Journal, Operations, Work
from dockyard.fabric.ports import Store
from dockyard.fabric.virtual_machines import VirtualMachines
from dockyard.model.errors import ErrorRecord, NotFound
from dockyard.model.operation import Operation, OperationKind
from dockyard.model.resource_group import ResourceGroup
from dockyard.model.resource_id import ResourceId, check_resource_group_name

RESOURCE_GROUPS = "Microsoft.Resources/resourceGroups"
_GOING = ErrorRecord("ResourceGroupBeingDeleted", "The resource group is being deleted.")


class ResourceGroups:
    """Create, look at and delete groups; deleting one deletes the machines in it."""

    def __init__(self, *, store: Store, operations: Operations, machines: VirtualMachines) -> None:
        self._store = store
        self._operations = operations
        self._machines = machines

    def list(self) -> Sequence[ResourceGroup]:
        """Return all groups."""
        return self._store.resource_groups()

    def get(self, *, name: str) -> ResourceGroup:
        """Return one group. Raises NotFound (code ResourceGroupNotFound)."""
        for group in self._store.resource_groups():
            if group.name.lower() == name.lower():
                return group
        raise NotFound(
            f"Resource group '{name}' could not be found",
            resolution="Create it first, or use the group 'dockyard'.",
            code="ResourceGroupNotFound",
        )

    def put(self, group: ResourceGroup) -> None:
        """Create or change a group. Raises InvalidRequest."""
        check_resource_group_name(group.name)
        self._store.put_resource_group(group)

    def delete(self, *, subscription_id: str, name: str) -> Operation:
        """Begin to delete a group with everything in it. Raises NotFound."""
        group = self.get(name=name)
        target = ResourceId(subscription_id, group.name, RESOURCE_GROUPS, (group.name,))
        return self._operations.start(kind=OperationKind.DELETE_RESOURCE_GROUP, target=target, work=self.delete_work)

    async def delete_work(self, journal: Journal) -> None:
        """End the deployments, delete the machines one after another, then the group."""
        name = journal.operation.target.resource_group
        journal.step("end deployments")
        for deployment in self._store.deployments(resource_group=name):
            await self._operations.preempt(target=deployment.id, error=_GOING)
        for machine in self._machines.list(resource_group=name):
            journal.step(f"delete {machine.id.name}")
            operation = await self._machines.delete(id=machine.id)
            if operation is not None:
                await self._operations.wait(operation_id=operation.id)
        journal.step("records")
        self._store.delete_resource_group(name=name)

    def works(self) -> dict[OperationKind, Work]:
        """Return the work of each kind of operation on a group."""
        return {OperationKind.DELETE_RESOURCE_GROUP: self.delete_work}

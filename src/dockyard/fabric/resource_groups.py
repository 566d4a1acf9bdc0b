"""What can be done with resource groups. Called by the ARM API."""

from __future__ import annotations

from collections.abc import Sequence

from dockyard.fabric.operations import Journal, Operations, Work
from dockyard.fabric.ports import Store
from dockyard.fabric.resources import Kind, Resource, Resources, in_group
from dockyard.model.errors import Conflict, DockyardError, ErrorRecord, NotFound, OperationFailed
from dockyard.model.operation import Operation, OperationKind
from dockyard.model.resource_group import ResourceGroup
from dockyard.model.resource_id import ResourceId, check_resource_group_name

RESOURCE_GROUPS = "Microsoft.Resources/resourceGroups"
_GOING = ErrorRecord("ResourceGroupBeingDeleted", "The resource group is being deleted.")


class ResourceGroups:
    """Create, look at and delete groups; deleting one deletes everything in it."""

    def __init__(self, *, store: Store, operations: Operations, resources: Resources) -> None:
        self._store = store
        self._operations = operations
        self._resources = resources

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
        """Create or change a group.

        Raises:
            InvalidRequest: it cannot be named so.
            Conflict: it is somewhere else (code InvalidResourceGroupLocation), or being deleted.
        """
        check_resource_group_name(group.name)
        self.check_stays(name=group.name)
        for before in self._store.resource_groups():
            if before.name.lower() == group.name.lower() and _place(before.location) != _place(group.location):
                raise Conflict(
                    f"Invalid resource group location '{group.location}'. The Resource group already exists in"
                    f" location '{before.location}'",
                    code="InvalidResourceGroupLocation",
                )
        self._store.put_resource_group(group)

    def is_being_deleted(self, group: ResourceGroup) -> bool:
        """Tell whether a deletion is at work on a group."""
        return self._operations.busy(target=_target(group))

    def check_stays(self, *, name: str) -> None:
        """Raise Conflict (code ResourceGroupBeingDeleted) when a group is there but going; else nothing."""
        for group in self._store.resource_groups():
            if group.name.lower() == name.lower() and self.is_being_deleted(group):
                raise Conflict(
                    f"The resource group '{group.name}' is in deprovisioning state and cannot perform this operation",
                    resolution="Wait until it is gone ('az group wait --deleted'), or choose another group.",
                    code=_GOING.code,
                    temporary=True,
                )

    def delete(self, *, name: str) -> Operation:
        """Begin to delete a group with everything in it, or return the deletion under way. Raises NotFound."""
        target = _target(self.get(name=name))
        under_way = self._operations.at_work(target=target)
        if under_way is not None:
            return under_way
        return self._operations.start(kind=OperationKind.DELETE_RESOURCE_GROUP, target=target, work=self.delete_work)

    async def delete_work(self, journal: Journal) -> None:
        """End the deployments, delete the resources kind by kind, then the group with its records.

        Looks anew after each kind, so that it can be repeated from its beginning at any time.

        Raises:
            OperationFailed: (code ResourceGroupDeletionBlocked) a resource stays; the group does, too, as it is then.
        """
        name = journal.operation.target.resource_group
        journal.step("end deployments")
        await self._end_deployments(name)
        while (kind := self._next(name)) is not None:
            journal.step(f"delete {kind.type}")
            failures = await self._delete_all(kind, name)
            left = in_group(kind.list(), name)
            if left:
                raise _blocked(name, left=left, failures=failures)
            await self._end_deployments(name)
        journal.step("records")
        self._store.delete_resource_group(name=name)

    async def _end_deployments(self, name: str) -> None:
        for deployment in self._store.deployments(resource_group=name):
            await self._operations.preempt(target=deployment.id, error=_GOING)

    def _next(self, name: str) -> Kind | None:
        """Return the first kind of which the group has any."""
        deletable = (kind for kind in self._resources.kinds if kind.delete is not None)
        return next((kind for kind in deletable if in_group(kind.list(), name)), None)

    async def _delete_all(self, kind: Kind, name: str) -> dict[str, ErrorRecord]:
        """Delete a group's resources of one kind; return what was said against it, by the resource's key."""
        failures: dict[str, ErrorRecord] = {}
        begun: dict[str, Operation] = {}
        for resource in in_group(kind.list(), name) if kind.delete else ():
            try:
                operation = await kind.delete(resource.id) if kind.delete else None
            except DockyardError as error:
                failures[resource.id.key] = error.record()
            else:
                begun |= {resource.id.key: operation} if operation else {}
        for key, operation in begun.items():
            ended = await self._operations.wait(operation_id=operation.id)
            failures |= {key: ended.error} if ended.error else {}
        return failures

    def works(self) -> dict[OperationKind, Work]:
        """Return the work of each kind of operation on a group."""
        return {OperationKind.DELETE_RESOURCE_GROUP: self.delete_work}


def _target(group: ResourceGroup) -> ResourceId:
    return ResourceId(group.subscription_id, group.name, RESOURCE_GROUPS, (group.name,))


def _place(location: str) -> str:
    """Return a location as Azure compares it: ``West Europe`` is ``westeurope``."""
    return location.replace(" ", "").lower()


def _blocked(name: str, *, left: Sequence[Resource], failures: dict[str, ErrorRecord]) -> OperationFailed:
    names = ", ".join(f"'{each.id.type}/{'/'.join(each.id.names)}'" for each in left)
    told = [f"{each.id}: {failures[each.id.key].message}" for each in left if each.id.key in failures]
    return OperationFailed(
        f"Deletion of resource group '{name}' failed as resources with identifiers {names} could not be deleted."
        " The provisioning state of the resource group will be rolled back",
        details="\n".join(told),
        resolution="Mend that, then delete the group again: what is gone already stays gone.",
        code="ResourceGroupDeletionBlocked",
    )

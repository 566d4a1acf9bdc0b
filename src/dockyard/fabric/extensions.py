"""What can be done with VM extensions. Called by the ARM API and by ``reconcile``.

Protected settings arrive in plaintext and are encrypted to the machine's own certificate before anything is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from dockyard.fabric import planning, sequencing
from dockyard.fabric.changes import Changes
from dockyard.fabric.guests import Guests
from dockyard.fabric.operations import Journal, Operations, Work
from dockyard.fabric.planning import Outcome
from dockyard.fabric.ports import MachineState, PackageStore
from dockyard.fabric.requests import ExtensionRequest
from dockyard.fabric.rooms import Rooms
from dockyard.fabric.run_views import run_failure
from dockyard.model.errors import (
    Conflict,
    DeadlineExceeded,
    DockyardError,
    InvalidRequest,
    NotFound,
    OperationFailed,
)
from dockyard.model.extension import Extension, ExtensionPackage, ProtectedSettings
from dockyard.model.operation import Operation, OperationKind
from dockyard.model.provisioning import ProvisioningState
from dockyard.model.resource_id import EXTENSIONS, RUN_COMMANDS, ResourceId, check_resource_name
from dockyard.model.virtual_machine import VirtualMachine

STATUS_DEADLINE_SECONDS = 5400.0  # Azure's own: an extension has 90 minutes
_SCRIPT_MARGIN_SECONDS = 600.0
_LOOK_EVERY_SECONDS = 2.0


class Extensions:
    """Set, look at and delete extensions."""

    def __init__(
        self, *, rooms: Rooms, packages: PackageStore, operations: Operations, guests: Guests, changes: Changes
    ) -> None:
        self._rooms = rooms
        self._store = rooms.store
        self._packages = packages
        self._operations = operations
        self._guests = guests
        self._changes = changes

    def get(self, *, id: ResourceId) -> Extension:
        """Return one extension. Raises NotFound."""
        self._machine(id.parent)
        extension = self._store.extension(id=id)
        if extension is None:
            what, command = _called(id)
            raise NotFound(
                f"The {what} '{id.name}' does not exist on the virtual machine '{id.parent.name}'",
                resolution=f"'dockyard vm {command} list {id.parent.name}' shows what exists.",
            )
        return extension

    def list(self, *, machine: ResourceId) -> Sequence[Extension]:
        """Return the extensions of one machine, oldest first; run commands are none. Raises NotFound."""
        self._machine(machine)
        return [child for child in self._store.extensions(machine=machine) if child.id.type == EXTENSIONS]

    def by_machine(self) -> Mapping[str, Sequence[Extension]]:
        """Return what ``list`` returns for each machine that has any, by the machine's key: for lists of machines."""
        found: dict[str, list[Extension]] = {}
        for child in self._store.all_extensions():
            if child.id.type == EXTENSIONS:
                found.setdefault(child.id.parent.key, []).append(child)
        return found

    async def set(
        self,
        *,
        request: ExtensionRequest,
        kind: OperationKind = OperationKind.SET_EXTENSION,
        work: Work | None = None,
    ) -> tuple[Extension, Operation | None]:
        """Begin to bring an extension to what is asked; without an operation when it is so already.

        ``work`` and its ``kind`` take the place of `set_work`, for what waits for more than the handler's word.

        Raises:
            NotFound: no such machine or extension type.
            InvalidRequest: it cannot come after the extensions it names.
            Conflict: an operation is at work on it, the machine does not run, or the handler is there under another
                name.
        """
        check_resource_name(request.id.name, what=_called(request.id)[0])
        await self._check_running(self._machine(request.id.parent), what="set")
        # Nothing below waits: two requests at once cannot both pass the checks.
        machine = self._machine(request.id.parent)
        others = self._store.extensions(machine=machine.id)
        order = sequencing.checked_order(request.id, after=request.provision_after, others=others)
        request = replace(request, provision_after=order)
        package = self._package(request)
        existing = self._store.extension(id=request.id)
        self._check(machine, request=request, existing=existing, package=package)
        if existing is not None and self._unchanged(existing, request=request, package=package):
            return self._retold(existing, request=request), None
        extension = self._wished(machine, request=request, package=package, existing=existing)
        with self._store.transaction():
            self._store.put_extension(extension)
            self._publish(machine.id)
            operation = self._operations.start(kind=kind, target=extension.id, work=work or self.set_work)
        self._guests.published(vm_id=machine.vm_id)
        return extension, operation

    async def set_work(self, journal: Journal) -> None:
        """Wait for the handler's final word on the sequence number that was asked for."""
        id = journal.operation.target
        journal.step("status")
        try:
            await self._wait_for_status(id)
        except DockyardError as error:
            extension = self._store.extension(id=id)
            if extension is None or not _is_suppressed(extension):
                self._settle(id, error=error)
                raise
        self._settle(id, error=None)

    async def delete(self, *, id: ResourceId) -> Operation | None:
        """Begin to uninstall an extension; None when there is none.

        Raises:
            NotFound: no such machine.
            InvalidRequest: another extension is to come after it.
            Conflict: the machine does not run.
        """
        machine = self._machine(id.parent)
        if self._store.extension(id=id) is None:
            return None
        sequencing.check_may_go(id, others=self._store.extensions(machine=machine.id))
        await self._check_running(machine, what="delete")
        await self._operations.preempt(target=id)
        extension = self.get(id=id)
        with self._store.transaction():
            self._store.put_extension(replace(extension, provisioning_state=ProvisioningState.DELETING))
            self._publish(machine.id)
            operation = self._operations.start(kind=OperationKind.DELETE_EXTENSION, target=id, work=self.delete_work)
        self._guests.published(vm_id=machine.vm_id)
        return operation

    async def delete_work(self, journal: Journal) -> None:
        """Wait until the agent lists the handler no more, then forget the extension."""
        id = journal.operation.target
        journal.step("uninstall")
        extension = self._store.extension(id=id)
        if extension is None:
            return
        machine = self._machine(id.parent)
        deadline = self._rooms.clock.now().timestamp() + STATUS_DEADLINE_SECONDS
        while not self._guests.is_without(
            vm_id=machine.vm_id,
            handler_name=extension.handler_name,
            incarnation=machine.incarnation,
            configuration=extension.configuration,
        ):
            await self._look(machine, deadline=deadline, what=f"the {_called(id)[0]} '{id.name}' to be uninstalled")
        # Under the same incarnation: a new one would have the agent enable all the others once more.
        self._store.delete_extension(id=id)
        self._guests.published(vm_id=machine.vm_id)

    def works(self) -> dict[OperationKind, Work]:
        """Return the work of each kind of operation on an extension, for starting and for resuming."""
        return {
            OperationKind.SET_EXTENSION: self.set_work,
            OperationKind.DELETE_EXTENSION: self.delete_work,
        }

    def _machine(self, id: ResourceId) -> VirtualMachine:
        machine = self._store.virtual_machine(id=id)
        if machine is None:
            raise NotFound(
                f"The virtual machine '{id.name}' does not exist in resource group '{id.resource_group}'",
                resolution="'dockyard vm list' shows what exists.",
                code="ParentResourceNotFound",
            )
        return machine

    def _package(self, request: ExtensionRequest) -> ExtensionPackage:
        return self._packages.resolve(
            publisher=request.publisher,
            type=request.type,
            version=request.type_handler_version,
            auto_upgrade_minor_version=request.auto_upgrade_minor_version,
        )

    def _unchanged(self, existing: Extension, *, request: ExtensionRequest, package: ExtensionPackage) -> bool:
        settled = existing.provisioning_state is ProvisioningState.SUCCEEDED
        return settled and planning.same_extension(existing, request, handler_version=package.version)

    def _retold(self, existing: Extension, *, request: ExtensionRequest) -> Extension:
        """Write what a request says anew of an extension whose handler has nothing to do for it."""
        told = replace(existing, tags=request.tags, suppress_failures=request.suppress_failures)
        if told != existing:
            self._store.put_extension(told)
        return told

    def _wished(
        self,
        machine: VirtualMachine,
        *,
        request: ExtensionRequest,
        package: ExtensionPackage,
        existing: Extension | None,
    ) -> Extension:
        return Extension(
            id=existing.id if existing else request.id,
            location=request.location,
            publisher=package.publisher,
            type=package.type,
            type_handler_version=request.type_handler_version,
            handler_version=package.version,
            created_at=existing.created_at if existing else self._rooms.clock.now(),
            provisioning_state=ProvisioningState.UPDATING if existing else ProvisioningState.CREATING,
            auto_upgrade_minor_version=request.auto_upgrade_minor_version,
            settings=request.settings,
            protected=existing.protected
            if existing and request.keeps_protected
            else self._seal(machine, request=request),
            force_update_tag=request.force_update_tag,
            suppress_failures=request.suppress_failures,
            tags=request.tags,
            sequence_number=existing.sequence_number + 1 if existing else 0,
            incarnation=machine.incarnation + 1,
            configuration=request.id.name if package.takes_several else None,
            provision_after=request.provision_after,
        )

    def _seal(self, machine: VirtualMachine, *, request: ExtensionRequest) -> ProtectedSettings | None:
        if request.protected_settings is None:
            return None
        thumbprint = self._rooms.keys.create(vm_id=machine.vm_id)
        plaintext = json.dumps(request.protected_settings).encode()
        return ProtectedSettings(self._rooms.keys.encrypt(vm_id=machine.vm_id, plaintext=plaintext), thumbprint)

    def _check(
        self,
        machine: VirtualMachine,
        *,
        request: ExtensionRequest,
        existing: Extension | None,
        package: ExtensionPackage,
    ) -> None:
        if package.takes_several:
            _check_configuration_name(request.id.name)
        if self._operations.busy(target=request.id):
            raise Conflict(
                f"Another operation is at work on the {_called(request.id)[0]} '{request.id.name}'",
                resolution="Wait until it has ended, then try again.",
                temporary=True,
            )
        handler = f"{request.publisher}.{request.type}".lower()
        for other in self._store.extensions(machine=machine.id):
            if other.handler_name.lower() != handler or other.id.key == request.id.key:
                continue
            if package.takes_several:
                _check_named_apart(request.id, other)
            else:
                raise Conflict(
                    f"The virtual machine '{machine.id.name}' has this extension already, named '{other.id.name}'",
                    resolution=f"Set '{other.id.name}', or delete it first.",
                )
        if existing is not None and existing.handler_name.lower() != handler:
            raise Conflict(
                f"The extension '{request.id.name}' is of another type: {existing.handler_name}",
                resolution="Delete it first, or choose another name.",
                code="PropertyChangeNotAllowed",
            )

    async def _check_running(self, machine: VirtualMachine, *, what: str) -> None:
        if not machine.os_profile.allow_extension_operations:
            raise Conflict(
                "This operation cannot be performed when extension operations are disallowed",
                resolution="Set the machine's osProfile.allowExtensionOperations to true first.",
                code="OperationNotAllowed",
            )
        if machine.provisioning_state is ProvisioningState.CREATING:
            return
        leaving = machine.provisioning_state is ProvisioningState.DELETING
        if leaving or await self._rooms.hypervisor.observe(vm_id=machine.vm_id) is not MachineState.RUNNING:
            raise Conflict(
                f"Cannot {what} extensions: the virtual machine '{machine.id.name}' is not running",
                resolution=f"Start it with 'dockyard vm start {machine.id.name}' first.",
                code="OperationNotAllowed",
            )

    def _publish(self, machine: ResourceId) -> None:
        goal = planning.next_goal(self._machine(machine), now=self._rooms.clock.now())
        self._store.put_virtual_machine(goal)

    async def _wait_for_status(self, id: ResourceId) -> None:
        machine = self._machine(id.parent)
        deadline = self._rooms.clock.now().timestamp() + _patience(self.get(id=id))
        while (judged := planning.outcome(self.get(id=id))) is Outcome.PENDING:
            await self._look(machine, deadline=deadline, what=f"the extension '{id.name}' to report its status")
        if judged is Outcome.FAILED:
            extension = self.get(id=id)
            others = self._store.extensions(machine=machine.id)
            raise sequencing.held_back(extension, others=others) or _failure(extension)

    async def _look(self, machine: VirtualMachine, *, deadline: float, what: str) -> None:
        """Wait for news of the machine; raise when it is gone, has failed or the time is up."""
        machine = self._machine(machine.id)
        creating = machine.provisioning_state is ProvisioningState.CREATING
        running = await self._rooms.hypervisor.observe(vm_id=machine.vm_id) is MachineState.RUNNING
        if machine.provisioning_state is ProvisioningState.FAILED and machine.agent is None:
            raise OperationFailed(
                f"The virtual machine '{machine.id.name}' failed while waiting for {what}",
                details=machine.error.message if machine.error else "",
                code="VMExtensionProvisioningError",
            )
        if not running and not creating:
            raise OperationFailed(
                f"The virtual machine '{machine.id.name}' stopped while waiting for {what}",
                resolution=f"Start it with 'dockyard vm start {machine.id.name}', then set the extension again.",
                code="VMExtensionProvisioningError",
            )
        if self._rooms.clock.now().timestamp() >= deadline:
            raise DeadlineExceeded(
                f"Waited too long for {what}",
                resolution=f"'dockyard vm console {machine.id.name}' shows what the guest is doing.",
                code="VMExtensionProvisioningTimeout",
            )
        await self._changes.wait(machine.vm_id, seconds=_LOOK_EVERY_SECONDS)

    def _settle(self, id: ResourceId, *, error: DockyardError | None) -> None:
        extension = self._store.extension(id=id)
        if extension is None:
            return
        state = ProvisioningState.FAILED if error else ProvisioningState.SUCCEEDED
        record = error.record() if error else None
        self._store.put_extension(replace(extension, provisioning_state=state, error=record))


def _is_suppressed(extension: Extension) -> bool:
    """Tell whether a failure is the handler's own, which does not count; a machine that is gone still does."""
    return extension.suppress_failures and planning.outcome(extension) is Outcome.FAILED


def _patience(extension: Extension) -> float:
    """Return the seconds a handler has; one that was given a time limit of its own has some more than that."""
    limit = extension.settings.get("timeoutInSeconds")
    own = limit + _SCRIPT_MARGIN_SECONDS if isinstance(limit, int) else 0.0
    return max(own, STATUS_DEADLINE_SECONDS)


def _check_named_apart(id: ResourceId, other: Extension) -> None:
    if other.id.name.lower() == id.name.lower():
        raise Conflict(
            f"The handler has a configuration named '{id.name}' already",
            details=f"It is {other.id}.",
            resolution="Choose another name.",
        )


def _check_configuration_name(name: str) -> None:
    # The agent removes the files of a configuration by the pattern <name>.*.status, which another's with a dot fits.
    if "." in name:
        raise InvalidRequest(
            f"'{name}' cannot name one of several configurations of a handler",
            resolution="Choose a name without a dot.",
            code="InvalidResourceName",
        )


def _called(id: ResourceId) -> tuple[str, str]:
    """Return what people call a resource of this type, and the command that is about them."""
    return ("run command", "run-command") if id.type == RUN_COMMANDS else ("extension", "extension")


def _failure(extension: Extension) -> OperationFailed:
    status = extension.status
    assert status is not None  # noqa: S101 - a failed outcome always has one
    own = status.sequence_number == extension.sequence_number and status.status == "error"
    what, command = _called(extension.id)
    words = run_failure(extension) if what == "run command" else status.message
    message = words if own else status.handler_message
    return OperationFailed(
        f"VM has reported a failure when processing extension '{extension.id.name}'",
        details=f"Error message: {message}" if own else f"Handler {status.handler_status}: {message}",
        resolution=f"'dockyard vm {command} show {extension.id.parent.name} {extension.id.name}' shows each step.",
        code="VMExtensionProvisioningError",
    )

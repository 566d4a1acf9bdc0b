"""What can be done with run commands: scripts run in a machine through its agent. Called by the ARM API.

A run command is a named configuration of one handler that takes several; the action ``runCommand`` of a machine is one
more, which nobody sees. So both take the way of every extension: goal state, handler, status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dockyard.fabric.extensions import Extensions
from dockyard.fabric.operations import Journal, Operations, Work
from dockyard.fabric.ports import Store
from dockyard.fabric.requests import ExtensionRequest, RunCommandRequest
from dockyard.fabric.run_views import run_view
from dockyard.model.errors import Conflict, OperationFailed
from dockyard.model.extension import Extension
from dockyard.model.operation import Operation, OperationKind
from dockyard.model.resource_id import RUN_COMMANDS, ResourceId

PUBLISHER = "Microsoft.CPlat.Core"
TYPE = "RunCommandHandlerLinux"
VERSION = "1.3"
_ACTION = "runCommandActions"
_ACTION_NAME = "RunShellScript"
_ACTION_EXTENSION = "RunCommandLinux"  # what the extension behind the action is called on Azure


class RunCommands:
    """Set, look at and delete run commands; invoke the action."""

    def __init__(self, *, store: Store, extensions: Extensions, operations: Operations) -> None:
        self._store = store
        self._extensions = extensions
        self._operations = operations

    def get(self, *, id: ResourceId) -> Extension:
        """Return one run command. Raises NotFound."""
        return self._extensions.get(id=id)

    def list(self, *, machine: ResourceId) -> Sequence[Extension]:
        """Return the run commands of one machine, oldest first. Raises NotFound."""
        self._extensions.list(machine=machine)
        return [child for child in self._store.extensions(machine=machine) if child.id.type == RUN_COMMANDS]

    async def set(self, *, request: RunCommandRequest) -> tuple[Extension, Operation | None]:
        """Begin to run a script under a name; a run under that name is ended first. Raises as `Extensions.set`."""
        return await self._extensions.set(request=_extension_request(request))

    def set_tags(self, *, id: ResourceId, tags: Mapping[str, str]) -> Extension:
        """Replace the tags; nothing runs for that. Raises NotFound."""
        changed = replace(self.get(id=id), tags=tags)
        self._store.put_extension(changed)
        return changed

    async def delete(self, *, id: ResourceId) -> Operation | None:
        """Begin to forget a run command, and end it if it runs; None when there is none. Raises NotFound, Conflict."""
        return await self._extensions.delete(id=id)

    async def invoke(self, *, request: RunCommandRequest) -> Operation:
        """Begin to run a script on the machine ``request.id`` names, one at a time; its end is the operation's result.

        Raises:
            NotFound: no such machine.
            Conflict: one runs already, or the machine does not run.
        """
        id = request.id.child(kind=_ACTION, name=_ACTION_NAME)
        if self._operations.busy(target=id):
            raise Conflict(
                "Run command extension execution is in progress. "
                "Please wait for completion before invoking a run command.",
                temporary=True,
            )
        wanted = _extension_request(replace(request, id=id))
        _, operation = await self._extensions.set(request=wanted, kind=OperationKind.RUN_COMMAND, work=self.invoke_work)
        if operation is None:
            raise AssertionError("protected settings given anew always begin an operation")
        return operation

    async def invoke_work(self, journal: Journal) -> None:
        """Wait for the end of the script; a failing one is a failure of the operation, as on Azure."""
        await self._extensions.set_work(journal)
        view = run_view(self.get(id=journal.operation.target))
        told = f"\n[stdout]\n{view.output}\n[stderr]\n{view.error}"
        if view.state != "Succeeded":
            why = f"command terminated with exit status={view.exit_code}" if view.exit_code > 0 else view.message
            raise OperationFailed(
                f"VM has reported a failure when processing extension '{_ACTION_EXTENSION}'",
                details=f'Error message: "Enable failed: failed to execute command: {why}{told}"',
                code="VMExtensionProvisioningError",
            )
        journal.result({"value": [_result(f"Enable succeeded: {told}")]})

    def works(self) -> dict[OperationKind, Work]:
        """Return the work of each kind of operation on a run command, for starting and for resuming."""
        return {OperationKind.RUN_COMMAND: self.invoke_work}


def _extension_request(request: RunCommandRequest) -> ExtensionRequest:
    return ExtensionRequest(
        id=request.id,
        location=request.location,
        publisher=PUBLISHER,
        type=TYPE,
        type_handler_version=VERSION,
        settings=request.settings,
        protected_settings=request.protected_settings,
        keeps_protected=request.keeps_protected,
        tags=request.tags,
    )


def _result(message: str) -> dict[str, Any]:
    return {
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "displayStatus": "Provisioning succeeded",
        "message": message,
        "time": None,
    }

"""What can be done with run commands: scripts run in a machine through its agent. Called by the ARM API.

A run command is a named configuration of one handler that takes several; the action ``runCommand`` of a machine is one
more, which nobody sees. So both take the way of every extension: goal state, handler, status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dockyard.fabric.extensions import Extensions
from dockyard.fabric.operations import Journal, Operations, Work
from dockyard.fabric.ports import Store
from dockyard.fabric.requests import ExtensionRequest, RunCommandRequest
from dockyard.model.errors import Conflict, OperationFailed
from dockyard.model.extension import Extension
from dockyard.model.operation import Operation, OperationKind
from dockyard.model.provisioning import ProvisioningState
from dockyard.model.resource_id import RUN_COMMANDS, ResourceId
from dockyard_contract.documents import JsonObject, parse_json
from dockyard_contract.errors import MalformedDocument

PUBLISHER = "Microsoft.CPlat.Core"
TYPE = "RunCommandHandlerLinux"
VERSION = "1.3"
_ACTION = "runCommandActions"
_ACTION_NAME = "RunShellScript"
_ACTION_EXTENSION = "RunCommandLinux"  # what the extension behind the action is called on Azure


@dataclass(frozen=True, kw_only=True)
class RunView:
    """How far a script has come. Offsets count the characters of an output before the end that is shown."""

    state: str
    message: str = ""
    exit_code: int = 0
    output: str = ""
    output_offset: int = 0
    error: str = ""
    error_offset: int = 0
    begun: str | None = None
    ended: str | None = None


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


def run_view(command: Extension) -> RunView:
    """Return how far a run command has come, by the handler's own word when it is about the script asked for."""
    status = command.status
    if status is None or status.status is None or status.sequence_number != command.sequence_number:
        failed = command.provisioning_state is ProvisioningState.FAILED
        return RunView(state="Failed" if failed else "Pending", message=command.error.message if command.error else "")
    try:
        return _read_view(parse_json(status.message, document="instance view").object())
    except MalformedDocument:
        return RunView(state="Failed" if status.status == "error" else "Pending", message=status.message)


def _read_view(view: JsonObject) -> RunView:
    return RunView(
        state=view.string("executionState"),
        message=view.optional_string("executionMessage") or "",
        exit_code=view.optional_integer("exitCode") or 0,
        output=view.optional_string("output") or "",
        output_offset=view.optional_integer("outputOffset") or 0,
        error=view.optional_string("error") or "",
        error_offset=view.optional_integer("errorOffset") or 0,
        begun=view.optional_string("startTime"),
        ended=view.optional_string("endTime"),
    )


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

"""Run commands over ARM: scripts that run in a machine, followed while they write. Called by the CLI.

Both outputs come as their last characters and the number of those before, so that each look can go on where the last
one ended; what a script wrote faster than that is counted and told.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dockyard.client import waiting
from dockyard.client.names import LOCATION, MachineName
from dockyard.client.operations import Operation
from dockyard.client.views import Document
from dockyard.model.errors import DeadlineExceeded

if TYPE_CHECKING:
    from dockyard.client.connection import Connection

_FINAL = frozenset({"Succeeded", "Failed", "TimedOut", "Canceled"})
_EVERY = 0.3


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What is to be run. Secret parameters and secret scripts never show in a repr."""

    machine: MachineName
    name: str
    script: str = field(repr=False)
    parameters: Sequence[str] = field(default=(), repr=False)
    protected_parameters: Sequence[str] = field(default=(), repr=False)
    run_as: str | None = None
    timeout: int | None = None
    is_async: bool = False
    failure_counts: bool = False


@dataclass(frozen=True, kw_only=True)
class RunView:
    """One look at a script: how far it has come, and the ends of its outputs with the characters before them."""

    state: str
    message: str
    exit_code: int
    output: str
    output_offset: int
    error: str
    error_offset: int

    @property
    def is_final(self) -> bool:
        """Whether the script has ended, well or not."""
        return self.state in _FINAL


class Follower:
    """Hands on what is new in an output that is seen by its end only."""

    def __init__(self, write: Callable[[str], None], *, missed: Callable[[int], None]) -> None:
        self._write = write
        self._missed = missed
        self._seen = 0

    def take(self, text: str, *, offset: int) -> None:
        """Look at the end of the output: `text` stands after `offset` characters."""
        if offset > self._seen:
            self._missed(offset - self._seen)
            self._seen = offset
        new = text[self._seen - offset :]
        if new:
            self._write(new)
        self._seen += len(new)


def fresh_name() -> str:
    """Return a name for a run command that nobody will ask for again."""
    return f"invoke-{secrets.token_hex(4)}"


def document(request: RunRequest) -> dict[str, Any]:
    """Return the ARM body of a request."""
    properties: dict[str, Any] = {
        "source": {"script": request.script},
        "parameters": [_parameter(text) for text in request.parameters],
        "protectedParameters": [_parameter(text) for text in request.protected_parameters],
        "asyncExecution": request.is_async,
        "treatFailureAsDeploymentFailure": request.failure_counts,
    }
    if request.run_as:
        properties["runAsUser"] = request.run_as
    if request.timeout:
        properties["timeoutInSeconds"] = request.timeout
    return {"location": LOCATION, "properties": properties}


def put(connection: Connection, request: RunRequest) -> Operation:
    """Begin to run a script under a name. Raises NotFound or Conflict."""
    commands = connection.compute.virtual_machine_run_commands
    body: Any = document(request)  # the SDK's type for a plain document lists dozens of optional members
    return Operation(
        connection,
        begin=lambda: commands.begin_create_or_update(
            request.machine.resource_group, request.machine.name, request.name, body
        ),
        what=f"The script '{request.name}' on {request.machine}",
    )


def get(connection: Connection, machine: MachineName, *, name: str) -> Document:
    """Return a run command's ARM document with its instance view. Raises NotFound."""
    with connection.mapped():
        found = connection.compute.virtual_machine_run_commands.get_by_virtual_machine(
            machine.resource_group, machine.name, name, expand="instanceView"
        )
        return found.as_dict()


def list_all(connection: Connection, machine: MachineName) -> list[Document]:
    """Return the ARM documents of a machine's run commands, by name. Raises NotFound."""
    with connection.mapped():
        found = connection.compute.virtual_machine_run_commands.list_by_virtual_machine(
            machine.resource_group, machine.name, expand="instanceView"
        )
        documents: list[Document] = [item.as_dict() for item in found]
    return sorted(documents, key=lambda document: str(document.get("name", "")).lower())


def delete(connection: Connection, machine: MachineName, *, name: str) -> Operation:
    """Begin to forget a run command, and to end its script; no error when there is none."""
    commands = connection.compute.virtual_machine_run_commands
    return Operation(
        connection,
        begin=lambda: commands.begin_delete(machine.resource_group, machine.name, name),
        what=f"Deleting the run command '{name}' of {machine}",
    )


def view(document: Document) -> RunView:
    """Return what an ARM document says of the run."""
    seen = (document.get("properties") or {}).get("instanceView") or {}
    return RunView(
        state=str(seen.get("executionState") or "Pending"),
        message=str(seen.get("executionMessage") or ""),
        exit_code=_integer(seen, "exitCode"),
        output=str(seen.get("output") or ""),
        output_offset=_integer(seen, "outputOffset"),
        error=str(seen.get("error") or ""),
        error_offset=_integer(seen, "errorOffset"),
    )


def follow(
    connection: Connection, request: RunRequest, operation: Operation, *, out: Follower, err: Follower, deadline: float
) -> RunView:
    """Hand on both outputs as they grow, until the script has ended; return the last look.

    Raises:
        DockyardError: what kept the script from running.
        DeadlineExceeded: ``deadline`` seconds went by; the script goes on.
    """
    limit = waiting.seconds() + deadline
    while True:
        is_done = operation.is_done
        seen = view(get(connection, request.machine, name=request.name))
        out.take(seen.output, offset=seen.output_offset)
        err.take(seen.error, offset=seen.error_offset)
        if seen.is_final:
            return seen
        if is_done:
            operation.check()
            return seen
        if waiting.seconds() >= limit:
            raise DeadlineExceeded(
                f"The script has not ended after {deadline:g} s",
                resolution=f"It goes on: 'dockyard vm run-command show {request.machine.name} {request.name}' "
                "tells how far it is.",
                temporary=True,
            )
        waiting.pause(_EVERY)


def _parameter(text: str) -> dict[str, str]:
    name, mark, value = text.partition("=")
    return {"name": name, "value": value} if mark and name.isidentifier() else {"value": text}


def _integer(seen: Mapping[str, Any], name: str) -> int:
    value = seen.get(name)
    return value if isinstance(value, int) else 0

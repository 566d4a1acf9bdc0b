"""How far a script has come, read from what the handler of run commands reports: its instance view in a status message.

Pure; used by the use cases and by the ARM API's documents.
"""

from __future__ import annotations

from dataclasses import dataclass

from dockyard.model.extension import Extension
from dockyard.model.provisioning import ProvisioningState
from dockyard_contract.documents import JsonObject, parse_json
from dockyard_contract.errors import MalformedDocument

_SHOWN_CHARACTERS = 1000


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


def run_failure(command: Extension) -> str:
    """Return why a run command counts as failed, with the end of what its script wrote to standard error."""
    view = run_view(command)
    return f"{view.message}\n{view.error[-_SHOWN_CHARACTERS:]}".strip()


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

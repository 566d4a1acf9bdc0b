"""A long-running operation: one line of the journal, and what ARM's operation URL shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from dockyard.model.errors import ErrorRecord
from dockyard.model.resource_id import ResourceId


class OperationKind(Enum):
    """What the operation does to its target."""

    CREATE_VIRTUAL_MACHINE = "create-virtual-machine"
    DELETE_VIRTUAL_MACHINE = "delete-virtual-machine"
    UPDATE_VIRTUAL_MACHINE = "update-virtual-machine"
    START_VIRTUAL_MACHINE = "start-virtual-machine"
    STOP_VIRTUAL_MACHINE = "stop-virtual-machine"
    RESTART_VIRTUAL_MACHINE = "restart-virtual-machine"
    DEALLOCATE_VIRTUAL_MACHINE = "deallocate-virtual-machine"
    REDEPLOY_VIRTUAL_MACHINE = "redeploy-virtual-machine"
    REAPPLY_VIRTUAL_MACHINE = "reapply-virtual-machine"
    SET_EXTENSION = "set-extension"
    RUN_COMMAND = "run-command"
    DELETE_EXTENSION = "delete-extension"
    BUILD_IMAGE = "build-image"
    DELETE_RESOURCE_GROUP = "delete-resource-group"
    DEPLOY = "deploy"


class OperationStatus(Enum):
    """ARM's words for the state of an operation."""

    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """``step`` names the effect that was about to happen when the line was last written; ``result`` is JSON text."""

    id: str
    kind: OperationKind
    target: ResourceId
    status: OperationStatus
    started_at: datetime
    step: str = ""
    arguments: tuple[tuple[str, str], ...] = ()
    ended_at: datetime | None = None
    error: ErrorRecord | None = None
    result: str | None = None

    @property
    def is_final(self) -> bool:
        """Whether the operation has ended."""
        return self.status is not OperationStatus.IN_PROGRESS

    def argument(self, name: str, default: str = "") -> str:
        """Return one argument of the request, kept so that an interrupted operation can be resumed."""
        return dict(self.arguments).get(name, default)

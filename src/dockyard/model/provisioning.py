"""Life-cycle states of resources and the moves between them, as a table.

The words are ARM's. Every change of a provisioning state in the fabric goes through ``moved``.
"""

from __future__ import annotations

from enum import Enum

from dockyard.model.errors import Conflict


class ProvisioningState(Enum):
    """ARM's provisioning states for the resources Dockyard keeps."""

    CREATING = "Creating"
    UPDATING = "Updating"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    DELETING = "Deleting"

    @property
    def is_final(self) -> bool:
        """Whether nothing is at work on the resource."""
        return self in (ProvisioningState.SUCCEEDED, ProvisioningState.FAILED)


class PowerState(Enum):
    """Whether the machine runs; the values are the codes of ARM's ``PowerState/`` statuses."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DEALLOCATING = "deallocating"
    DEALLOCATED = "deallocated"

    @property
    def display(self) -> str:
        """Azure's wording, for example ``VM running``."""
        return f"VM {self.value}"


_MOVES: dict[ProvisioningState, frozenset[ProvisioningState]] = {
    ProvisioningState.CREATING: frozenset(
        {ProvisioningState.SUCCEEDED, ProvisioningState.FAILED, ProvisioningState.DELETING}
    ),
    ProvisioningState.UPDATING: frozenset(
        {ProvisioningState.SUCCEEDED, ProvisioningState.FAILED, ProvisioningState.DELETING}
    ),
    ProvisioningState.SUCCEEDED: frozenset({ProvisioningState.UPDATING, ProvisioningState.DELETING}),
    ProvisioningState.FAILED: frozenset({ProvisioningState.UPDATING, ProvisioningState.DELETING}),
    ProvisioningState.DELETING: frozenset({ProvisioningState.FAILED}),
}


def moved(state: ProvisioningState, to: ProvisioningState, *, what: str) -> ProvisioningState:
    """Return ``to`` when the table allows the move from ``state``, else raise Conflict naming ``what``."""
    if to not in _MOVES[state]:
        raise Conflict(
            f"{what} is {state.value} and cannot become {to.value}",
            resolution="Wait until the running operation has ended, then try again.",
            code="OperationNotAllowed",
            temporary=not state.is_final,
        )
    return to

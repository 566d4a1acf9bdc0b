"""A deployment as the fabric keeps it: what was asked, how far it is, what came out. Secure values never lie here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from dockyard.model.errors import ErrorRecord
from dockyard.model.resource_id import ResourceId

DEPLOYMENTS = "Microsoft.Resources/deployments"


class DeploymentMode(Enum):
    """What becomes of the group's other resources: they stay, or they go."""

    INCREMENTAL = "Incremental"
    COMPLETE = "Complete"


class DeploymentState(Enum):
    """ARM's words for the state of a deployment and of each of its steps."""

    ACCEPTED = "Accepted"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"

    @property
    def is_final(self) -> bool:
        """Whether nothing is at work."""
        return self not in (DeploymentState.ACCEPTED, DeploymentState.RUNNING)


class StepKind(Enum):
    """What a step does to its resource."""

    CREATE = "Create"
    DELETE = "Delete"


@dataclass(frozen=True, kw_only=True)
class DeploymentStep:
    """The work on one resource; ARM calls it a deployment operation."""

    id: str
    kind: StepKind
    target: ResourceId
    state: DeploymentState
    started_at: datetime
    ended_at: datetime | None = None
    error: ErrorRecord | None = None


@dataclass(frozen=True)
class Dependency:
    """One resource and those it comes after."""

    target: ResourceId
    after: tuple[ResourceId, ...]


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The stored document.

    ``parameters`` and ``outputs`` are as answers show them, without secure values. ``template`` is None for a nested
    deployment whose expressions were evaluated outside: it may hold what was secret there.
    """

    id: ResourceId
    operation_id: str
    mode: DeploymentMode
    state: DeploymentState
    started_at: datetime
    template: Mapping[str, Any] | None
    template_hash: str
    parameters: Mapping[str, Any]
    resources: tuple[ResourceId, ...]
    dependencies: tuple[Dependency, ...]
    outputs: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[DeploymentStep, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    ended_at: datetime | None = None
    error: ErrorRecord | None = None

    @property
    def failures(self) -> tuple[DeploymentStep, ...]:
        """The steps that failed."""
        return tuple(step for step in self.steps if step.error is not None)

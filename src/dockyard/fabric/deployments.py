"""What can be done with deployments of templates. Called by the ARM API and by ``reconcile``.

A plan is made, and everything that can be known to be wrong refused, before a deployment is accepted. The values of
secure parameters live in memory only, so a deployment that was interrupted by the end of its server cannot go on: it
is marked failed, and deploying again completes it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dockyard.fabric.deploying import Deploying, Pen
from dockyard.fabric.operations import Journal, Operations, Work
from dockyard.fabric.ports import Clock, ResourceClient, Store
from dockyard.model.deployment import DEPLOYMENTS, Dependency, Deployment, DeploymentMode, DeploymentState
from dockyard.model.errors import Conflict, DockyardError, ErrorRecord, InvalidRequest, NotFound, OperationFailed
from dockyard.model.operation import OperationKind
from dockyard.model.resource_group import ResourceGroup
from dockyard.model.resource_id import ResourceId
from dockyard.templates.planning import Plan, make_plan
from dockyard.templates.scope import Moment, Target
from dockyard.templates.template import Template

_log = logging.getLogger(__name__)
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.()")
_MAX_NAME = 64
_CANCELED = ErrorRecord("DeploymentCanceled", "The deployment was canceled.")


@dataclass(frozen=True, kw_only=True)
class DeploymentRequest:
    """A deployment to be. ``supplied`` may hold secrets; ``kept`` is the template as it may be stored, or None."""

    id: ResourceId
    mode: DeploymentMode
    template: Template
    kept: Mapping[str, Any] | None
    supplied: Mapping[str, Any] = field(repr=False)
    tenant_id: str
    endpoint: str
    tags: Mapping[str, str] = field(default_factory=dict)


class Deployments:
    """Deploy, validate, look at, cancel and forget."""

    def __init__(self, *, store: Store, operations: Operations, clock: Clock) -> None:
        self._store = store
        self._operations = operations
        self._clock = clock

    def get(self, *, id: ResourceId) -> Deployment:
        """Return one deployment. Raises NotFound (code DeploymentNotFound)."""
        self._group(id.resource_group)
        found = self._store.deployment(id=id)
        if found is None:
            raise NotFound(f"Deployment '{id.name}' could not be found", code="DeploymentNotFound")
        return found

    def list(self, *, resource_group: str) -> Sequence[Deployment]:
        """Return the deployments of a group, newest first. Raises NotFound."""
        self._group(resource_group)
        return self._store.deployments(resource_group=resource_group)[::-1]

    def plan(self, *, request: DeploymentRequest, client: ResourceClient, masked: bool = False) -> Plan:
        """Return what a deployment would do; ``masked`` for showing.

        Raises:
            TemplateError: the template or its parameters are wrong.
            InvalidRequest: a resource is of a type nobody serves (code InvalidResourceType).
            NotFound: there is no such group.
        """
        target = Target(
            group=self._group(request.id.resource_group),
            tenant_id=request.tenant_id,
            deployment=request.id.name,
            endpoint=request.endpoint,
        )
        moment = Moment(now=self._clock.now(), guid=str(uuid.uuid4()))
        plan = make_plan(request.template, supplied=request.supplied, target=target, moment=moment, masked=masked)
        for resource in plan.resources:
            client.check_type(id=resource.id, api_version=resource.api_version)
        return plan

    def start(self, *, request: DeploymentRequest, client: ResourceClient) -> Deployment:
        """Begin to deploy. Raises what ``plan`` raises, and Conflict when one of this name is under way."""
        _check_name(request.id.name)
        plan = self.plan(request=request, client=client)
        before = self._store.deployment(id=request.id)
        if self._operations.busy(target=request.id):
            raise Conflict(
                f"The deployment '{request.id.name}' is still active and cannot be overwritten",
                resolution="Wait until it has ended, cancel it, or choose another name.",
                code="DeploymentActive",
                temporary=True,
            )

        async def work(journal: Journal) -> None:
            await self._deploy(journal, plan=plan, client=client, mode=request.mode)

        with self._store.transaction():
            operation = self._operations.start(kind=OperationKind.DEPLOY, target=request.id, work=work)
            made = self._record(request, plan=plan, operation_id=operation.id)
            self._store.put_deployment(replace(made, id=before.id) if before else made)
        return self.get(id=request.id)

    async def cancel(self, *, id: ResourceId) -> None:
        """End a deployment under way; what it has begun goes on by itself. Raises NotFound, Conflict."""
        found = self.get(id=id)
        if found.state.is_final:
            raise Conflict(
                f"The deployment '{id.name}' has ended ({found.state.value}) and cannot be canceled",
                code="DeploymentCannotBeCancelled",
            )
        await self._operations.preempt(target=id, error=_CANCELED)
        self._close(id, state=DeploymentState.CANCELED, error=_CANCELED)
        for step in found.steps:
            nested = self._store.deployment(id=step.target) if step.target.type == DEPLOYMENTS else None
            if nested is not None and not nested.state.is_final:
                await self.cancel(id=nested.id)

    def delete(self, *, id: ResourceId) -> bool:
        """Forget a deployment; what it made stays. False when there was none. Raises Conflict."""
        self._group(id.resource_group)
        if self._operations.busy(target=id):
            raise Conflict(
                f"The deployment '{id.name}' is still active and cannot be deleted",
                resolution="Wait until it has ended, or cancel it first.",
                code="DeploymentActive",
                temporary=True,
            )
        found = self._store.deployment(id=id)
        self._store.delete_deployment(id=id)
        return found is not None

    async def interrupted_work(self, journal: Journal) -> None:
        """Close a deployment an earlier server left behind. Always raises OperationFailed."""
        error = OperationFailed(
            f"The server ended while the deployment '{journal.operation.target.name}' was under way",
            resolution="Deploy the same template again: what is made already stays, the rest follows.",
            code="DeploymentInterrupted",
        )
        self._close(journal.operation.target, state=DeploymentState.FAILED, error=error.record())
        raise error

    def works(self) -> dict[OperationKind, Work]:
        """Return what is done with a deployment that is found unfinished."""
        return {OperationKind.DEPLOY: self.interrupted_work}

    async def _deploy(self, journal: Journal, *, plan: Plan, client: ResourceClient, mode: DeploymentMode) -> None:
        id = journal.operation.target
        pen = Pen(store=self._store, clock=self._clock, id=id)
        pen.change(lambda record: replace(record, state=DeploymentState.RUNNING))
        journal.step("resources")
        try:
            outputs = await Deploying(plan=plan, client=client, pen=pen, clock=self._clock).run(mode=mode)
        except DockyardError as error:
            self._close(id, state=DeploymentState.FAILED, error=error.record())
            raise
        except Exception:
            fault = ErrorRecord("InternalError", "An unforeseen fault ended the deployment; the server's log has it.")
            self._close(id, state=DeploymentState.FAILED, error=fault)
            raise
        pen.change(lambda record: replace(record, outputs=outputs))
        self._close(id, state=DeploymentState.SUCCEEDED, error=None)

    def _record(self, request: DeploymentRequest, *, plan: Plan, operation_id: str) -> Deployment:
        ids = {resource.key: resource.id for resource in plan.resources}
        waiting = ((ids[key], tuple(ids[each] for each in sorted(after))) for key, after in plan.after.items() if after)
        return Deployment(
            id=request.id,
            operation_id=operation_id,
            mode=request.mode,
            state=DeploymentState.ACCEPTED,
            started_at=self._clock.now(),
            template=request.kept,
            template_hash=template_hash(request.kept),
            parameters=plan.given.shown,
            resources=tuple(resource.id for resource in plan.resources if not resource.existing),
            dependencies=tuple(Dependency(target, after) for target, after in waiting),
            tags=request.tags,
        )

    def _close(self, id: ResourceId, *, state: DeploymentState, error: ErrorRecord | None) -> None:
        now = self._clock.now()

        def closed(record: Deployment) -> Deployment:
            steps = (
                step if step.state.is_final else replace(step, state=state, ended_at=now, error=error)
                for step in record.steps
            )
            return replace(record, state=state, ended_at=now, error=error, steps=tuple(steps))

        Pen(store=self._store, clock=self._clock, id=id).change(closed)

    def _group(self, name: str) -> ResourceGroup:
        for group in self._store.resource_groups():
            if group.name.lower() == name.lower():
                return group
        raise NotFound(
            f"Resource group '{name}' could not be found",
            resolution="Create it first, or use the group 'dockyard'.",
            code="ResourceGroupNotFound",
        )


def template_hash(template: Mapping[str, Any] | None) -> str:
    """Return the number that stays the same while a template does."""
    text = json.dumps(template, sort_keys=True, separators=(",", ":"))
    return str(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


def _check_name(name: str) -> None:
    if not 1 <= len(name) <= _MAX_NAME or not set(name) <= _NAME:
        raise InvalidRequest(
            "The name of the deployment is not valid",
            resolution="Use 1 to 64 letters, digits, hyphens, underscores, dots and parentheses.",
            code="InvalidDeploymentName",
        )

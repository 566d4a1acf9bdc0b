"""One deployment at work: resources made in the order of the plan, as many at once as it allows.

Used by ``deployments``. Everything outside is done through the ``ResourceClient``, and every step is written into the
deployment's record before and after. Nothing is taken back when a step fails: what depends on it is not begun, the
rest goes on, as in ARM.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from graphlib import TopologicalSorter
from typing import Any, TypeVar

from dockyard.fabric.ports import Clock, ResourceClient, Store
from dockyard.model.deployment import Deployment, DeploymentMode, DeploymentState, DeploymentStep, StepKind
from dockyard.model.errors import DockyardError, ErrorRecord, OperationFailed
from dockyard.model.resource_id import ResourceId
from dockyard.templates.errors import ResourceNeeded
from dockyard.templates.expansion import Unrolled
from dockyard.templates.planning import Plan, evaluate_outputs, request_body
from dockyard.templates.states import States

AT_ONCE = 10
LOOK_EVERY_SECONDS = 0.5
_FINAL = ("Succeeded", "Failed", "Canceled")
# What uses others goes before them: machines, their interfaces, what those hang on, the rest.
_DELETION_ORDER = (
    "microsoft.compute/virtualmachines",
    "microsoft.network/networkinterfaces",
    "microsoft.network/publicipaddresses",
    "microsoft.network/virtualnetworks",
)
T = TypeVar("T")


class Pen:
    """Writes one deployment's record; does nothing once the record is gone (its group was deleted)."""

    def __init__(self, *, store: Store, clock: Clock, id: ResourceId) -> None:
        self._store = store
        self._clock = clock
        self._id = id

    def change(self, change: Callable[[Deployment], Deployment]) -> None:
        """Replace the record by what ``change`` makes of it."""
        record = self._store.deployment(id=self._id)
        if record is not None:
            self._store.put_deployment(change(record))

    def begin(self, target: ResourceId, *, kind: StepKind) -> str:
        """Write that a step begins; return its id."""
        step = DeploymentStep(
            id=str(uuid.uuid4()),
            kind=kind,
            target=target,
            state=DeploymentState.RUNNING,
            started_at=self._clock.now(),
        )
        self.change(lambda record: replace(record, steps=(*record.steps, step)))
        return step.id

    def end(self, step_id: str, *, error: ErrorRecord | None) -> None:
        """Write that a step has ended."""
        state = DeploymentState.SUCCEEDED if error is None else DeploymentState.FAILED

        def ended(record: Deployment) -> Deployment:
            now = self._clock.now()
            steps = (
                replace(step, state=state, ended_at=now, error=error) if step.id == step_id else step
                for step in record.steps
            )
            return replace(record, steps=tuple(steps))

        self.change(ended)


class Deploying:
    """The work of one plan."""

    def __init__(self, *, plan: Plan, client: ResourceClient, pen: Pen, clock: Clock) -> None:
        self._plan = plan
        self._client = client
        self._pen = pen
        self._clock = clock
        self._known: dict[str, Mapping[str, Any] | None] = {}
        self._seats = asyncio.Semaphore(AT_ONCE)

    async def run(self, *, mode: DeploymentMode) -> Mapping[str, Any]:
        """Make all resources, in complete mode delete the others, and return the outputs.

        Raises:
            OperationFailed: (code DeploymentFailed) a resource could not be made or deleted; names it.
            TemplateError: an output is wrong.
        """
        failed = await self._make_all()
        if not failed and mode is DeploymentMode.COMPLETE:
            failed = await self._delete_others()
        if failed:
            raise OperationFailed(
                "At least one resource deployment operation failed",
                details="\n".join(f"{id}: {error.message}" for id, error in failed),
                resolution="Mend the template or its parameters and deploy again; what was made is kept as it is.",
                code="DeploymentFailed",
            )
        return await self._evaluated(lambda states: evaluate_outputs(self._plan, states))

    async def _make_all(self) -> list[tuple[ResourceId, ErrorRecord]]:
        resources = {resource.key: resource for resource in self._plan.resources}
        sorter = TopologicalSorter(self._plan.after)
        sorter.prepare()
        tasks: dict[asyncio.Task[ErrorRecord | None], Unrolled] = {}
        failed: list[tuple[ResourceId, ErrorRecord]] = []
        try:
            while sorter.is_active():
                for key in sorter.get_ready():
                    tasks[asyncio.create_task(self._make(resources[key]))] = resources[key]
                if not tasks:
                    break  # what is left waits for something that failed
                for task in (await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED))[0]:
                    resource, error = tasks.pop(task), task.result()
                    if error is None:
                        sorter.done(resource.key)
                    else:
                        failed.append((resource.id, error))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return failed

    async def _make(self, resource: Unrolled) -> ErrorRecord | None:
        if resource.existing:
            return None
        async with self._seats:
            step = self._pen.begin(resource.id, kind=StepKind.CREATE)
            try:
                body = await self._evaluated(lambda states: request_body(resource, states))
                await self._settled(resource)
                self._known[resource.key] = await self._client.put(
                    id=resource.id, api_version=resource.api_version, body=body
                )
            except DockyardError as error:
                self._pen.end(step, error=error.record())
                return error.record()
            self._pen.end(step, error=None)
            return None

    async def _settled(self, resource: Unrolled) -> None:
        """Wait until nothing else is at work on a resource, for example what an interrupted deployment began."""
        while True:
            found = await self._client.get(id=resource.id, api_version=resource.api_version)
            state = (found or {}).get("properties", {}).get("provisioningState", _FINAL[0])
            if state in _FINAL:
                return
            await self._clock.sleep(LOOK_EVERY_SECONDS)

    async def _evaluated(self, evaluate: Callable[[States], T]) -> T:
        while True:
            try:
                return evaluate(self._plan.states(self._known))
            except ResourceNeeded as needed:
                self._known[needed.id.key] = await self._client.get(id=needed.id, api_version=needed.api_version)

    async def _delete_others(self) -> list[tuple[ResourceId, ErrorRecord]]:
        others = others_than(
            self._kept(), found=await self._client.list(resource_group=self._plan.scope.target.group.name)
        )
        for id in others:
            step = self._pen.begin(id, kind=StepKind.DELETE)
            try:
                await self._client.delete(id=id)
            except DockyardError as error:
                self._pen.end(step, error=error.record())
                return [(id, error.record())]
            self._pen.end(step, error=None)
        return []

    def _kept(self) -> set[str]:
        keys = {resource.key for resource in self._plan.resources}
        for resource in self._plan.resources:
            if resource.is_deployment:
                keys |= made_by(self._known.get(resource.key))
        return keys


def made_by(deployment: Mapping[str, Any] | None) -> set[str]:
    """Return the keys of what a nested deployment made, given its document."""
    entries = (deployment or {}).get("properties", {}).get("outputResources", [])
    return {str(entry["id"]).lower() for entry in entries}


def others_than(keys: set[str], *, found: Sequence[ResourceId]) -> list[ResourceId]:
    """Return which resources of a group a complete deployment deletes, in this order.

    ``keys`` are those of the resources that stay. A child goes with its parent and is not named beside it.
    """
    others = [id for id in found if id.key not in keys]
    gone = {id.key for id in others}
    tops = [id for id in others if len(id.names) == 1 or id.parent.key not in gone]
    return sorted(tops, key=_rank)


def _rank(id: ResourceId) -> tuple[int, int]:
    type_ = id.type.lower()
    return -len(id.names), _DELETION_ORDER.index(type_) if type_ in _DELETION_ORDER else len(_DELETION_ORDER)

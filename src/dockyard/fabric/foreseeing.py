"""What a deployment would change, found out without changing anything. Used by the ARM API for ``whatIf``.

Works on two plans of the same template: the real one is compared with what is there, the masked one, which has stars
for secure values, is what is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from dockyard.fabric.deploying import made_by, others_than
from dockyard.fabric.ports import ResourceClient
from dockyard.model.deployment import DeploymentMode
from dockyard.model.resource_id import ResourceId
from dockyard.templates.errors import ResourceNeeded
from dockyard.templates.expansion import Unrolled
from dockyard.templates.planning import Plan, request_body
from dockyard.templates.secrets import SECRET_MEMBERS, STARS
from dockyard.templates.values import same

# What a resource takes but never gives back: a difference here says nothing, and showing it could tell a secret.
_WRITE_ONLY = SECRET_MEMBERS | {"customdata"}


class ChangeType(Enum):
    """What would become of a resource, or of a property."""

    CREATE = "Create"
    DELETE = "Delete"
    DEPLOY = "Deploy"
    IGNORE = "Ignore"
    MODIFY = "Modify"
    NO_CHANGE = "NoChange"


@dataclass(frozen=True)
class PropertyChange:
    """One property that would change."""

    path: str
    kind: ChangeType
    before: Any = None
    after: Any = None


@dataclass(frozen=True, kw_only=True)
class Change:
    """One resource and what would become of it."""

    id: ResourceId
    kind: ChangeType
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    delta: tuple[PropertyChange, ...] = field(default=())


async def foresee(*, plan: Plan, masked: Plan, client: ResourceClient, mode: DeploymentMode) -> Sequence[Change]:
    """Return the changes, those of the template first. Raises TemplateError, DockyardError."""
    bodies = _Bodies(client)
    changes: list[Change] = []
    keys = {resource.key for resource in plan.resources}
    for resource, shown in zip(plan.resources, masked.resources, strict=True):
        before = await client.get(id=resource.id, api_version=resource.api_version)
        keys |= made_by(before) if resource.is_deployment else set()
        after, told = await bodies.of(resource, plan), await bodies.of(shown, masked)
        changes.append(_foreseen(resource, before=before, after=after, told=told))
    found = await client.list(resource_group=plan.scope.target.group.name)
    deleted = {id.key for id in others_than(keys, found=found)} if mode is DeploymentMode.COMPLETE else set()
    for id in found:
        if id.key in keys:
            continue
        kind = ChangeType.DELETE if id.key in deleted else ChangeType.IGNORE
        changes.append(Change(id=id, kind=kind, before=await client.get(id=id, api_version="")))
    return changes


class _Bodies:
    """What resources would be sent, with the states they ask for."""

    def __init__(self, client: ResourceClient) -> None:
        self._client = client
        self._known: dict[str, Mapping[str, Any] | None] = {}

    async def of(self, resource: Unrolled, plan: Plan) -> dict[str, Any]:
        while True:
            try:
                return _readable(request_body(resource, plan.states(self._known, tolerant=True)))
            except ResourceNeeded as needed:
                self._known[needed.id.key] = await self._client.get(id=needed.id, api_version=needed.api_version)


def _foreseen(
    resource: Unrolled, *, before: Mapping[str, Any] | None, after: dict[str, Any], told: dict[str, Any]
) -> Change:
    if resource.is_deployment:
        return Change(id=resource.id, kind=ChangeType.DEPLOY)
    shown = {**_identity(resource), **told}
    if before is None:
        return Change(id=resource.id, kind=ChangeType.CREATE, after=shown)
    delta = tuple(differences(before, after, told=told))
    kind = ChangeType.MODIFY if delta else ChangeType.NO_CHANGE
    return Change(id=resource.id, kind=kind, before=before, after=shown, delta=delta)


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], *, told: Mapping[str, Any], path: str = ""
) -> Iterator[PropertyChange]:
    """Yield where ``after`` differs; what it does not speak of stays as it is and is no difference.

    ``told`` has the values to show in place of those of ``after``.
    """
    for name, wanted in after.items():
        here = f"{path}.{name}" if path else name
        found, shown = before.get(name), told.get(name, STARS)
        if not path and name.lower() == "location":
            continue  # there is one place only, whatever it is called
        if isinstance(found, Mapping) and isinstance(wanted, Mapping):
            yield from differences(found, wanted, told=shown if isinstance(shown, Mapping) else {}, path=here)
        elif wanted is not None and not _stays(found, wanted):
            yield PropertyChange(here, ChangeType.CREATE if found is None else ChangeType.MODIFY, found, shown)


def _stays(found: Any, wanted: Any) -> bool:
    """Tell whether what is there is what is wanted, beside what a server adds: also to the members of a list."""
    if found is None:
        return wanted in (None, {}, [])
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        return all(_stays(found.get(name), item) for name, item in wanted.items())
    if isinstance(found, list) and isinstance(wanted, list) and _are_objects(found) and _are_objects(wanted):
        return len(found) == len(wanted) and all(_stays(_like(item, found, at), item) for at, item in enumerate(wanted))
    return same(found, wanted)


def _are_objects(items: list[Any]) -> bool:
    return all(isinstance(item, Mapping) for item in items)


def _like(wanted: Mapping[str, Any], found: list[Any], at: int) -> Any:
    """Return the member of a list that has the same name, for those without names the one at the same place."""
    name = wanted.get("name")
    return found[at] if name is None else next((each for each in found if each.get("name") == name), None)


def _identity(resource: Unrolled) -> dict[str, Any]:
    id = resource.id
    return {"id": str(id), "name": id.name, "type": id.type, "apiVersion": resource.api_version}


def _readable(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object without what a resource never gives back, at any depth."""
    return {name: _readable_value(item) for name, item in members.items() if name.lower() not in _WRITE_ONLY}


def _readable_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_readable_value(item) for item in value]
    return _readable(value) if isinstance(value, dict) else value

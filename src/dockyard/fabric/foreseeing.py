"""What a deployment would change, found out without changing anything. Used by the ARM API for ``whatIf``.

Works on a masked plan: secure values are stars in all it says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from dockyard.fabric.deploying import others_than
from dockyard.fabric.ports import ResourceClient
from dockyard.model.deployment import DEPLOYMENTS, DeploymentMode
from dockyard.model.resource_id import ResourceId
from dockyard.templates.errors import ResourceNeeded, TemplateError
from dockyard.templates.expansion import Unrolled
from dockyard.templates.planning import Plan, request_body
from dockyard.templates.resource_ids import parse_id
from dockyard.templates.values import same

# What a resource takes but never gives back: a difference here says nothing, and showing it could tell a secret.
_WRITE_ONLY = frozenset({"protectedsettings", "adminpassword", "customdata"})


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


async def foresee(*, plan: Plan, client: ResourceClient, mode: DeploymentMode) -> Sequence[Change]:
    """Return the changes, those of the template first. Raises TemplateError, DockyardError."""
    known: dict[str, Mapping[str, Any] | None] = {}
    changes = [await _foreseen(each, plan=plan, client=client, known=known) for each in plan.resources]
    keys = {resource.key for resource in plan.resources}
    found = await client.list(resource_group=plan.scope.target.group.name)
    deleted = {id.key for id in others_than(keys, found=found)} if mode is DeploymentMode.COMPLETE else set()
    for id in found:
        if id.key in keys:
            continue
        kind = ChangeType.DELETE if id.key in deleted else ChangeType.IGNORE
        changes.append(Change(id=id, kind=kind, before=await client.get(id=id, api_version="")))
    return changes


async def _foreseen(
    resource: Unrolled, *, plan: Plan, client: ResourceClient, known: dict[str, Mapping[str, Any] | None]
) -> Change:
    before = await client.get(id=resource.id, api_version=resource.api_version)
    after = {**_identity(resource), **_without_write_only(await _body(resource, plan, client, known))}
    if resource.id.type.lower() == DEPLOYMENTS.lower():
        return Change(id=resource.id, kind=ChangeType.DEPLOY)
    if before is None:
        return Change(id=resource.id, kind=ChangeType.CREATE, after=after)
    delta = tuple(differences(before, after))
    kind = ChangeType.MODIFY if delta else ChangeType.NO_CHANGE
    return Change(id=resource.id, kind=kind, before=before, after=after, delta=delta)


async def _body(
    resource: Unrolled, plan: Plan, client: ResourceClient, known: dict[str, Mapping[str, Any] | None]
) -> dict[str, Any]:
    while True:
        try:
            return request_body(resource, plan.states(known))
        except ResourceNeeded as needed:
            id = parse_id(needed.id)
            if id is not None:
                known[id.key] = await client.get(id=id, api_version=needed.api_version)
        except TemplateError:
            return dict(resource.sent)  # it speaks of what is only there once the deployment runs


def differences(before: Mapping[str, Any], after: Mapping[str, Any], *, path: str = "") -> Iterator[PropertyChange]:
    """Yield where ``after`` differs; what it does not speak of stays as it is and is no difference."""
    for name, wanted in after.items():
        here = f"{path}.{name}" if path else name
        found = before.get(name)
        if isinstance(found, Mapping) and isinstance(wanted, Mapping):
            yield from differences(found, wanted, path=here)
        elif name.lower() in ("name", "type", "location", "apiversion") and not path:
            continue
        elif wanted is not None and not same(found, wanted) and not (found is None and wanted in ({}, [])):
            yield PropertyChange(here, ChangeType.CREATE if found is None else ChangeType.MODIFY, found, wanted)


def _identity(resource: Unrolled) -> dict[str, Any]:
    id = resource.id
    return {"id": str(id), "name": id.name, "type": id.type, "apiVersion": resource.api_version}


def _without_write_only(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_write_only(item) for item in value]
    if isinstance(value, dict):
        kept = {name: item for name, item in value.items() if name.lower() not in _WRITE_ONLY}
        return {name: _without_write_only(item) for name, item in kept.items()}
    return value

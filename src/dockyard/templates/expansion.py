"""Resources as a template writes them, unrolled: loops turned, children named, conditions decided. Pure.

Names, types, conditions and loops must be known before anything is deployed; everything else of a resource is
evaluated when its turn has come (``planning``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from dockyard.model.resource_group import ResourceGroup
from dockyard.model.resource_id import ResourceId
from dockyard.templates.places import Place
from dockyard.templates.resource_ids import named
from dockyard.templates.scope import Scope
from dockyard.templates.template import Declared, read_resources
from dockyard.templates.values import Json
from dockyard.templates.walk import copies, resolve, resolve_text

DEPLOYMENTS = "Microsoft.Resources/deployments"
_NOT_SENT = {"apiversion", "name", "type", "dependson", "condition", "copy", "resources", "comments", "metadata"}
_NOT_SENT |= {"scope", "resourcegroup", "subscriptionid", "existing", "import"}


@dataclass(frozen=True, kw_only=True)
class Unrolled:
    """One resource to be. ``turn`` counts within the loop; ``batch`` is the size of a serial loop's batches or 0."""

    id: ResourceId
    api_version: str
    declared: Declared
    scope: Scope
    enabled: bool = True
    existing: bool = False
    loop: str = ""
    turn: int = 0
    batch: int = 0

    @cached_property
    def key(self) -> str:
        """The id without regard to case."""
        return self.id.key

    @property
    def is_deployment(self) -> bool:
        """Whether this is a deployment in the deployment."""
        return self.id.type.lower() == DEPLOYMENTS.lower()

    @property
    def sent(self) -> Mapping[str, Json]:
        """The members that are sent to the resource's provider, not yet evaluated."""
        return {name: value for name, value in self.declared.body.items() if name.lower() not in _NOT_SENT}


def unroll(resources: Sequence[Declared], scope: Scope, parent: ResourceId | None = None) -> Iterator[Unrolled]:
    """Yield every resource, children behind their parents. Raises TemplateError."""
    for declared in resources:
        for made in _turns(declared, scope, parent):
            yield made
            children = declared.body.get("resources")
            if children and not made.is_deployment:
                place = declared.place.child("resources")
                yield from unroll(read_resources(children, place), made.scope, made.id)


def loop_names(resources: Sequence[Declared], scope: Scope) -> list[str]:
    """Return the names of all copy loops, those without any turn among them. Raises TemplateError."""
    return [
        resolve_text(declared.body["copy"]["name"], scope, declared.place.child("copy", "name"))
        for declared in resources
        if isinstance(declared.body.get("copy"), dict) and "name" in declared.body["copy"]
    ]


def _turns(declared: Declared, scope: Scope, parent: ResourceId | None) -> Iterator[Unrolled]:
    loop = declared.body.get("copy")
    if loop is None:
        yield _one(declared, scope, parent)
        return
    place = declared.place.child("copy")
    count = copies(loop, scope, place)
    name = resolve_text(loop.get("name", declared.symbol), scope, place.child("name"))
    batch = _batch(loop, scope, place)
    for turn in range(count):
        made = _one(declared, scope.looped(name, turn), parent)
        yield replace(made, loop=name, turn=turn, batch=batch)


def _batch(loop: Mapping[str, Json], scope: Scope, place: Place) -> int:
    mode = resolve_text(loop.get("mode", "parallel"), scope, place.child("mode")).lower()
    if mode not in ("serial", "parallel"):
        raise place.child("mode").error("The mode of a copy loop is 'serial' or 'parallel'")
    size = resolve(loop.get("batchSize", 1), scope, place.child("batchSize"))
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise place.child("batchSize").error("The batch of a serial copy loop has one resource or more")
    return size if mode == "serial" else 0


def _one(declared: Declared, scope: Scope, parent: ResourceId | None) -> Unrolled:
    body, place = declared.body, declared.place
    for name in ("type", "name", "apiVersion"):
        if name not in body:
            raise place.error(f"The resource lacks its '{name}'")
    if "scope" in body:
        raise place.child("scope").error("Resources that extend another one by 'scope' are not offered")
    type_, name = (resolve_text(body[member], scope, place.child(member)) for member in ("type", "name"))
    return Unrolled(
        id=_id(_group(declared, scope), type_=type_, name=name, parent=parent, place=place),
        api_version=resolve_text(body["apiVersion"], scope, place.child("apiVersion")),
        declared=declared,
        scope=scope,
        enabled=_condition(declared, scope),
        existing=body.get("existing") is True,
    )


def _id(group: ResourceGroup, *, type_: str, name: str, parent: ResourceId | None, place: Place) -> ResourceId:
    if parent is not None:
        type_ = type_ if type_.lower().startswith(f"{parent.type.lower()}/") else f"{parent.type}/{type_}"
        name = name if "/" in name else "/".join((*parent.names, name))
    id = named(group, type=type_.strip("/"), name=name)
    if id is None:
        raise place.child("name").error(
            f"The template resource '{name}' for type '{type_}' has incorrect segment lengths",
            resolution="A name has one part less, between slashes, than its type.",
        )
    return id


def _group(declared: Declared, scope: Scope) -> ResourceGroup:
    group = scope.target.group
    name = declared.body.get("resourceGroup")
    subscription = declared.body.get("subscriptionId")
    if name is not None:
        group = replace(group, name=resolve_text(name, scope, declared.place.child("resourceGroup")))
    if subscription is not None:
        id = resolve_text(subscription, scope, declared.place.child("subscriptionId"))
        group = replace(group, subscription_id=id)
    return group


def _condition(declared: Declared, scope: Scope) -> bool:
    place = declared.place.child("condition")
    value = resolve(declared.body.get("condition", True), scope, place)
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise place.error("A condition is true or false")
    return value

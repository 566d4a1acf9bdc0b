"""Scopes: the subscription, a group or a resource, as paths name them before what is said about them (locks, tags)."""

from __future__ import annotations

from starlette.requests import Request

from dockyard.arm.authorization.actions import spelled
from dockyard.arm.bodies import check_subscription
from dockyard.arm.context import context_of
from dockyard.model.errors import NotFound
from dockyard.templates.resource_ids import parse_id

SUBSCRIPTION = "/subscriptions/{subscription}"
GROUP = f"{SUBSCRIPTION}/resourcegroups/{{group}}"
# Never "{resource:path}": what is a word of a path and what a name must be the same here and in ``actions``.
_RESOURCE = f"{GROUP}/providers/{{namespace}}/{{type}}/{{resource}}"
CHILD = f"{_RESOURCE}/{{child_type}}/{{child}}"
SCOPES = (SUBSCRIPTION, GROUP, _RESOURCE, CHILD)
_PROVIDERS = "/providers/"


def scope_of(request: Request) -> str:
    """Return the scope a path is about, spelled as Azure spells it. Raises NotFound when there is no such thing."""
    check_subscription(request)
    fabric = context_of(request).fabric
    scope = spelled(request.url.path.rpartition(_PROVIDERS)[0])
    if "namespace" in request.path_params:
        id = parse_id(scope)
        if id is None:
            raise NotFound(f"There is no resource {scope}")
        return str(fabric.resources.get(id=id).id)
    if "group" in request.path_params:
        group = fabric.resource_groups.get(name=request.path_params["group"])
        return f"/subscriptions/{group.subscription_id}/resourceGroups/{group.name}"
    return f"/subscriptions/{context_of(request).subscription_id}"

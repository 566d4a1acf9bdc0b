"""``resourceId`` and its kin, in all their overloads, and ids read back from text. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dockyard.model.resource_group import ResourceGroup
from dockyard.model.resource_id import ResourceId
from dockyard.templates.errors import ExpressionError

_GROUPED = ("subscriptions", "resourcegroups", "providers")


def resource_id(group: ResourceGroup, texts: Sequence[str]) -> str:
    """Return the id of ``[subscription], [group], type, name, [name ...]``. Raises ExpressionError."""
    place = _type_place("resourceId", texts, before=2)
    own = [group.subscription_id, group.name]
    subscription, name = [*own[: 2 - place], *texts[:place]]
    return f"/subscriptions/{subscription}/resourceGroups/{name}{_provider_part('resourceId', texts[place:])}"


def subscription_resource_id(group: ResourceGroup, texts: Sequence[str]) -> str:
    """Return the id of ``[subscription], type, name, [name ...]``. Raises ExpressionError."""
    place = _type_place("subscriptionResourceId", texts, before=1)
    subscription = texts[0] if place else group.subscription_id
    return f"/subscriptions/{subscription}{_provider_part('subscriptionResourceId', texts[place:])}"


def tenant_id(texts: Sequence[str]) -> str:
    """Return the id of ``type, name, [name ...]``. Raises ExpressionError."""
    return _provider_part("tenantResourceId", texts[_type_place("tenantResourceId", texts, before=0) :])


def extension_resource_id(texts: Sequence[str]) -> str:
    """Return the id of ``resource, type, name, [name ...]``. Raises ExpressionError."""
    if not texts:
        raise ExpressionError("The function 'extensionResourceId' takes a resource id, a type and its names")
    return texts[0] + _provider_part("extensionResourceId", texts[1:])


def parse_id(text: str) -> ResourceId | None:
    """Return the id of a resource in a group, None for any other text."""
    parts = [part for part in text.split("/") if part]
    if not text.startswith("/") or len(parts) < 8 or len(parts) % 2:
        return None
    if tuple(part.lower() for part in parts[0:5:2]) != _GROUPED:
        return None
    names, kinds = parts[7::2], parts[6::2]
    return ResourceId(parts[1], parts[3], "/".join([parts[5], *kinds]), tuple(names))


def named(group: ResourceGroup, *, type: str, name: str) -> ResourceId | None:
    """Return the id of ``Provider/kind/kind`` and ``name/name`` in a group, None when they do not fit together."""
    names = tuple(part for part in name.split("/") if part)
    if len(names) != type.count("/") or not names:
        return None
    return ResourceId(group.subscription_id, group.name, type, names)


def _type_place(function: str, texts: Sequence[str], *, before: int) -> int:
    for place, text in enumerate(texts[: before + 1]):
        if "/" in text.strip("/"):
            return place
    raise ExpressionError(
        f"The function '{function}' has no resource type, such as 'Microsoft.Compute/virtualMachines'"
    )


def _provider_part(function: str, texts: Sequence[str]) -> str:
    provider, *kinds = [part for part in texts[0].split("/") if part] if texts else [""]
    names = [part for text in texts[1:] for part in text.split("/") if part]
    if not kinds or len(kinds) != len(names):
        raise ExpressionError(
            f"The function '{function}' needs a name for each part of the type: {len(kinds)}, but has {len(names)}"
        )
    return f"/providers/{provider}/" + "/".join(f"{kind}/{name}" for kind, name in zip(kinds, names, strict=True))

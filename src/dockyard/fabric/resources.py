"""The resources of this server whatever their type: what each type tells of its own, and the order in which they go.

Each kind of resource is one ``Kind``; their order is that of deletion: what uses others goes before them. Used by
``resource_groups`` for deleting whole groups and by the ARM API for its generic lists. Joined in ``fabric``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dockyard.model.errors import NotFound
from dockyard.model.operation import Operation
from dockyard.model.resource_id import ResourceId

SUCCEEDED = "Succeeded"


@dataclass(frozen=True, kw_only=True)
class Resource:
    """What is common to all resources. ``provisioning_state`` is ARM's word; ``sku`` and ``kind`` where there are."""

    id: ResourceId
    location: str
    tags: Mapping[str, str] = field(default_factory=dict)
    provisioning_state: str = SUCCEEDED
    created_at: datetime | None = None
    sku: str = ""
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One type of resource. ``delete`` begins a deletion or does it at once; None for what goes with its parent."""

    type: str
    list: Callable[[], Sequence[Resource]]
    delete: Callable[[ResourceId], Awaitable[Operation | None]] | None


class Resources:
    """Look at resources of every kind at once."""

    def __init__(self, *, kinds: Sequence[Kind]) -> None:
        self._kinds = kinds

    @property
    def kinds(self) -> Sequence[Kind]:
        """The kinds, in the order in which their resources are deleted."""
        return self._kinds

    def list(self, *, resource_group: str | None = None) -> Sequence[Resource]:
        """Return the resources of one group, or all; children follow their parents."""
        found = [resource for kind in self._kinds for resource in in_group(kind.list(), resource_group)]
        return sorted(found, key=lambda resource: resource.id.key)

    def get(self, *, id: ResourceId) -> Resource:
        """Return one resource. Raises NotFound (code ResourceNotFound), worded as ARM words it."""
        for kind in self._kinds:
            if kind.type.lower() == id.type.lower():
                for resource in kind.list():
                    if resource.id.key == id.key:
                        return resource
        raise NotFound(
            f"The Resource '{id.type}/{'/'.join(id.names)}' under resource group '{id.resource_group}' was not found"
        )


def in_group(resources: Sequence[Resource], resource_group: str | None) -> Sequence[Resource]:
    """Return those of one group; all for None."""
    if resource_group is None:
        return resources
    return [each for each in resources if each.id.resource_group.lower() == resource_group.lower()]

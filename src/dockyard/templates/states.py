"""What ``reference`` finds: states of resources fetched so far. Pure: ResourceNeeded asks for what is missing."""

from __future__ import annotations

from collections.abc import Mapping

from dockyard.templates.directory import Directory
from dockyard.templates.errors import ExpressionError, ResourceNeeded, StateUnknown
from dockyard.templates.resource_ids import parse_id
from dockyard.templates.values import Json


class States:
    """A runtime for expressions. ``known`` has documents by the key of the id; None means there is no such resource.

    With ``tolerant`` states, expressions that ask for what does not exist yet stay as they are written.
    """

    def __init__(
        self, directory: Directory, known: Mapping[str, Mapping[str, Json] | None], *, tolerant: bool = False
    ) -> None:
        self._directory = directory
        self._known = known
        self.tolerant = tolerant

    def reference(self, *, wanted: str, api_version: str, full: bool) -> Json:
        """Return a resource's properties, or all of it. Raises ResourceNeeded, ExpressionError."""
        resource = self._directory.one(wanted)
        id = resource.id if resource is not None else parse_id(wanted)
        if id is None:
            raise ExpressionError(f"The resource '{wanted}' is neither in the template nor an id")
        if id.key not in self._known:
            version = api_version or (resource.api_version if resource is not None else "")
            raise ResourceNeeded(id=id, api_version=version)
        document = self._known[id.key]
        if document is None:
            raise StateUnknown(f"The resource '{id}' does not exist")
        if not full:
            return document.get("properties", {})
        named = {"resourceId": str(id), "resourceGroupName": id.resource_group, "subscriptionId": id.subscription_id}
        return {**document, **named}

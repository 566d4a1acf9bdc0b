"""The image room over ARM: images are managed images of the default group, named by their alias.

Called by the CLI and the portal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dockyard.client.names import DEFAULT_GROUP, LOCATION
from dockyard.client.operations import Operation
from dockyard.client.views import Document

if TYPE_CHECKING:
    from dockyard.client.connection import Connection


@dataclass(frozen=True, kw_only=True)
class ImageView:
    """An image; ``document`` is what ARM answered. ``progress`` tells of a build under way."""

    document: Document
    alias: str
    state: str
    urn: str
    id: str
    size_bytes: int | None
    built_at: datetime | None
    progress: str


def view(document: Document) -> ImageView:
    """Decode a managed image by its tags."""
    tags = document.get("tags") or {}
    properties = document.get("properties") or {}
    size = str(tags.get("dockyard-size-bytes", ""))
    built = tags.get("dockyard-built-at")
    return ImageView(
        document=document,
        alias=str(document.get("name", "")),
        state=str(properties.get("provisioningState", "")),
        urn=str(tags.get("dockyard-urn", "")),
        id=str(tags.get("dockyard-id", "")),
        size_bytes=int(size) if size.isdecimal() else None,
        built_at=datetime.fromisoformat(built) if built else None,
        progress=str(tags.get("dockyard-progress", "")),
    )


def build(connection: Connection, *, alias: str, mirror: str | None, refresh: bool) -> Operation:
    """Begin to build an image; ``refresh`` builds anew although there is one."""
    tags = {"dockyard-mirror": mirror} if mirror else {}
    if refresh:
        tags["dockyard-refresh"] = "true"
    body: Any = {"location": LOCATION, "tags": tags, "properties": {}}
    operations = connection.compute.images
    return Operation(
        connection,
        begin=lambda: operations.begin_create_or_update(DEFAULT_GROUP, alias, body),
        what=f"Building image '{alias}'",
    )


def get(connection: Connection, *, alias: str) -> ImageView:
    """Return one image. Raises NotFound."""
    with connection.mapped():
        return view(connection.compute.images.get(DEFAULT_GROUP, alias).as_dict())


def list_all(connection: Connection) -> list[ImageView]:
    """Return the built images and those being built, by alias."""
    with connection.mapped():
        found = connection.compute.images.list_by_resource_group(DEFAULT_GROUP)
        images = [view(item.as_dict()) for item in found]
    return sorted(images, key=lambda image: image.alias)


def delete(connection: Connection, *, alias: str) -> Operation:
    """Begin to delete an image. Raises Conflict (ImageInUse) when a machine's disk stands on it."""
    operations = connection.compute.images
    return Operation(
        connection,
        begin=lambda: operations.begin_delete(DEFAULT_GROUP, alias),
        what=f"Deleting image '{alias}'",
    )

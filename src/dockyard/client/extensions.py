"""VM extensions over ARM, and the one this project is named after: the Docker extension's settings.

Called by the CLI and the portal. Protected settings go out and never come back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dockyard.client.names import LOCATION, MachineName
from dockyard.client.operations import Operation
from dockyard.client.views import Document
from dockyard.model.errors import NotFound

if TYPE_CHECKING:
    from dockyard.client.connection import Connection

DOCKER_EXTENSION = "DockerExtension"
DOCKER_PUBLISHER = "Microsoft.Azure.Extensions"
DOCKER_VERSION = "1.3"
DOCKER_GUEST_PORT = 2376


@dataclass(frozen=True, kw_only=True)
class ExtensionRequest:
    """What an extension is to be. ``version`` is ``major.minor``; ``protected`` never shows in a repr."""

    machine: MachineName
    name: str
    publisher: str
    type: str
    version: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    protected: Mapping[str, Any] = field(default_factory=dict, repr=False)
    force_update_tag: str | None = None
    auto_upgrade_minor_version: bool = True
    provision_after: tuple[str, ...] = ()


def docker_request(
    machine: MachineName, *, settings: Mapping[str, Any], protected: Mapping[str, Any]
) -> ExtensionRequest:
    """Return the request for the Docker extension, named as ``azure vm docker create`` always named it."""
    return ExtensionRequest(
        machine=machine,
        name=DOCKER_EXTENSION,
        publisher=DOCKER_PUBLISHER,
        type=DOCKER_EXTENSION,
        version=DOCKER_VERSION,
        settings=settings,
        protected=protected,
    )


def document(request: ExtensionRequest) -> dict[str, Any]:
    """Return the ARM body of a request."""
    properties: dict[str, Any] = {
        "publisher": request.publisher,
        "type": request.type,
        "typeHandlerVersion": request.version,
        "autoUpgradeMinorVersion": request.auto_upgrade_minor_version,
        "settings": dict(request.settings),
    }
    if request.protected:
        properties["protectedSettings"] = dict(request.protected)
    if request.provision_after:
        properties["provisionAfterExtensions"] = list(request.provision_after)
    if request.force_update_tag:
        properties["forceUpdateTag"] = request.force_update_tag
    return {"location": LOCATION, "properties": properties}


def put(connection: Connection, request: ExtensionRequest) -> Operation:
    """Begin to install an extension or to give it new settings. Raises NotFound or Conflict."""
    operations = connection.compute.virtual_machine_extensions
    body: Any = document(request)  # the SDK's type for a plain document lists dozens of optional members
    return Operation(
        connection,
        begin=lambda: operations.begin_create_or_update(
            request.machine.resource_group, request.machine.name, request.name, body
        ),
        what=f"Setting extension '{request.name}' of {request.machine}",
    )


def get(connection: Connection, machine: MachineName, *, name: str) -> Document:
    """Return an extension's ARM document with its instance view. Raises NotFound."""
    with connection.mapped():
        found = connection.compute.virtual_machine_extensions.get(
            machine.resource_group, machine.name, name, expand="instanceView"
        )
        return found.as_dict()


def list_all(connection: Connection, machine: MachineName) -> list[Document]:
    """Return the ARM documents of a machine's extensions, by name. Raises NotFound."""
    with connection.mapped():
        found = connection.compute.virtual_machine_extensions.list(
            machine.resource_group, machine.name, expand="instanceView"
        )
        documents: list[Document] = [item.as_dict() for item in found.value or []]
    return sorted(documents, key=lambda document: str(document.get("name", "")).lower())


def delete(connection: Connection, machine: MachineName, *, name: str) -> Operation:
    """Begin to remove an extension; no error when there is none."""
    operations = connection.compute.virtual_machine_extensions
    return Operation(
        connection,
        begin=lambda: operations.begin_delete(machine.resource_group, machine.name, name),
        what=f"Deleting extension '{name}' of {machine}",
    )


def newest_version(connection: Connection, *, publisher: str, handler_type: str) -> str:
    """Return ``major.minor`` of the newest package in the gallery. Raises NotFound."""
    with connection.mapped():
        found = connection.compute.virtual_machine_extension_images.list_versions(LOCATION, publisher, handler_type)
        names = [str(item.as_dict().get("name", "")) for item in found]
    numbered = [name for name in names if re.fullmatch(r"\d+(\.\d+)+", name)]
    if not numbered:
        raise NotFound(
            f"The gallery has no extension '{handler_type}' of publisher '{publisher}'",
            resolution="Check the spelling of --publisher and --type.",
            code="VMExtensionImageNotFound",
        )
    newest = max(numbered, key=lambda name: [int(part) for part in name.split(".")])
    return ".".join(newest.split(".")[:2])

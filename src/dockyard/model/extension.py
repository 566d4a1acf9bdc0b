"""A VM extension as the fabric keeps it: settings with ciphertext only, and what the agent reported of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from dockyard.model.errors import ErrorRecord
from dockyard.model.provisioning import ProvisioningState
from dockyard.model.resource_id import ResourceId

PACKAGE_GONE = "VMExtensionImageNotFound"
"""The code of the error of an extension whose package the gallery has no more."""


@dataclass(frozen=True)
class ProtectedSettings:
    """base64 of a DER CMS EnvelopedData, and the upper-case SHA-1 thumbprint of the certificate that opens it."""

    ciphertext: str
    thumbprint: str


@dataclass(frozen=True)
class SubStatus:
    """One step of a handler's work as its status file told it."""

    name: str
    status: str
    code: int
    message: str


@dataclass(frozen=True, kw_only=True)
class ExtensionStatus:
    """What the agent last said of a handler.

    ``handler_status`` is the agent's word on the handler (Ready, NotReady, Installing, Unresponsive);
    ``status`` the handler's own for ``sequence_number`` (transitioning, success, warning, error), None before any.
    """

    handler_version: str
    handler_status: str
    handler_code: int
    handler_message: str
    at: datetime
    sequence_number: int | None = None
    status: str | None = None
    code: int = 0
    operation: str = ""
    message: str = ""
    substatuses: tuple[SubStatus, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Extension:
    """The stored document. ``sequence_number`` rises with every change of the settings.

    ``incarnation`` is the goal state's that first carried this wish: reports on earlier ones do not count.
    ``suppress_failures`` lets it count as Succeeded whatever its handler says.
    ``configuration`` is the name the handler knows it by, for a handler that takes several at once.
    ``provision_after`` names the extensions of the machine that come before this one.
    """

    id: ResourceId
    location: str
    publisher: str
    type: str
    type_handler_version: str
    handler_version: str
    created_at: datetime
    provisioning_state: ProvisioningState
    auto_upgrade_minor_version: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    protected: ProtectedSettings | None = None
    force_update_tag: str | None = None
    suppress_failures: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    sequence_number: int = 0
    incarnation: int = 1
    configuration: str | None = None
    provision_after: tuple[str, ...] = ()
    status: ExtensionStatus | None = None
    error: ErrorRecord | None = None

    @property
    def handler_name(self) -> str:
        """``Publisher.Type``: the agent's name of the handler."""
        return f"{self.publisher}.{self.type}"


@dataclass(frozen=True)
class ExtensionPackage:
    """A handler package in the gallery; ``archive`` is the zip file.

    ``takes_several`` is the manifest's word that the handler takes several named configurations. ``published_at`` is
    None for a handler of this project.
    """

    publisher: str
    type: str
    version: str
    archive: Path
    sha256: str
    takes_several: bool = False
    size_bytes: int = 0
    published_at: datetime | None = None

    @property
    def handler_name(self) -> str:
        """``Publisher.Type``: the agent's name of the handler."""
        return f"{self.publisher}.{self.type}"

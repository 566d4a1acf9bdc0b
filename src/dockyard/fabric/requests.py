"""What a caller asks for, as values; the ARM API makes them from request bodies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dockyard.model.resource_id import ResourceId
from dockyard.model.virtual_machine import OsProfile, VirtualMachineSize

DEFAULT_DISK_GIB = 20


@dataclass(frozen=True, kw_only=True)
class ForwardRequest:
    """A port of the guest to be reachable on the host; ``host_port`` of None lets the fabric choose."""

    name: str
    guest_port: int
    host_port: int | None = None
    protocol: str = "tcp"


@dataclass(frozen=True, kw_only=True)
class VirtualMachineRequest:
    """A machine to be. ``image_name`` is an alias or a URN.

    ``interfaces`` are ids of network interfaces, and ``private_ip`` the address they have; none means implied ones.
    """

    id: ResourceId
    location: str
    size: VirtualMachineSize
    image_name: str
    os_profile: OsProfile
    disk_gib: int = DEFAULT_DISK_GIB
    forwards: tuple[ForwardRequest, ...] = ()
    interfaces: tuple[str, ...] = ()
    deletes_interfaces: bool = False
    private_ip: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ExtensionRequest:
    """An extension to be. ``protected_settings`` is plaintext: it goes no further than the envelope.

    ``keeps_protected`` leaves the protected settings that are there.
    """

    id: ResourceId
    location: str
    publisher: str
    type: str
    type_handler_version: str
    auto_upgrade_minor_version: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    protected_settings: Mapping[str, Any] | None = field(default=None, repr=False)
    keeps_protected: bool = False
    force_update_tag: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RunCommandRequest:
    """A script to be run; ``id`` is the run command's, or the machine's for its action. Settings are the handler's own.

    ``protected_settings`` is plaintext, as an extension's; ``keeps_protected`` leaves those that are there.
    """

    id: ResourceId
    location: str
    settings: Mapping[str, Any] = field(repr=False)
    protected_settings: Mapping[str, Any] | None = field(default=None, repr=False)
    keeps_protected: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)

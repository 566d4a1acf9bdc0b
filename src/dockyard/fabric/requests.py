"""What a caller asks for, as values; the ARM API makes them from request bodies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dockyard.model.resource_id import ResourceId
from dockyard.model.virtual_machine import OsProfile, VirtualMachineSize

DEFAULT_DISK_GIB = 20
DEFAULT_SIZE = "Standard_B1ms"


@dataclass(frozen=True, kw_only=True)
class ForwardRequest:
    """A port of the guest to be reachable on the host; ``host_port`` of None lets the fabric choose."""

    name: str
    guest_port: int
    host_port: int | None = None
    protocol: str = "tcp"


@dataclass(frozen=True, kw_only=True)
class OsDiskRequest:
    """The disk a machine boots from; None is what is not said."""

    name: str | None = None
    size_gib: int | None = None
    caching: str | None = None
    storage_type: str | None = None


@dataclass(frozen=True, kw_only=True)
class DataDiskRequest:
    """A disk to be attached: a new one, or with ``attach`` one that the machine has."""

    lun: int
    attach: bool = False
    name: str | None = None
    size_gib: int | None = None
    caching: str | None = None
    storage_type: str | None = None


@dataclass(frozen=True, kw_only=True)
class VirtualMachineRequest:
    """A machine to be. ``image_name`` is an alias or a URN; ``kept`` is shown back and means nothing here.

    ``admin_password`` is plaintext: it goes no further than its hash.

    None is what the request does not say: a new machine gets the default, an existing one stays as it is.

    ``interfaces`` are ids of network interfaces, and ``private_ip`` the address they have; none means implied ones.
    """

    id: ResourceId
    location: str
    image_name: str | None
    os_profile: OsProfile
    size: VirtualMachineSize | None = None
    os_disk: OsDiskRequest = field(default_factory=OsDiskRequest)
    data_disks: tuple[DataDiskRequest, ...] | None = None
    admin_password: str | None = field(default=None, repr=False)
    password_logins: bool | None = None
    user_data: str | None = None
    allow_extension_operations: bool | None = None
    forwards: tuple[ForwardRequest, ...] = ()
    interfaces: tuple[str, ...] = ()
    deletes_interfaces: bool = False
    private_ip: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ExtensionRequest:
    """An extension to be. ``protected_settings`` is plaintext: it goes no further than the envelope.

    ``keeps_protected`` leaves the protected settings that are there. ``provision_after`` names extensions of the same
    machine, by name or resource id.
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
    provision_after: tuple[str, ...] = ()
    suppress_failures: bool = False
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

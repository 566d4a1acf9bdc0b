"""Request bodies of Microsoft.Compute as values. Pure; a wrong member raises MalformedDocument with its path."""

from __future__ import annotations

import base64
import binascii
import re

from dockyard.arm.bodies import read_tags
from dockyard.arm.compute.tags import forwards_asked_for, own_tags
from dockyard.arm.context import LOCATION
from dockyard.fabric.requests import DEFAULT_DISK_GIB, ExtensionRequest, VirtualMachineRequest
from dockyard.model.errors import InvalidRequest
from dockyard.model.resource_id import ResourceId, check_virtual_machine_name
from dockyard.model.virtual_machine import OsProfile, SshPublicKey, VirtualMachineSize, size_named
from dockyard_contract.documents import JsonObject

_ALIAS = ("dockyard", "alias")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_FORBIDDEN_USERS = frozenset({"root", "admin", "docker", "daemon", "bin", "sys", "sshd", "nobody"})
_MAX_DISK_GIB = 4095


def virtual_machine_request(body: JsonObject, *, id: ResourceId) -> VirtualMachineRequest:
    """Read the body of a virtual machine's PUT. Raises MalformedDocument, InvalidRequest."""
    check_virtual_machine_name(id.name)
    properties = body.object("properties")
    tags = read_tags(body)
    return VirtualMachineRequest(
        id=id,
        deletes_interfaces=_deletes_interfaces(properties),
        location=body.optional_string("location") or LOCATION,
        size=_size(properties),
        image_name=_image_name(properties),
        os_profile=_os_profile(properties.object("osProfile"), name=id.name),
        disk_gib=_disk_gib(properties),
        forwards=forwards_asked_for(tags),
        tags=own_tags(tags),
        interfaces=_interfaces(properties),
    )


def extension_request(body: JsonObject, *, id: ResourceId) -> ExtensionRequest:
    """Read the body of an extension's PUT. Raises MalformedDocument."""
    properties = body.object("properties")
    settings = properties.optional_object("settings")
    protected = properties.optional_object("protectedSettings")
    upgrade = properties.optional_boolean("autoUpgradeMinorVersion")
    return ExtensionRequest(
        id=id,
        location=body.optional_string("location") or LOCATION,
        publisher=properties.string("publisher"),
        type=properties.string("type"),
        type_handler_version=properties.string("typeHandlerVersion"),
        auto_upgrade_minor_version=True if upgrade is None else upgrade,
        settings={} if settings is None else dict(settings.members),
        protected_settings=None if protected is None else dict(protected.members),
        force_update_tag=properties.optional_string("forceUpdateTag"),
        tags=read_tags(body),
    )


def _size(properties: JsonObject) -> VirtualMachineSize:
    profile = properties.optional_object("hardwareProfile")
    name = profile.optional_string("vmSize") if profile else None
    return size_named(name or "Standard_B1ms")


def _deletes_interfaces(properties: JsonObject) -> bool:
    profile = properties.optional_object("networkProfile")
    named = (profile.optional_array("networkInterfaces") if profile else None) or ()
    options = [each.object().optional_object("properties") for each in named]
    return any((each.optional_string("deleteOption") or "").lower() == "delete" for each in options if each)


def _interfaces(properties: JsonObject) -> tuple[str, ...]:
    profile = properties.optional_object("networkProfile")
    named = (profile.optional_array("networkInterfaces") if profile else None) or ()
    return tuple(each.object().string("id").rstrip("/") for each in named)


def _image_name(properties: JsonObject) -> str:
    reference = properties.object("storageProfile").object("imageReference")
    parts = [reference.string(part) for part in ("publisher", "offer", "sku")]
    if tuple(part.lower() for part in parts[:2]) == _ALIAS:
        return parts[2]
    return ":".join([*parts, reference.optional_string("version") or "latest"])


def _disk_gib(properties: JsonObject) -> int:
    disk = properties.object("storageProfile").optional_object("osDisk")
    size = disk.optional_integer("diskSizeGB") if disk else None
    if size is None:
        return DEFAULT_DISK_GIB
    if not 1 <= size <= _MAX_DISK_GIB:
        raise InvalidRequest(f"A disk of {size} GiB cannot be made", resolution=f"Ask for 1 to {_MAX_DISK_GIB} GiB.")
    return size


def _os_profile(profile: JsonObject, *, name: str) -> OsProfile:
    admin = profile.string("adminUsername")
    if not _USER.fullmatch(admin) or admin in _FORBIDDEN_USERS:
        raise InvalidRequest(
            f"'{admin[:40]}' cannot be the administrator's name",
            resolution="Use 1 to 32 lower-case letters, digits, hyphens and underscores, and no system account.",
        )
    if profile.optional_string("adminPassword"):
        raise InvalidRequest(
            "Password logins are not offered",
            resolution="Give an SSH public key in osProfile.linuxConfiguration.ssh.publicKeys instead.",
        )
    return OsProfile(
        computer_name=check_virtual_machine_name(profile.optional_string("computerName") or name),
        admin_username=admin,
        ssh_public_keys=_ssh_keys(profile, admin=admin),
        custom_data=_custom_data(profile),
    )


def _ssh_keys(profile: JsonObject, *, admin: str) -> tuple[SshPublicKey, ...]:
    linux = profile.optional_object("linuxConfiguration")
    ssh = linux.optional_object("ssh") if linux else None
    keys = [key.object() for key in (ssh.optional_array("publicKeys") if ssh else None) or ()]
    default = f"/home/{admin}/.ssh/authorized_keys"
    return tuple(SshPublicKey(key.optional_string("path") or default, _one_line(key.string("keyData"))) for key in keys)


def _one_line(key: str) -> str:
    text = key.strip()
    if "\n" in text or len(text.split()) < 2:
        raise InvalidRequest(
            "An SSH public key is not in the one-line form of OpenSSH",
            resolution="Give a line such as 'ssh-ed25519 AAAA... me@host', the content of a .pub file.",
        )
    return text


def _custom_data(profile: JsonObject) -> str | None:
    text = profile.optional_string("customData")
    if not text:
        return None
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise InvalidRequest("osProfile.customData is not base64", resolution="Encode it with base64.") from error
    return text

"""Request bodies of Microsoft.Compute as values. Pure; a wrong member raises MalformedDocument with its path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dockyard.arm.bodies import read_tags
from dockyard.arm.compute.members import check_around, kept_members
from dockyard.arm.compute.os_profile import base64_text, read_access
from dockyard.arm.compute.storage_profile import data_disks, image_name, os_disk
from dockyard.arm.compute.tags import forwards_asked_for, own_tags
from dockyard.arm.context import LOCATION
from dockyard.fabric.requests import ExtensionRequest, VirtualMachineRequest
from dockyard.model.errors import InvalidRequest
from dockyard.model.resource_id import ResourceId, check_virtual_machine_name
from dockyard.model.virtual_machine import VirtualMachineSize, size_named
from dockyard_contract.documents import JsonObject


def virtual_machine_request(body: JsonObject, *, id: ResourceId) -> VirtualMachineRequest:
    """Read the body of a virtual machine's PUT. Raises MalformedDocument, InvalidRequest."""
    check_virtual_machine_name(id.name)
    properties = body.object("properties")
    check_around(body, name=id.name)
    tags = read_tags(body)
    storage = properties.object("storageProfile")
    access = read_access(properties.object("osProfile"), name=id.name)
    return VirtualMachineRequest(
        id=id,
        deletes_interfaces=_deletes_interfaces(properties),
        location=body.optional_string("location") or LOCATION,
        size=_size(properties),
        image_name=image_name(storage),
        os_profile=access.profile,
        admin_password=access.password,
        password_logins=access.password_logins,
        allow_extension_operations=access.allow_extension_operations,
        user_data=base64_text(properties, "userData"),
        os_disk=os_disk(storage),
        data_disks=data_disks(storage),
        forwards=forwards_asked_for(tags),
        tags=own_tags(tags),
        kept=kept_members(properties),
        interfaces=_interfaces(properties),
    )


def patched(document: Mapping[str, Any], patch: JsonObject) -> JsonObject:
    """Return the body of the PUT that a PATCH of ``document`` stands for.

    Objects are merged member by member; tags and arrays are replaced, as Azure does. A null says nothing.
    """
    said = {name: value for name, value in patch.members.items() if value is not None}
    merged = _merged(document, said)
    if "tags" in said:
        merged["tags"] = said["tags"]
    return JsonObject(document=patch.document, path=patch.path, members=merged)


def patched_extension(document: Mapping[str, Any], patch: JsonObject, *, id: ResourceId) -> ExtensionRequest:
    """Read a PATCH of an extension that ``document`` shows: members it leaves out stay, protected settings too.

    Raises:
        MalformedDocument, InvalidRequest: as of a PUT.
    """
    properties = patch.optional_object("properties")
    said = {} if properties is None else {name: each for name, each in properties.members.items() if each is not None}
    whole = {**document, "properties": {**document["properties"], **said}}
    if patch.members.get("tags") is not None:
        whole["tags"] = patch.members["tags"]
    wanted = extension_request(JsonObject(document=patch.document, path=patch.path, members=whole), id=id)
    return replace(wanted, keeps_protected=wanted.protected_settings is None)


def extension_request(body: JsonObject, *, id: ResourceId) -> ExtensionRequest:
    """Read the body of an extension's PUT. Raises MalformedDocument, InvalidRequest."""
    properties = body.object("properties")
    if properties.optional_object("protectedSettingsFromKeyVault") is not None:
        raise InvalidRequest(
            "The property 'protectedSettingsFromKeyVault' is not offered: there is no key vault here",
            resolution="Give the settings themselves in protectedSettings; they are kept encrypted for the machine.",
        )
    settings = properties.optional_object("settings")
    protected = properties.optional_object("protectedSettings")
    upgrade = properties.optional_boolean("autoUpgradeMinorVersion")
    after = properties.optional_array("provisionAfterExtensions")
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
        provision_after=tuple(name.string() for name in after or ()),
        suppress_failures=properties.optional_boolean("suppressFailures") or False,
        tags=read_tags(body),
    )


def _merged(present: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(present)
    for name, value in patch.items():
        known = merged.get(name)
        merged[name] = _merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged


def _size(properties: JsonObject) -> VirtualMachineSize | None:
    profile = properties.optional_object("hardwareProfile")
    name = profile.optional_string("vmSize") if profile else None
    return size_named(name) if name else None


def _deletes_interfaces(properties: JsonObject) -> bool:
    profile = properties.optional_object("networkProfile")
    named = (profile.optional_array("networkInterfaces") if profile else None) or ()
    options = [each.object().optional_object("properties") for each in named]
    return any((each.optional_string("deleteOption") or "").lower() == "delete" for each in options if each)


def _interfaces(properties: JsonObject) -> tuple[str, ...]:
    profile = properties.optional_object("networkProfile")
    named = (profile.optional_array("networkInterfaces") if profile else None) or ()
    return tuple(each.object().string("id").rstrip("/") for each in named)

"""``storageProfile`` of a virtual machine's body as values: image, first disk, disks beside it. Pure."""

from __future__ import annotations

from dockyard.fabric.requests import DataDiskRequest, OsDiskRequest
from dockyard.model.errors import InvalidRequest
from dockyard.model.resource_id import check_resource_name
from dockyard_contract.documents import JsonObject

_ALIAS = ("dockyard", "alias")
_MAX_OS_GIB = 4095
_MAX_DATA_GIB = 32_767
_CACHING = ("None", "ReadOnly", "ReadWrite")
_STORAGE_TYPES = (
    *("Standard_LRS", "StandardSSD_LRS", "StandardSSD_ZRS"),
    *("Premium_LRS", "Premium_ZRS", "PremiumV2_LRS", "UltraSSD_LRS"),
)


def image_name(profile: JsonObject) -> str | None:
    """Return the alias or the URN of ``imageReference``, None when nothing is said: az leaves it out of updates.

    Raises MalformedDocument, InvalidRequest.
    """
    reference = profile.optional_object("imageReference")
    if reference is None:
        return None
    if reference.optional_string("id") or reference.optional_string("sharedGalleryImageId"):
        raise InvalidRequest(
            "Images by resource id are not offered",
            resolution="Name the image by publisher, offer, sku and version; 'az vm image list' shows what exists.",
            code="InvalidParameter",
        )
    parts = [reference.string(part) for part in ("publisher", "offer", "sku")]
    if tuple(part.lower() for part in parts[:2]) == _ALIAS:
        return parts[2]
    return ":".join([*parts, reference.optional_string("version") or "latest"])


def os_disk(profile: JsonObject) -> OsDiskRequest:
    """Read ``osDisk``; absent members are None. Raises MalformedDocument, InvalidRequest."""
    disk = profile.optional_object("osDisk")
    if disk is None:
        return OsDiskRequest()
    _check_create_option(disk, allowed=("FromImage",))
    kind = disk.optional_string("osType")
    if kind is not None and kind.lower() != "linux":
        raise InvalidRequest(f"The image is of Linux, and osDisk.osType says '{kind[:20]}'")
    _check_offered(disk, keeps_vhd=True)
    return OsDiskRequest(
        name=_name(disk),
        size_gib=_size(disk, most=_MAX_OS_GIB),
        caching=_caching(disk),
        storage_type=_storage_type(disk),
    )


def data_disks(profile: JsonObject) -> tuple[DataDiskRequest, ...] | None:
    """Read ``dataDisks``, None when nothing is said. Raises MalformedDocument, InvalidRequest."""
    found = profile.optional_array("dataDisks")
    if found is None:
        return None
    return tuple(_data_disk(disk) for disk in (each.object() for each in found) if not _leaves(disk))


def _leaves(disk: JsonObject) -> bool:
    return disk.optional_boolean("toBeDetached") is True


def _data_disk(disk: JsonObject) -> DataDiskRequest:
    option = _check_create_option(disk, allowed=("Empty", "Attach"))
    _check_offered(disk)
    return DataDiskRequest(
        lun=disk.integer("lun"),
        attach=option == "Attach",
        name=_name(disk),
        size_gib=_size(disk, most=_MAX_DATA_GIB),
        caching=_caching(disk),
        storage_type=_storage_type(disk),
    )


def _check_create_option(disk: JsonObject, *, allowed: tuple[str, ...]) -> str:
    option = disk.optional_string("createOption") or allowed[0]
    for name in allowed:
        if name.lower() == option.lower():
            return name
    raise InvalidRequest(
        f"The createOption '{option[:40]}' is not offered for this disk", resolution=f"Use {' or '.join(allowed)}."
    )


def _check_offered(disk: JsonObject, *, keeps_vhd: bool = False) -> None:
    """Refuse what would mean something else here than on Azure.

    ``keeps_vhd``: a disk made from an image may say in which blob it is to lie; here it lies beside its machine.
    """
    if (disk.optional_string("deleteOption") or "Delete").lower() != "delete":
        raise InvalidRequest(
            "The deleteOption 'Detach' is not offered: disks belong to their machine and are deleted with it",
            resolution="Leave deleteOption out, or say Delete.",
        )
    for name in ("vhd", "image", "encryptionSettings", "diffDiskSettings", "sourceResource"):
        if disk.optional(name) is not None and not (keeps_vhd and name == "vhd"):
            raise InvalidRequest(f"The member '{name}' of a disk is not offered", resolution="Leave it out.")
    if disk.optional_boolean("writeAcceleratorEnabled"):
        raise InvalidRequest("Write Accelerator is not supported on a VM of this size")


def _name(disk: JsonObject) -> str | None:
    """The disk's name; the last segment of the managed disk's id is as good."""
    managed = disk.optional_object("managedDisk")
    id = managed.optional_string("id") if managed else None
    name = disk.optional_string("name") or (id.rstrip("/").rpartition("/")[2] if id else None)
    return check_resource_name(name, what="disk") if name else None


def _size(disk: JsonObject, *, most: int) -> int | None:
    size = disk.optional_integer("diskSizeGB")
    if size is not None and not 1 <= size <= most:
        raise InvalidRequest(f"A disk of {size} GiB cannot be made", resolution=f"Ask for 1 to {most} GiB.")
    return size


def _caching(disk: JsonObject) -> str | None:
    return _one_of(disk.optional_string("caching"), _CACHING, name="caching")


def _storage_type(disk: JsonObject) -> str | None:
    managed = disk.optional_object("managedDisk")
    asked = managed.optional_string("storageAccountType") if managed else None
    return _one_of(asked, _STORAGE_TYPES, name="managedDisk.storageAccountType")


def _one_of(asked: str | None, choices: tuple[str, ...], *, name: str) -> str | None:
    if not asked:
        return None
    for choice in choices:
        if choice.lower() == asked.lower():
            return choice
    raise InvalidRequest(
        f"The value '{asked[:40]}' of parameter '{name}' is invalid", resolution=f"Use one of {', '.join(choices)}."
    )

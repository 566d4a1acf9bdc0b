"""Disks of a virtual machine as the fabric keeps them. They belong to their machine and go with it."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_STORAGE_TYPE = "StandardSSD_LRS"


@dataclass(frozen=True, kw_only=True)
class OsDisk:
    """What is kept of the disk a machine boots from, beside its size."""

    name: str = ""
    caching: str = "ReadWrite"
    storage_type: str = DEFAULT_STORAGE_TYPE


@dataclass(frozen=True, kw_only=True)
class DataDisk:
    """A disk beside the first one. ``id`` names its file; without a ``lun`` it is detached, and kept."""

    id: str
    name: str
    size_gib: int
    lun: int | None
    caching: str = "None"
    storage_type: str = DEFAULT_STORAGE_TYPE
    create_option: str = "Empty"

"""The data of an engine that goes for good: images, containers and volumes, removed only when the settings said so.

Called by `taking_back`. Removes what an engine makes in its folder, name by name: the folder may be a whole disk with
other things on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard_guest.errors import GuestError

from .proofs import data_root

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dockyard_guest.ports import Machine

DEFAULT_ROOT = "/var/lib/docker"
_CONTAINERD = "/var/lib/containerd"
_CONTAINERD_PACKAGES = ("containerd", "containerd.io")
_FOLDERS = (
    *("btrfs", "buildkit", "containerd", "containers", "fuse-overlayfs", "image", "network", "overlay2", "plugins"),
    *("rootfs", "runtimes", "swarm", "tmp", "vfs", "volumes", "zfs"),
)
_FILES = ("engine-id", "key.json")


def find_data(machine: Machine) -> str:
    """The engine's folder, as it says itself while it runs."""
    try:
        return data_root(machine) or DEFAULT_ROOT
    except GuestError:
        return DEFAULT_ROOT


def remove_data(machine: Machine, *, root: str, packages: Iterable[str]) -> None:
    """Remove the data in the engine's folder, and containerd's if that came with the engine.

    Raises:
        PermanentError: Something could not be removed.
    """
    present = set(machine.files.names(root))
    for name in _FOLDERS:
        if name in present:
            machine.files.remove_tree(f"{root}/{name}")
    for name in _FILES:
        machine.files.remove(f"{root}/{name}")
    machine.files.remove_folder(root)
    if set(packages) & set(_CONTAINERD_PACKAGES):
        machine.files.remove_tree(_CONTAINERD)

"""Make a machine's disk: a thin qcow2 layer over its image.

Called by ``driver``. The image is shared by all its machines and never written to.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from dockyard.hypervisors.qemu import processes
from dockyard.model.errors import Exhausted, InvalidRequest, NotFound, OperationFailed

GIB = 2**30

WORKING_SPACE_GIB = 3
"""Space a machine is sure to want: the guest's first boot, Docker and a few images. Its disk may grow to its full size
later; a machine whose host runs out of space is stopped by QEMU, not corrupted."""

CREATE_SECONDS = 60.0
"""How long ``qemu-img`` may take to write a few hundred KiB on a busy disk."""


async def create_overlay(*, path: Path, unfinished: Path, backing: Path, size_gib: int) -> None:
    """Make an empty layer of ``size_gib`` over the raw image ``backing``; complete once ``path`` exists.

    Raises:
        Exhausted: too little space (code InsufficientDiskSpace), or ``qemu-img`` is not installed.
        InvalidRequest: the disk would be smaller than the image.
        NotFound: the image's disk is gone.
        OperationFailed: ``qemu-img`` failed.
    """
    _check_image(backing, size_gib=size_gib)
    check_space(path.parent, size_gib=size_gib)
    _remove(unfinished)
    try:
        layer = ("-b", str(backing), "-F", "raw", str(unfinished), f"{size_gib}G")
        await _qemu_img("create", "-q", "-f", "qcow2", *layer)
        _settle(unfinished, path)
    finally:
        _remove(unfinished)


def check_space(folder: Path, *, size_gib: int) -> None:
    """Raise Exhausted (code InsufficientDiskSpace) when a new machine would soon fill the disk ``folder`` is on."""
    needed = min(size_gib, WORKING_SPACE_GIB) * GIB
    available = shutil.disk_usage(folder).free
    if available < needed:
        raise Exhausted(
            f"There is too little disk space below '{folder.parent}' for a virtual machine",
            details=f"Needed to begin with: {needed / GIB:.1f} GiB; available: {available / GIB:.1f} GiB.",
            resolution="Free some space, delete machines you no longer need, or set DOCKYARD_HOME to another disk.",
            code="InsufficientDiskSpace",
        )


def _check_image(backing: Path, *, size_gib: int) -> None:
    try:
        size = backing.stat().st_size
    except FileNotFoundError as error:
        raise NotFound(
            f"The image's disk '{backing}' is gone",
            resolution="Build the image again.",
            code="PlatformImageNotFound",
        ) from error
    if size > size_gib * GIB:
        raise InvalidRequest(
            f"A disk of {size_gib} GiB is smaller than the image",
            resolution=f"Ask for at least {-(-size // GIB)} GiB.",
            code="InvalidParameter",
        )


async def create_empty(*, path: Path, unfinished: Path, size_gib: int) -> None:
    """Make an empty disk; complete once ``path`` exists. Raises Exhausted, OperationFailed as `create_overlay`."""
    check_space(path.parent, size_gib=1)
    _remove(unfinished)
    try:
        await _qemu_img("create", "-q", "-f", "qcow2", str(unfinished), f"{size_gib}G")
        _settle(unfinished, path)
    finally:
        _remove(unfinished)


async def grow(*, path: Path, size_gib: int) -> None:
    """Let a disk that nothing uses have at least ``size_gib``; one that is larger stays so. Raises OperationFailed."""
    if await asyncio.to_thread(_virtual_size, path) < size_gib * GIB:
        await _qemu_img("resize", "-q", "-f", "qcow2", str(path), f"{size_gib}G")


def _virtual_size(path: Path) -> int:
    """The size a qcow2 file says it has: eight bytes at 24 of its header."""
    with path.open("rb") as file:
        header = file.read(32)
    return int.from_bytes(header[24:32], "big")


async def _qemu_img(*words: str) -> None:
    done = await processes.run([str(processes.program(processes.IMAGE_PROGRAM)), *words], deadline=CREATE_SECONDS)
    if done.code:
        raise OperationFailed("The machine's disk could not be made", details=done.output.strip())


def _settle(unfinished: Path, path: Path) -> None:
    """Give the disk its name once its content is on the host's disk: a power cut leaves a whole disk or none."""
    unfinished.chmod(0o600)
    _sync(unfinished)
    unfinished.rename(path)
    _sync(path.parent)


def _remove(unfinished: Path) -> None:
    unfinished.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

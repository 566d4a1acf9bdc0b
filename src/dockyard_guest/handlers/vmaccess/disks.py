"""Disks: file systems checked without a change, and one repaired that is not in use. Called by `handler`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard_contract.documents import parse_json
from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard_contract.documents import JsonObject
    from dockyard_guest.ports import Machine, Step

_COLUMNS = "PATH,FSTYPE,MOUNTPOINT"
_LIMIT = 60.0
_CHECK_LIMIT = 3600.0
_KEPT = 400
_CORRECTED = 1
_REBOOT = 2
_ERRORS_LEFT = 4
_XFS_ERRORS = 1
_BY_FSCK = ("ext2", "ext3", "ext4", "vfat")


@dataclass(frozen=True)
class FileSystem:
    """A file system on a block device; where it is mounted is empty for nowhere."""

    path: str
    kind: str
    mounted_at: str


def check_disks(machine: Machine, *, step: Step) -> str:
    """Look at every file system, and change none. Answers what was found."""
    found = _file_systems(machine)
    told = []
    for one in found:
        step.checkpoint()
        step.say(f"checking {one.path}")
        told.append(f"{one.path} ({one.kind}, {one.mounted_at or 'not mounted'}): {_checked(machine, one)}")
    return "; ".join(told) or "there is no file system to check"


def repair_disk(machine: Machine, name: str, *, step: Step) -> str:
    """Repair a file system that is not mounted. Answers what was done.

    Raises:
        PermanentError: There is no such file system, it is in use, cannot be repaired by a program, or stays broken.
    """
    one = _chosen(_file_systems(machine), name)
    if one.mounted_at:
        raise _refused(
            f"{one.path} is mounted at {one.mounted_at}, and a file system in use cannot be repaired.",
            resolution="Unmount it first; for the system's own, boot the machine from another disk.",
        )
    step.say(f"repairing {one.path}")
    if one.kind == "xfs":
        done = machine.commands.run(["xfs_repair", one.path], timeout=_CHECK_LIMIT)
        is_repaired = done.succeeded
    elif one.kind in _BY_FSCK:
        done = machine.commands.run(["fsck", "-y", one.path], timeout=_CHECK_LIMIT)
        is_repaired = done.exit_code in (0, _CORRECTED, _REBOOT, _CORRECTED | _REBOOT)
    else:
        raise _refused(f"{one.path} holds {one.kind}, which is not repaired here.", resolution="")
    if not is_repaired:
        raise PermanentError(f"{one.path} could not be repaired.", details=(done.output + done.complaint)[-_KEPT:])
    return f"{one.path} had no errors" if done.exit_code == 0 else f"errors on {one.path} were corrected"


def _checked(machine: Machine, one: FileSystem) -> str:
    if one.kind == "xfs" and not one.mounted_at and machine.commands.find("xfs_repair"):
        done = machine.commands.run(["xfs_repair", "-n", one.path], timeout=_CHECK_LIMIT)
        return "errors" if done.exit_code == _XFS_ERRORS else _said(done.exit_code)
    if one.kind not in _BY_FSCK:
        return "not checked, as it is in use" if one.kind == "xfs" and one.mounted_at else "not checked"
    done = machine.commands.run(["fsck", "-n", one.path], timeout=_CHECK_LIMIT)
    if done.exit_code & _ERRORS_LEFT:
        return "errors, or what looks so while it is in use" if one.mounted_at else "errors"
    return _said(done.exit_code)


def _said(exit_code: int) -> str:
    return "no errors" if exit_code == 0 else f"could not be checked (exit code {exit_code})"


def _chosen(found: tuple[FileSystem, ...], name: str) -> FileSystem:
    wanted = [
        one for one in found if name in (one.path, one.path.rpartition("/")[2], one.mounted_at, one.mounted_at[1:])
    ]
    if not wanted:
        known = ", ".join(one.path for one in found)
        raise _refused(f"There is no file system {name} on this machine.", resolution=f"There is: {known or 'none'}.")
    return wanted[0]


def _file_systems(machine: Machine) -> tuple[FileSystem, ...]:
    told = machine.commands.run(["lsblk", "--json", "--output", _COLUMNS], timeout=_LIMIT)
    if not told.succeeded:
        raise PermanentError("lsblk does not tell the disks.", details=told.complaint)
    listed = parse_json(told.stdout, document="lsblk's answer").object().array("blockdevices")
    return tuple(dict.fromkeys(one for device in listed for one in _within(device.object())))


def _within(device: JsonObject) -> Iterator[FileSystem]:
    kind = device.optional_string("fstype")
    if kind and kind not in ("swap", "LVM2_member", "crypto_LUKS", "linux_raid_member"):
        yield FileSystem(device.string("path"), kind, device.optional_string("mountpoint") or "")
    for part in device.optional_array("children") or ():
        yield from _within(part.object())


def _refused(text: str, *, resolution: str) -> PermanentError:
    return PermanentError(text, resolution=resolution, exit_code=ExitCode.BAD_CONFIGURATION)

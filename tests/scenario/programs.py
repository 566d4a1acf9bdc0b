"""Programs that the Docker handler starts besides dockerd, played on a machine that exists in a folder.

The shell is given rules for the firewall; ``lsblk`` and its like know the disks that the state declares. Whatever a
test has not declared fails it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockyard_guest.values import Completed

from .containers import play_account, play_client

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.scenario.world import World

_RULE = re.compile(r"^-A \S+ -d (\S+)/32 .* -j DROP$", re.MULTILINE)


@dataclass(frozen=True)
class PlayedDisk:
    """A disk: what is on it, and where it is mounted."""

    holds: str = ""
    label: str = ""
    mounted_at: str = ""
    known_to_lsblk: bool = True


def run_program(world: World, argv: Sequence[str], *, stdin: bytes) -> Completed:
    """Play one program."""
    play = _PROGRAMS.get(argv[0])
    assert play is not None, f"nobody said that {argv[0]} would be started"
    code, output = play(world, argv, stdin.decode())
    if code != 0:
        return Completed(argv=tuple(argv), exit_code=code, stderr=output.encode() or b"refused")
    return Completed(argv=tuple(argv), exit_code=0, stdout=output.encode())


def _shell(world: World, argv: Sequence[str], text: str) -> tuple[int, str]:
    if not world.firewall:
        return 127, ""
    world.guarded = tuple(_RULE.findall(text))
    return 0, ""


def _tighten(world: World, argv: Sequence[str], text: str) -> tuple[int, str]:
    world.tightened |= {word for word in argv[2:] if word.startswith("/")} if argv[0] == "chmod" else set()
    return 0, ""


def _augenrules(world: World, argv: Sequence[str], text: str) -> tuple[int, str]:
    assert "augenrules" in world.programs, "there is no auditd"
    world.events.append("load audit rules")
    return 0, ""


def _lsblk(world: World, argv: Sequence[str], text: str) -> tuple[int, str]:
    devices = [
        {
            "path": path,
            "type": "disk",
            "fstype": (disk.known_to_lsblk and disk.holds) or None,
            "label": disk.label or None,
            "mountpoint": disk.mounted_at or None,
            "model": None,
            "ro": False,
        }
        for path, disk in world.disks.items()
    ]
    return 0, json.dumps({"blockdevices": devices})


def _readlink(world: World, argv: Sequence[str], text: str) -> tuple[int, str]:
    target = world.links.get(argv[-1], argv[-1])
    return (0, f"{target}\n") if target in world.disks else (1, "")


def _blkid(world: World, argv: Sequence[str], text: str) -> tuple[int, str]:
    disk = world.disks[argv[-1]]
    if not disk.holds:
        return 2, ""
    values = {"UUID": "0c4e", "TYPE": disk.holds}
    return 0, "".join(value for tag, value in values.items() if "--match-tag" not in argv or tag in argv) + "\n"


def _wipefs(world: World, argv: Sequence[str], text: str) -> tuple[int, str]:
    assert "--no-act" in argv, "wipefs would have wiped"
    return 0, world.disks[argv[-1]].holds


def _mkfs(world: World, argv: Sequence[str], text: str) -> tuple[int, str]:
    disk = world.disks[argv[-1]]
    assert not disk.holds, f"{argv[-1]} would have been lost"
    world.events.append(f"format {argv[-1]}")
    world.disks[argv[-1]] = replace(disk, holds="ext4", label=argv[argv.index("-L") + 1])
    return 0, ""


_PROGRAMS = {
    "docker": play_client,
    "id": play_account,
    "usermod": play_account,
    "/bin/sh": _shell,
    "chown": _tighten,
    "chmod": _tighten,
    "augenrules": _augenrules,
    "lsblk": _lsblk,
    "readlink": _readlink,
    "blkid": _blkid,
    "wipefs": _wipefs,
    "mkfs.ext4": _mkfs,
}

"""Which disk is meant: only one that is beyond doubt."""

from __future__ import annotations

import json

import pytest

from dockyard_guest.errors import PermanentError
from dockyard_guest.handlers.docker.data_disk import choose, read_disks
from dockyard_guest.handlers.docker.settings_daemon import ANY_DISK

SYSTEM = {"path": "/dev/sda", "type": "disk", "ro": False, "children": [
    {"path": "/dev/sda1", "type": "part", "ro": False, "fstype": "ext4", "mountpoint": "/"}]}  # fmt: skip
BLANK = {"path": "/dev/sdc", "type": "disk", "ro": False}
OURS = {"path": "/dev/sdd", "type": "disk", "ro": False, "fstype": "xfs", "label": "docker-data"}
OTHERS = {"path": "/dev/sde", "type": "disk", "ro": False, "fstype": "ntfs"}
PASSING = {"path": "/dev/nvme0n1", "type": "disk", "ro": False, "model": "Microsoft NVMe Direct Disk v2"}
READ_ONLY = {"path": "/dev/sr0", "type": "rom", "ro": "1"}


def chosen(*devices: object, wanted: str | int = ANY_DISK, node: str | None = None) -> str:
    return choose(read_disks(json.dumps({"blockdevices": devices}).encode()), wanted=wanted, node=node).path


def test_the_only_blank_disk_is_taken() -> None:
    assert chosen(SYSTEM, BLANK, OTHERS, PASSING, READ_ONLY) == "/dev/sdc"


def test_a_disk_of_an_earlier_machine_is_taken_before_a_blank_one() -> None:
    assert chosen(SYSTEM, BLANK, OURS) == "/dev/sdd"


def test_the_disk_that_is_in_use_is_taken_again() -> None:
    used = {**OURS, "path": "/dev/sdf", "mountpoint": "/var/lib/docker"}
    assert chosen(OURS, used) == "/dev/sdf"


@pytest.mark.parametrize("devices", [(SYSTEM,), (BLANK, {**BLANK, "path": "/dev/sdx"}), (PASSING,), (OTHERS,)])
def test_a_doubt_is_told_with_all_disks(devices: tuple[object, ...]) -> None:
    with pytest.raises(PermanentError, match="could be the data disk") as caught:
        chosen(*devices)
    assert "/dev/" in caught.value.details


def test_a_named_disk_is_found_by_where_its_name_leads() -> None:
    assert chosen(SYSTEM, BLANK, OTHERS, wanted=0, node="/dev/sde") == "/dev/sde"


def test_a_disk_that_is_not_there_is_told() -> None:
    with pytest.raises(PermanentError, match="There is no disk at LUN 4"):
        chosen(SYSTEM, wanted=4)

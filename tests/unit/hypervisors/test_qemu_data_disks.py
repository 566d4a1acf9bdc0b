"""What is taken away and what is left over, judged from what QEMU says it has."""

from __future__ import annotations

import uuid

import pytest

from dockyard.hypervisors.qemu import data_disks
from dockyard.model.disk import DataDisk

A, B = (DataDisk(id=id, name=id, size_gib=1, lun=lun) for id, lun in (("a", 0), ("b", 3)))
ROOT = {"/machine/peripheral-anon/device[2]/virtio-backend": "disk"}


@pytest.mark.parametrize(
    ("devices", "gone"),
    [
        ({}, []),
        ({"lun0": "data-a", "lun3": "data-b"}, []),
        ({"lun0": "data-a", "lun1": "data-c"}, ["lun1"]),
        ({"lun0": "data-b", "lun3": "data-a"}, ["lun0", "lun3"]),  # each has the other's place
    ],
)
def test_what_is_no_wanted_disk_goes_and_the_first_disk_stays(devices: dict[str, str], gone: list[str]) -> None:
    assert data_disks.to_take_away({**ROOT, **devices}, wanted=(A, B)) == gone


def test_what_has_no_device_lacks() -> None:
    assert data_disks.lacking({**ROOT, "lun0": "data-a"}, wanted=(A, B)) == [B]


def test_nodes_of_no_device_go_the_disk_before_its_file() -> None:
    nodes = ["file-a", "data-a", "file-c", "data-c", "file-b", "file", "disk", "disc", "disc-file"]
    left = data_disks.unused(nodes, devices={**ROOT, "lun0": "data-a"})
    assert left == ["data-c", "file-c", "file-b"]


def test_names_are_short_enough_for_qemu_and_tell_the_disk() -> None:
    disks = [DataDisk(id=str(uuid.uuid4()), name="d", size_gib=1, lun=0) for _ in range(2)]
    names = {data_disks.node(disk) for disk in disks}
    assert len(names) == 2
    assert max(map(len, names)) <= 31

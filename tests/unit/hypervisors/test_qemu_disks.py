"""A machine's disk is a thin layer over its image: whole or absent, and never made where there is no room."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dockyard.fabric.ports import MachineSpec, PlatformLink
from dockyard.hypervisors.qemu import disks, processes
from dockyard.hypervisors.qemu.driver import qemu_driver
from dockyard.model.disk import DataDisk
from dockyard.model.errors import Exhausted, InvalidRequest, NotFound
from tests.support.fabric import VirtualClock
from tests.support.fabric import image as unreal_image
from tests.support.values import a_machine

needs_qemu_img = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="needs qemu-utils")


def an_image(folder: Path, *, mib: int = 16) -> Path:
    path = folder / "image.raw"
    with path.open("wb") as file:
        file.truncate(mib * 2**20)
    return path


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def create(folder: Path, *, backing: Path, size_gib: int = 1) -> Path:
    path = folder / "disk.qcow2"
    await disks.create_overlay(path=path, unfinished=folder / "disk.new", backing=backing, size_gib=size_gib)
    return path


@needs_qemu_img
async def test_the_layer_names_its_image_and_has_its_own_size(tmp_path: Path) -> None:
    path = await create(tmp_path, backing=an_image(tmp_path), size_gib=3)
    done = await processes.run(["qemu-img", "info", "--output=json", str(path)], deadline=30)
    info = json.loads(done.output)
    assert info["virtual-size"] == 3 * disks.GIB
    assert info["backing-filename-format"] == "raw"
    assert info["full-backing-filename"] == str(tmp_path / "image.raw")
    assert mode(path) == 0o600


@needs_qemu_img
async def test_what_an_interrupted_create_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "disk.new").write_text("half")
    await create(tmp_path, backing=an_image(tmp_path))
    assert names(tmp_path) == ["disk.qcow2", "image.raw"]


@needs_qemu_img
async def test_a_failed_create_leaves_nothing_and_says_why(tmp_path: Path) -> None:
    backing = an_image(tmp_path)
    (tmp_path / "disk.qcow2").mkdir()
    (tmp_path / "disk.qcow2" / "in the way").touch()
    with pytest.raises(OSError, match=r"disk\.qcow2"):
        await create(tmp_path, backing=backing)
    assert not (tmp_path / "disk.new").exists()


async def test_an_image_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"image\.raw"):
        await create(tmp_path, backing=tmp_path / "image.raw")


async def test_a_disk_smaller_than_its_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="at least 3 GiB"):
        await create(tmp_path, backing=an_image(tmp_path, mib=2100), size_gib=1)


def test_too_little_space_is_told_with_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=disks.GIB // 2))
    with pytest.raises(Exhausted) as refusal:
        disks.check_space(tmp_path / "web", size_gib=20)
    assert refusal.value.code == "InsufficientDiskSpace"
    assert "3.0 GiB; available: 0.5 GiB" in refusal.value.details
    assert str(tmp_path) in refusal.value.brief


async def size_of(path: Path) -> int:
    done = await processes.run(["qemu-img", "info", "--output=json", str(path)], deadline=30)
    return int(json.loads(done.output)["virtual-size"])


@needs_qemu_img
async def test_an_empty_disk_is_thin_and_grows_but_never_shrinks(tmp_path: Path) -> None:
    path = tmp_path / "data-1.qcow2"
    await disks.create_empty(path=path, unfinished=tmp_path / "new", size_gib=2)
    assert names(tmp_path) == ["data-1.qcow2"]
    assert mode(path) == 0o600
    assert path.stat().st_size < 2**20
    await disks.grow(path=path, size_gib=3)
    assert await size_of(path) == 3 * disks.GIB
    await disks.grow(path=path, size_gib=1)
    assert await size_of(path) == 3 * disks.GIB


@needs_qemu_img
async def test_the_driver_keeps_the_disks_of_the_document_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "image").mkdir()
    image = replace(unreal_image(), disk=an_image(tmp_path / "image"))
    link = PlatformLink(Path("/nowhere/platform"), Path("/nowhere/machine"))
    driver = qemu_driver(machines=tmp_path / "m", runtime=Path("/tmp/r"), state=tmp_path, clock=VirtualClock())

    async def made(*kept: DataDisk, gib: int = 1) -> dict[str, int]:
        machine = replace(a_machine(), disk_gib=gib, data_disks=kept)
        await driver.create(spec=MachineSpec(machine=machine, image=image, link=link))
        folder = tmp_path / "m" / machine.vm_id
        return {path.name: await size_of(path) // disks.GIB for path in sorted(folder.iterdir())}

    one = DataDisk(id="one", name="one", size_gib=1, lun=0)
    two = DataDisk(id="two", name="two", size_gib=2, lun=None)
    assert await made(one, two) == {"data-one.qcow2": 1, "data-two.qcow2": 2, "disk.qcow2": 1}
    larger = replace(two, size_gib=5)
    assert await made(larger, gib=3) == {"data-two.qcow2": 5, "disk.qcow2": 3}

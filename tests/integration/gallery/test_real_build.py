"""A small image built by mmdebstrap from the distribution's archive, end to end: needs the network, not root."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dockyard.gallery.images import ImageGallery
from dockyard.gallery.plan import KEYRING
from dockyard.gallery.recipes import DEBIAN_13, MIB, Catalogue
from dockyard.model.errors import OperationFailed
from dockyard.model.image import Image, ImageBuildOptions

ADMIN = "/usr/sbin:/sbin"
NEEDED = ("mmdebstrap", "mke2fs", "debugfs", *(() if os.geteuid() == 0 else ("newuidmap",)))
MISSING = [name for name in NEEDED if not shutil.which(name, path=f"{os.environ['PATH']}:{ADMIN}")]
RECIPE = replace(
    DEBIAN_13,
    alias="small",
    packages=("linux-image-cloud-amd64", "tiny-initramfs", "systemd-sysv", "passwd", "waagent"),
    disk_bytes=512 * MIB,
)

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
    pytest.mark.skipif(not KEYRING.exists(), reason="debian-archive-keyring is not installed"),
    pytest.mark.timeout(400),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gallery")


def gallery(folder: Path) -> ImageGallery:
    return ImageGallery(folder=folder / "my images", cache=folder / "cache", catalogue=Catalogue((RECIPE,)))


@pytest.fixture(scope="module")
def told() -> list[str]:
    return []


@pytest.fixture(scope="module")
def image(folder: Path, told: list[str]) -> Iterator[Image]:
    opened = gallery(folder)
    yield asyncio.run(opened.build(alias="small", options=ImageBuildOptions(), progress=told.append))
    opened.delete(alias="small")


def debugfs(image: Image, command: str) -> str:
    environ = {**os.environ, "PATH": f"{os.environ['PATH']}:{ADMIN}"}
    done = subprocess.run(
        ["debugfs", "-R", command, str(image.disk)], env=environ, capture_output=True, text=True, check=True
    )
    return done.stdout


def names(listing: str) -> set[str]:
    """Read the output of debugfs's ``ls -p``: the sixth field is the name."""
    return {line.split("/")[5] for line in listing.splitlines() if line}


def test_the_file_system_is_sound(image: Image) -> None:
    environ = {**os.environ, "PATH": f"{os.environ['PATH']}:{ADMIN}"}
    done = subprocess.run(["e2fsck", "-fn", str(image.disk)], env=environ, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


def test_it_is_described_by_what_it_holds(image: Image, folder: Path) -> None:
    assert image.packages["waagent"].startswith("2.")
    assert image.disk.stat().st_size == RECIPE.disk_bytes
    assert image.kernel.read_bytes()[0x202:0x206] == b"HdrS"
    assert image.initrd.stat().st_size < MIB
    assert gallery(folder).find(alias="small") == image


def test_files_belong_to_root_whoever_built(image: Image) -> None:
    for path in ("/", "/etc/passwd", "/usr/bin/passwd", "/etc/fstab"):
        assert "User:     0   Group:     0" in debugfs(image, f"stat {path}")
    assert "Mode:  04755" in debugfs(image, "stat /usr/bin/passwd")


def test_nothing_of_the_build_or_its_host_is_in_it(image: Image) -> None:
    assert debugfs(image, "cat /etc/machine-id") == ""
    assert debugfs(image, "cat /etc/hostname") == "localhost\n"
    assert "mmdebstrap" not in debugfs(image, "ls /etc/apt/apt.conf.d") + debugfs(image, "ls /etc/dpkg/dpkg.cfg.d")
    assert "/run/systemd/resolve/stub-resolv.conf" in debugfs(image, "stat /etc/resolv.conf")
    for empty in ("/proc", "/sys", "/run", "/tmp", "/var/lib/apt/lists", "/var/cache/apt"):
        assert names(debugfs(image, f"ls -p {empty}")) == {".", ".."}, empty


def test_its_progress_was_told(image: Image, told: list[str]) -> None:
    assert told[-1] == "publishing, 96 %"
    assert any(text.startswith("installing packages, ") for text in told)


def test_downloads_are_kept_for_the_next(image: Image, folder: Path) -> None:
    assert len(list((folder / "cache/packages").glob("waagent_*.deb"))) == 1


def test_an_unreachable_mirror_is_explained(folder: Path) -> None:
    options = ImageBuildOptions(mirror="http://mirror.invalid/debian", refresh=True)
    with pytest.raises(OperationFailed) as caught:
        asyncio.run(gallery(folder).build(alias="small", options=options, progress=lambda _: None))
    assert "mirror.invalid" in caught.value.details
    assert caught.value.temporary
    assert (folder / "my images/small.log").exists()
    assert list((folder / "my images/.building/small").iterdir()) == [folder / "my images/.building/small/lock"]

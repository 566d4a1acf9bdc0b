"""A guest that boots in two seconds: Debian's cloud kernel and a busybox, for tests that run a real QEMU.

The kernel is fetched once with apt-get from the host's own Debian sources and kept in the user's cache. The guest says
``guest is up`` in green, greets whoever connects to its port 22, and powers off when its power button is pressed.
"""

from __future__ import annotations

import lzma
import os
import re
import shutil
import subprocess
import tarfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from dockyard.model.image import Image
from tests.support.values import URN

UP = "guest is up"
GREETING = "hello from the guest"
PRESSED = "power button pressed"

_MODULES = (
    *("virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci"),
    *("failover", "net_failover", "virtio_net", "virtio_blk", "rng-core", "virtio-rng", "button", "evdev"),
)
_APPLETS = (
    *("sh", "mkdir", "mount", "insmod", "ifconfig", "route", "nc"),
    *("echo", "printf", "cat", "sleep", "grep", "dd", "poweroff"),
)
_BUSYBOX = Path("/bin/busybox")
_INIT = f"""#!/bin/sh
mkdir -p /proc /sys /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in {" ".join(_MODULES)}; do
    [ ! -e /modules/$module.ko ] || insmod /modules/$module.ko
done
for fact in sys_vendor product_name chassis_asset_tag product_uuid; do
    echo "$fact=$(cat /sys/class/dmi/id/$fact)"
done
ifconfig eth0 up
ifconfig eth1 10.0.2.15 netmask 255.255.255.0 up
route add default gw 10.0.2.2
(while :; do echo {GREETING} | nc -l -p 22; done) &
case "$(cat /proc/cmdline)" in *deaf*) printf '\\033[32m{UP}\\033[0m\\n'; sleep 100000 ;; esac
for name in /sys/class/input/event*/device/name; do
    if grep -q 'Power Button' $name; then
        event=${{name%/device/name}}
        exec 3</dev/input/${{event##*/}}
    fi
done
printf '\\033[32m{UP}\\033[0m\\n'
dd of=/dev/null bs=24 count=1 <&3 2>/dev/null
echo {PRESSED}
poweroff -f
"""


def tiny_image(folder: Path) -> Image:
    """Make the guest's image below ``folder``; skip the test when the host lacks what it takes."""
    missing = [name for name in ("qemu-system-x86_64", "qemu-img") if shutil.which(name) is None]
    if missing or not _BUSYBOX.exists():
        pytest.skip("needs qemu-system-x86, qemu-utils and busybox-static")
    kernel = _kernel()
    disk, initrd = folder / "disk.raw", folder / "initrd"
    with disk.open("wb") as file:
        file.truncate(16 * 2**20)
    initrd.write_bytes(_archive(kernel))
    return Image(
        alias="tiny",
        urn=URN,
        id="tiny",
        disk=disk,
        kernel=kernel / "vmlinuz",
        initrd=initrd,
        kernel_command_line="console=ttyS0 net.ifnames=0 quiet panic=-1",
        size_bytes=16 * 2**20,
        sha256="0" * 64,
        built_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def deaf(image: Image) -> Image:
    """Return the same guest, deaf to its power button."""
    return replace(image, kernel_command_line=f"{image.kernel_command_line} deaf")


def _kernel() -> Path:
    """Return a folder with ``vmlinuz`` and the modules, fetched when it is not there yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dockyard-tests" / "linux-cloud-amd64"
    if not (cache / "vmlinuz").exists():
        with TemporaryDirectory() as folder:
            package = _download(Path(folder))
            cache.mkdir(parents=True, exist_ok=True)
            _extract(package, cache)
    return cache


def _download(folder: Path) -> Path:
    if shutil.which("apt-get") is None:
        pytest.skip("needs a Debian host to fetch a kernel from")
    depends = _output("apt-cache", "depends", "linux-image-cloud-amd64", folder=folder)
    name = re.search(r"Depends: (linux-image-\S+-cloud-amd64)", depends)
    if name is None:
        pytest.skip("apt knows no linux-image-cloud-amd64; run apt-get update")
    _output("apt-get", "-q", "download", name[1], folder=folder)
    return next(folder.glob("*.deb"))


def _output(*argv: str, folder: Path) -> str:
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False, timeout=100)
    if done.returncode:
        pytest.skip(f"'{' '.join(argv)}' failed: {done.stderr.strip()}")
    return done.stdout


def _extract(package: Path, cache: Path) -> None:
    """Keep the kernel and the modules the guest loads; the kernel last, for it says that all is there."""
    unfinished = cache / "vmlinuz.new"
    with (
        subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as process,
        tarfile.open(fileobj=process.stdout, mode="r|") as members,
    ):
        for member in members:
            path = Path(member.name)
            content = members.extractfile(member)
            if content and path.name.startswith("vmlinuz-"):
                unfinished.write_bytes(content.read())
            elif content and path.name.partition(".")[0] in _MODULES:
                raw = content.read()
                raw = lzma.decompress(raw) if path.suffix == ".xz" else raw
                (cache / f"{path.name.partition('.')[0]}.ko").write_bytes(raw)
    unfinished.rename(cache / "vmlinuz")


def _archive(kernel: Path) -> bytes:
    """Return an initial file system: cpio in its "newc" format."""
    entries = [_entry(folder, b"", mode=0o040755) for folder in ("bin", "modules")]
    entries += [_entry("bin/busybox", _BUSYBOX.read_bytes(), mode=0o100755)]
    entries += [_entry(f"bin/{applet}", b"busybox", mode=0o120777) for applet in _APPLETS]
    entries += [_entry(f"modules/{ko.name}", ko.read_bytes(), mode=0o100644) for ko in kernel.glob("*.ko")]
    entries += [_entry("init", _INIT.encode(), mode=0o100755), _entry("TRAILER!!!", b"", mode=0)]
    return b"".join(entries)


def _entry(name: str, content: bytes, *, mode: int) -> bytes:
    fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + "".join(f"{field:08X}" for field in fields).encode() + name.encode() + b"\0"
    return _padded(head) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)

"""The disc of a first boot: an ISO 9660 file system another program understands."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from dockyard.hypervisors.qemu.disc import SECTOR, image


def read(iso: bytes) -> dict[str, bytes]:
    """The files of a disc's root folder, read as ECMA-119 says."""
    volume = iso[16 * SECTOR : 17 * SECTOR]
    assert volume[:7] == b"\x01CD001\x01"
    assert iso[17 * SECTOR : 17 * SECTOR + 7] == b"\xffCD001\x01"
    (sectors,) = struct.unpack("<I", volume[80:84])
    assert sectors * SECTOR == len(iso)
    start, size = struct.unpack("<I4xI", volume[158:170])
    folder, found, at = iso[start * SECTOR : start * SECTOR + size], {}, 0
    while folder[at]:
        record = folder[at : at + folder[at]]
        place, length = struct.unpack("<I4xI", record[2:14])
        assert record[10:14] == struct.pack("<I", length)
        assert record[14:18] == struct.pack(">I", length)
        name = record[33 : 33 + record[32]]
        if not record[25] & 2:
            found[name.decode()] = iso[place * SECTOR : place * SECTOR + length]
        at += folder[at]
    return found


def test_files_are_found_by_name() -> None:
    files = {"ovf-env.xml": b"<x/>" * 1000, "a.txt": b"", "b.txt": b"b"}
    assert read(image(files)) == {f"{name.upper()};1": content for name, content in files.items()}


@pytest.mark.skipif(shutil.which("blkid") is None, reason="asks blkid")
def test_it_is_known_by_its_type(tmp_path: Path) -> None:
    path = tmp_path / "disc.iso"
    path.write_bytes(image({"ovf-env.xml": b"<x/>"}))
    done = subprocess.run(
        ["blkid", "-p", "-o", "value", "-s", "TYPE", str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "iso9660"


def test_too_many_files_are_no_disc() -> None:
    with pytest.raises(ValueError, match="too many"):
        image({f"{number:08}.txt": b"" for number in range(60)})

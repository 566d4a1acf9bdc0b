"""Write a small ISO 9660 file system (ECMA-119): a few files in one folder, read-only for a guest. Pure.

Called by ``driver`` for what a machine is given at its first boot. No extensions: Linux shows the plain names in lower
case and without their version.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

SECTOR = 2048

_SYSTEM_SECTORS = 16
_ROOT_SECTOR = 20
_PATH_TABLES = (18, 19)  # little-endian, big-endian
_FOLDER = 0x02
_ROOT_NAME, _PARENT_NAME = b"\0", b"\1"
_NO_DATE = bytes(7)
_NO_TIME = b"0" * 16 + b"\0"


def image(files: Mapping[str, bytes]) -> bytes:
    """Return the file system. Raises ValueError when the names do not fit into one sector of records."""
    names = sorted((f"{name.upper()};1".encode("ascii"), content) for name, content in files.items())
    sector, placed = _ROOT_SECTOR + 1, []
    for name, content in names:
        placed.append((name, sector, content))
        sector += max(1, -(-len(content) // SECTOR))
    folder = _record(_ROOT_NAME, sector=_ROOT_SECTOR, size=SECTOR, flags=_FOLDER)
    folder += _record(_PARENT_NAME, sector=_ROOT_SECTOR, size=SECTOR, flags=_FOLDER)
    folder += b"".join(_record(name, sector=at, size=len(content), flags=0) for name, at, content in placed)
    if len(folder) > SECTOR:
        raise ValueError(f"{len(files)} files are too many for one sector of records")
    parts = [
        bytes(_SYSTEM_SECTORS * SECTOR),
        _padded(_volume(sectors=sector)),
        _padded(b"\xffCD001\x01"),
        *(_padded(struct.pack(f"{order}BBIH", 1, 0, _ROOT_SECTOR, 1) + b"\0\0") for order in "<>"),
        _padded(folder),
        *(_padded(content) for _, _, content in placed),
    ]
    return b"".join(parts)


def _volume(*, sectors: int) -> bytes:
    """The primary volume descriptor (ECMA-119, 8.4)."""
    root = _record(_ROOT_NAME, sector=_ROOT_SECTOR, size=SECTOR, flags=_FOLDER)
    little, big = _PATH_TABLES
    return b"".join(
        (
            b"\x01CD001\x01\0",
            b" " * 32,
            b"PROVISIONING".ljust(32),
            bytes(8),
            _both(sectors),
            bytes(32),
            *(_both_short(value) for value in (1, 1, SECTOR)),
            _both(10),  # bytes of a path table
            struct.pack("<II", little, 0),
            struct.pack(">II", big, 0),
            root,
            b" " * (128 * 4 + 37 * 3),
            _NO_TIME * 4,
            b"\x01\0",
        )
    )


def _record(name: bytes, *, sector: int, size: int, flags: int) -> bytes:
    """A directory record (ECMA-119, 9.1)."""
    length = 33 + len(name) + (len(name) + 1) % 2
    head = bytes((length, 0)) + _both(sector) + _both(size) + _NO_DATE
    return (head + bytes((flags, 0, 0)) + _both_short(1) + bytes((len(name),)) + name).ljust(length, b"\0")


def _both(value: int) -> bytes:
    return struct.pack("<I", value) + struct.pack(">I", value)


def _both_short(value: int) -> bytes:
    return struct.pack("<H", value) + struct.pack(">H", value)


def _padded(content: bytes) -> bytes:
    """Fill up to whole sectors; an empty file has one of its own as well."""
    return content.ljust(max(1, -(-len(content) // SECTOR)) * SECTOR, b"\0")

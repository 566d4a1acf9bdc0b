"""Zip files written field by field, so that any of them can lie: what no proper tool would write."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

FILE, FOLDER, LINK = 0o100644 << 16, 0o040755 << 16, 0o120777 << 16
COMMANDS = ("install", "enable", "update", "disable", "uninstall")


@dataclass(frozen=True)
class Raw:
    """One entry; what is None follows from the content."""

    name: bytes
    content: bytes = b""
    attributes: int = FILE
    method: int = 8
    flags: int = 0x0800
    checksum: int | None = None
    size: int | None = None
    packed: bytes | None = None
    extra: bytes = b""
    disk: int = 0
    local_name: bytes | None = None
    local_method: int | None = None
    local_size: int | None = None
    shares_with: int | None = None

    def data(self) -> bytes:
        """The packed content."""
        if self.packed is not None:
            return self.packed
        return deflated(self.content) if self.method == 8 else self.content


def deflated(content: bytes) -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflater.compress(content) + deflater.flush()


def written(
    entries: Sequence[Raw],
    *,
    before: bytes = b"",
    after: bytes = b"",
    count: int | None = None,
    disk: int = 0,
    comment: bytes = b"",
    locator: bytes = b"",
) -> bytes:
    """The archive's bytes."""
    body = bytearray(before)
    offsets: list[int] = []
    for entry in entries:
        if entry.shares_with is not None:
            offsets.append(offsets[entry.shares_with])
            continue
        offsets.append(len(body))
        body += _local(entry) + entry.data()
    begin = len(body)
    for entry, offset in zip(entries, offsets, strict=True):
        body += _central(entry, offset)
    length = len(body) - begin
    number = len(entries) if count is None else count
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", disk, disk, number, number, length, begin, len(comment))
    return bytes(body) + locator + end + comment + after


def handler_files(*more: Raw, manifest: bytes | None = None) -> list[Raw]:
    """A sound handler's files, and more."""
    commands = {f"{verb}Command": f"bin/run {verb}" for verb in COMMANDS}
    text = json.dumps([{"version": 1.0, "handlerManifest": commands}]).encode()
    return [
        Raw(b"HandlerManifest.json", text if manifest is None else manifest),
        Raw(b"bin/run", b"#!/bin/sh\n"),
        *more,
    ]


def package(*more: Raw, manifest: bytes | None = None) -> bytes:
    """A sound handler's package, and more."""
    return written(handler_files(*more, manifest=manifest))


def _fields(entry: Raw) -> tuple[int, int]:
    checksum = zlib.crc32(entry.content) if entry.checksum is None else entry.checksum
    return checksum, len(entry.content) if entry.size is None else entry.size


def _local(entry: Raw) -> bytes:
    checksum, size = _fields(entry)
    name = entry.name if entry.local_name is None else entry.local_name
    method = entry.method if entry.local_method is None else entry.local_method
    size = size if entry.local_size is None else entry.local_size
    fields = (b"PK\x03\x04", 20, entry.flags, method, 0, 33, checksum, len(entry.data()), size, len(name), 0)
    return struct.pack("<4s5H3L2H", *fields) + name


def _central(entry: Raw, offset: int) -> bytes:
    checksum, size = _fields(entry)
    head = struct.pack("<4s6H", b"PK\x01\x02", 0x031E, 20, entry.flags, entry.method, 0, 33)
    sizes = struct.pack("<3L", checksum, len(entry.data()), size)
    rest = struct.pack("<5H2L", len(entry.name), len(entry.extra), 0, entry.disk, 0, entry.attributes, offset)
    return head + sizes + rest + entry.name + entry.extra


def bad_archives() -> dict[str, bytes]:
    """Archives that must all be refused, by what is wrong with each."""
    text = Raw(b"lib/text", b"one two three")
    zeros = bytes(8 * 1024 * 1024)
    quoted = deflated(zeros)
    wrong: dict[str, Raw | tuple[Raw, ...]] = {
        "a link": Raw(b"lib/link", b"/etc/passwd", attributes=LINK),
        "a link that is a folder": Raw(b"lib/link/", attributes=LINK),
        "a file below a link": (Raw(b"out", b"/tmp", attributes=LINK), Raw(b"out/canary", b"x")),
        "an absolute path": Raw(b"/tmp/canary", b"x"),
        "a path that climbs": Raw(b"../canary", b"x"),
        "a path that climbs later": Raw(b"lib/../../canary", b"x"),
        "a path that climbs and returns": Raw(b"lib/../canary", b"x"),
        "a folder that climbs": Raw(b"../", attributes=FOLDER),
        "a dot in a path": Raw(b"lib/./canary", b"x"),
        "two slashes": Raw(b"lib//canary", b"x"),
        "no name": Raw(b"", b"x"),
        "a backslash": Raw(b"lib\\canary", b"x"),
        "a backslash that climbs": Raw(b"..\\canary", b"x"),
        "a drive": Raw(b"C:canary", b"x"),
        "a NUL": Raw(b"lib/canary\x00.txt", b"x"),
        "a line feed": Raw(b"lib/can\nary", b"x"),
        "an escape": Raw(b"lib/\x1b[2Jcanary", b"x"),
        "bytes that are not UTF-8": Raw(b"lib/\xff\xfe", b"x"),
        "a name of a page": Raw(b"lib/" + b"n" * 300, b"x"),
        "a path of a page": Raw(b"/".join([b"folder"] * 200), b"x"),
        "a name twice": (text, text),
        "a name twice in other letters": (text, replace(text, name=b"Lib/TEXT")),
        "a name twice, composed and not": (Raw("lib/\u00e9".encode(), b"x"), Raw("lib/e\u0301".encode(), b"y")),
        "a name twice with a ligature": (Raw(b"lib/file", b"x"), Raw("lib/\ufb01le".encode(), b"y")),
        "a second manifest in other letters": Raw(b"HANDLERMANIFEST.JSON", b"[]"),
        "a file that is a folder": (text, Raw(b"lib/text/more", b"x")),
        "a folder that is a file": (Raw(b"lib/text/", attributes=FOLDER), text),
        "a character device": Raw(b"lib/null", attributes=0o020666 << 16),
        "a block device": Raw(b"lib/disk", attributes=0o060660 << 16),
        "a named pipe": Raw(b"lib/pipe", attributes=0o010644 << 16),
        "a socket": Raw(b"lib/socket", attributes=0o140755 << 16),
        "a file that says it is a folder": Raw(b"lib/folder", b"x", attributes=FOLDER),
        "a folder with content": Raw(b"lib/folder/", b"x", attributes=FOLDER),
        "an encrypted entry": replace(text, flags=0x0801),
        "a strongly encrypted entry": replace(text, flags=0x0840),
        "a hidden directory": replace(text, flags=0x2800),
        "another compression": replace(text, method=12, packed=b"BZh9"),
        "a size too small": replace(text, size=3),
        "a size too large": replace(text, size=300),
        "a size too small with a fitting checksum": replace(text, size=3, checksum=zlib.crc32(b"one")),
        "a stored entry of two sizes": replace(text, method=0, size=4),
        "a wrong checksum": replace(text, checksum=1),
        "damaged data": replace(text, packed=b"\xff" * 12),
        "data that ends early": replace(text, packed=deflated(b"one two three")[:-3]),
        "data after the data": replace(text, packed=deflated(b"one two three") + b"more"),
        "another name in its own header": replace(text, local_name=b"../../../"),
        "another method in its own header": replace(text, local_method=0),
        "another size in its own header": replace(text, local_size=1),
        "a name in an extra field": replace(text, extra=struct.pack("<2H", 0x7075, 4) + b"\x01../"),
        "sizes in an extra field": replace(text, extra=struct.pack("<2HQ", 1, 8, 1)),
        "an entry on another disk": replace(text, disk=1),
        "a bomb by its ratio": Raw(b"lib/zeros", zeros),
        "a bomb that hides its ratio": Raw(b"lib/zeros", packed=quoted, size=100, checksum=0),
        "a bomb in total": Raw(b"lib/zeros", packed=bytes(6_000_000), size=1_100_000_000, checksum=0),
        "one piece of data for two names": (text, Raw(b"lib/same", b"one two three", shares_with=2)),
    }
    made = {what: package(*(more if isinstance(more, tuple) else (more,))) for what, more in wrong.items()}
    files = handler_files()
    whole = written(files)
    made |= {
        "nothing": b"",
        "a text": b"#!/bin/sh\necho no package\n",
        "no entries": written([]),
        "half an archive": whole[: len(whole) // 2],
        "an archive without its end": whole[:-1],
        "bytes before it": written(files, before=b"#!/bin/sh\nexit 0\n"),
        "bytes before it that offsets do not count": b"#!/bin/sh\n" + whole,
        "bytes after it": whole + b"more",
        "a second archive after it": whole + written([Raw(b"../canary", b"x")]),
        "fewer entries than it says": written(files, count=9),
        "more entries than it says": written(files, count=1),
        "a part of several": written(files, disk=1),
        "ZIP64": written(files, locator=b"PK\x06\x07" + bytes(16)),
        "entries inside each other": _quine_like(),
        "eleven thousand entries": written([*files, *(Raw(b"lib/%d" % number) for number in range(11_000))]),
        "no manifest": written([Raw(b"bin/run", b"#!/bin/sh\n")]),
        "a manifest that is not JSON": package(manifest=b"<xml/>"),
        "a manifest of nothing": package(manifest=b"[]"),
        "a manifest without commands": package(manifest=b'[{"handlerManifest": {}}]'),
        "commands of other packages": package(manifest=_manifest("/usr/bin/id")),
        "commands that climb": package(manifest=_manifest("../other/run")),
    }
    return made


def _manifest(program: str) -> bytes:
    return json.dumps([{"handlerManifest": {f"{verb}Command": program for verb in COMMANDS}}]).encode()


def _quine_like() -> bytes:
    """Two entries whose data overlap: the first one's data holds the second one's header and data."""
    inner = Raw(b"lib/inner", b"inner", method=0)
    head = _local(inner) + inner.data()
    outer = Raw(b"lib/outer", head, method=0)
    files = handler_files()
    body = b"".join(_local(each) + each.data() for each in files)
    at = len(body)
    offsets, position = [], 0
    for each in files:
        offsets.append(position)
        position += len(_local(each)) + len(each.data())
    body += _local(outer) + outer.data()
    begin = len(body)
    pairs = [*zip(files, offsets, strict=True), (outer, at), (inner, at + len(_local(outer)))]
    directory = b"".join(_central(entry, offset) for entry, offset in pairs)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 4, 4, len(directory), begin, 0)
    return body + directory + end

"""A zip file read strictly: what is not exactly a plain archive of files is refused before anything of it is used.

A handler's package is unpacked by root in somebody's machine, and by tools that disagree about damaged archives. So
every entry must be a file or a folder with an ordinary relative path, the two directories of the archive (the central
one and the header before each entry) must say the same, entries must lie one after another without overlapping, and
each must unpack to the very size and checksum it names. Nothing is written anywhere; used by `package`.
"""

from __future__ import annotations

import re
import stat
import struct
import unicodedata
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from .errors import MalformedDocument

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_MIB = 1024 * 1024
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_SIZES_FOLLOW, _UTF8 = 0x0008, 0x0800
_END = struct.Struct("<4s4H2LH")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_MAX_COMMENT = 0xFFFF
_ZIP64 = 0xFFFFFFFF
_ZIP64_LOCATOR = b"PK\x06\x07"
_OTHER_NAME, _OTHER_SIZES = 0x7075, 0x0001  # extra fields by which readers replace what the directory says
_CHUNK = 64 * 1024


@dataclass(frozen=True)
class ArchiveLimits:
    """How much an archive may hold.

    Attributes:
        archive_bytes: Its own size.
        entries: How many files and folders.
        total_bytes: The size of all files unpacked.
        ratio: How many times its packed size a file of over a MiB may have.
    """

    archive_bytes: int = 256 * _MIB
    entries: int = 10_000
    total_bytes: int = 1024 * _MIB
    ratio: int = 200


LIMITS = ArchiveLimits()


@dataclass(frozen=True)
class _Entry:
    raw_name: bytes
    name: str
    flags: int
    method: int
    checksum: int
    packed: int
    size: int
    mode: int
    offset: int

    @property
    def is_folder(self) -> bool:
        return self.name.endswith("/")


@dataclass(frozen=True)
class Archive:
    """An archive that was found to be sound; names are relative paths with ``/``."""

    file: BinaryIO
    entries: Mapping[str, _Entry]

    @property
    def files(self) -> frozenset[str]:
        """The paths of all files; folders are none."""
        return frozenset(self.entries)

    def read(self, name: str) -> bytes:
        """One file's content; ``KeyError`` when there is none of this name."""
        return b"".join(_unpacked(self.file, self.entries[name]))


def open_archive(file: BinaryIO, *, document: str = "package", limits: ArchiveLimits = LIMITS) -> Archive:
    """Look through a whole archive.

    Raises:
        MalformedDocument: It is no zip file, or not one as the module's docstring wants it; names the entry.
    """
    try:
        entries = _directory(file, limits=limits)
        _check_names(entries)
        _check_sizes(entries, limits=limits)
        _check_places(file, entries)
        for entry in entries:
            for _ in _unpacked(file, entry):
                pass
    except _Unsound as unsound:
        expected, found, name = unsound.args
        member = "" if name is None else f"entry {_shown(name)}"
        raise MalformedDocument(document=document, member=member, expected=expected, found=found) from None
    return Archive(file=file, entries={entry.name: entry for entry in entries if not entry.is_folder})


class _Unsound(Exception):
    """What was expected, what was found, and the entry's name or none."""

    def __init__(self, expected: str, found: str, name: str | None = None) -> None:
        super().__init__(expected, found, name)


def _shown(name: str) -> str:
    text = ascii(name)
    return text if len(text) <= 120 else f"{text[:100]}…'"


def _directory(file: BinaryIO, *, limits: ArchiveLimits) -> list[_Entry]:
    size = file.seek(0, 2)
    if size > limits.archive_bytes:
        raise _Unsound(f"at most {limits.archive_bytes // _MIB} MiB", f"{size} bytes")
    count, length, offset, end = _end(file, size)
    if count > limits.entries or length > limits.entries * 512:
        raise _Unsound(f"at most {limits.entries} files and folders", f"{count} of them")
    if offset + length != end:
        raise _Unsound("a zip file from its first byte", "a directory at another place than it names")
    file.seek(offset)
    entries = list(_central(file.read(length)))
    if len(entries) != count:
        raise _Unsound(f"{count} entries, as the archive's end says", f"{len(entries)} of them")
    return entries


def _end(file: BinaryIO, size: int) -> tuple[int, int, int, int]:
    """Return how many entries there are, the directory's length and offset, and where it ends."""
    begin = max(0, size - _MAX_COMMENT - _END.size - 20)
    file.seek(begin)
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise _Unsound("a zip file", "something else, or only its beginning")
    _, disk, start, here, count, length, offset, comment = _END.unpack_from(tail, at)
    if len(tail) - at - _END.size != comment:
        raise _Unsound("a zip file up to its last byte", "other bytes after its end")
    if tail[max(0, at - 20) : at].startswith(_ZIP64_LOCATOR) or _ZIP64 in (length, offset) or count == 0xFFFF:
        raise _Unsound("a zip file of the plain format", "ZIP64")
    if disk or start or here != count:
        raise _Unsound("a zip file in one part", "a part of several")
    return count, length, offset, begin + at


def _central(directory: bytes) -> Iterator[_Entry]:
    at = 0
    while at < len(directory):
        if len(directory) - at < _CENTRAL.size:
            raise _Unsound("a whole directory", "one that ends early")
        mark, _, _, flags, method, _, _, checksum, packed, size, *rest = _CENTRAL.unpack_from(directory, at)
        names, extras, comments, disk, _, attributes, offset = rest
        begin = at + _CENTRAL.size
        at = begin + names + extras + comments
        if mark != b"PK\x01\x02" or at > len(directory):
            raise _Unsound("a whole directory", "one that is damaged")
        raw = directory[begin : begin + names]
        name = _decoded(raw, flags)
        if disk:
            raise _Unsound("a zip file in one part", "an entry in another", name)
        _check_extras(directory[begin + names : begin + names + extras], name)
        yield _Entry(raw, name, flags, method, checksum, packed, size, attributes >> 16, offset)


def _decoded(raw: bytes, flags: int) -> str:
    try:
        return raw.decode("utf-8" if flags & _UTF8 else "cp437")
    except UnicodeDecodeError:
        raise _Unsound("a name in UTF-8", "other bytes", raw.decode("cp437")) from None


def _check_extras(extras: bytes, name: str) -> None:
    at = 0
    while at + 4 <= len(extras):
        kind, length = struct.unpack_from("<2H", extras, at)
        at += 4 + length
        if kind in (_OTHER_NAME, _OTHER_SIZES):
            raise _Unsound("one name and one size", "an extra field with another", name)


def _check_names(entries: Sequence[_Entry]) -> None:
    known: dict[str, bool] = {}
    for entry in entries:
        fault = _fault_of(entry.name)
        if fault:
            raise _Unsound("a relative path inside the package", fault, entry.name)
        kind = stat.S_IFMT(entry.mode)
        if kind == stat.S_IFLNK:
            raise _Unsound("files and folders only", "a link", entry.name)
        if kind not in (0, stat.S_IFDIR if entry.is_folder else stat.S_IFREG):
            raise _Unsound("files and folders only", "a device or another special file", entry.name)
        key = _key(entry.name)
        if key in known:
            raise _Unsound("each name once, in whatever letters", "the same name again", entry.name)
        known[key] = entry.is_folder
    for key in known:
        parts = key.split("/")
        if any(known.get("/".join(parts[:count])) is False for count in range(1, len(parts))):
            raise _Unsound("a file or a folder of this name", "both", key)


def _key(name: str) -> str:
    """The name as a file system without case, or with composed letters, would know it."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).rstrip("/")


def _fault_of(name: str) -> str:
    parts = name.removesuffix("/").split("/")
    faults = {
        "a control character or NUL": any(ord(letter) < 32 or ord(letter) == 127 for letter in name),
        "a backslash": "\\" in name,
        "an absolute path": name.startswith("/"),
        "a drive's name": re.match(r"[A-Za-z]:", name) is not None,
        "a path that climbs out of its folder": ".." in parts,
        "a path with an empty part": "" in parts or "." in parts,
        "a name that is too long": len(name.encode()) > 1024 or any(len(part.encode()) > 255 for part in parts),
    }
    return next((fault for fault, is_so in faults.items() if is_so), "")


def _check_sizes(entries: Sequence[_Entry], *, limits: ArchiveLimits) -> None:
    for entry in entries:
        if entry.flags & _ENCRYPTED:
            raise _Unsound("no encryption", "an encrypted entry", entry.name)
        if entry.method not in (_STORED, _DEFLATED):
            raise _Unsound("stored or deflated entries", f"compression method {entry.method}", entry.name)
        if entry.is_folder and entry.size:
            raise _Unsound("an empty entry for a folder", f"{entry.size} bytes", entry.name)
        if entry.method == _STORED and entry.size != entry.packed:
            raise _Unsound("the same size packed and unpacked", "two sizes for a stored entry", entry.name)
        if entry.size > _MIB and entry.size > entry.packed * limits.ratio:
            raise _Unsound(f"at most {limits.ratio} times its packed size", f"{entry.size} bytes", entry.name)
    total = sum(entry.size for entry in entries)
    if total > limits.total_bytes:
        raise _Unsound(f"at most {limits.total_bytes // _MIB} MiB unpacked", f"{total} bytes")


def _check_places(file: BinaryIO, entries: Sequence[_Entry]) -> None:
    end = 0
    for entry in sorted(entries, key=lambda each: each.offset):
        if entry.offset < end:
            raise _Unsound("entries one after another", "one that overlaps the entry before it", entry.name)
        if not end and entry.offset:
            raise _Unsound("a zip file from its first byte", "other bytes before its first entry")
        end = _data_begin(file, entry) + entry.packed


def _data_begin(file: BinaryIO, entry: _Entry) -> int:
    """Return where an entry's data begins; its own header must say what the directory says."""
    file.seek(entry.offset)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or header[:4] != b"PK\x03\x04":
        raise _Unsound("an entry where the directory says", "none", entry.name)
    _, _, flags, method, _, _, checksum, packed, size, names, extras = _LOCAL.unpack(header)
    same = file.read(names) == entry.raw_name and method == entry.method
    same = same and not (flags ^ entry.flags) & (_ENCRYPTED | _SIZES_FOLLOW | _UTF8)
    if not flags & _SIZES_FOLLOW:
        same = same and (checksum, packed, size) == (entry.checksum, entry.packed, entry.size)
    if not same:
        raise _Unsound("the same in the entry's header as in the directory", "a difference", entry.name)
    return entry.offset + _LOCAL.size + int(names) + int(extras)


def _unpacked(file: BinaryIO, entry: _Entry) -> Iterator[bytes]:
    """Yield an entry's content; its size and checksum are right when this ends."""
    size = checksum = 0
    for part in _parts(file, entry):
        size += len(part)
        if size > entry.size:
            break
        checksum = zlib.crc32(part, checksum)
        yield part
    if size != entry.size:
        raise _Unsound(f"{entry.size} bytes, as the directory says", "another size", entry.name)
    if checksum != entry.checksum:
        raise _Unsound("content that fits its checksum", "other content", entry.name)


def _parts(file: BinaryIO, entry: _Entry) -> Iterator[bytes]:
    file.seek(_data_begin(file, entry))
    left = entry.packed
    inflater = zlib.decompressobj(-zlib.MAX_WBITS) if entry.method == _DEFLATED else None
    while left:
        chunk = file.read(min(_CHUNK, left))
        if not chunk:
            raise _Unsound(f"{entry.packed} packed bytes", "the archive's end", entry.name)
        left -= len(chunk)
        yield from [chunk] if inflater is None else _inflated(inflater, chunk, entry)
    if inflater is not None and (not inflater.eof or inflater.unused_data):
        raise _Unsound("compressed data that ends with the entry", "another end", entry.name)


def _inflated(inflater: zlib._Decompress, chunk: bytes, entry: _Entry) -> Iterator[bytes]:
    try:
        while True:
            part = inflater.decompress(chunk, _MIB)
            yield part
            chunk = inflater.unconsumed_tail
            if not chunk and len(part) < _MIB:
                return
    except zlib.error:
        raise _Unsound("compressed data", "damaged data", entry.name) from None

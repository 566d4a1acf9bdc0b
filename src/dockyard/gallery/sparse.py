"""Files with holes: their digest without reading the holes, and what they really occupy. Called by ``images``."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

_CHUNK = 2**20
_ZEROES = bytes(_CHUNK)


def digest(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal. Raises OSError."""
    state = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        end = os.fstat(file.fileno()).st_size
        done = 0
        for start, stop in _data(file.fileno(), end=end):
            _feed_zeroes(state, start - done)
            file.seek(start)
            _feed(state, file.fileno(), stop - start)
            done = stop
        _feed_zeroes(state, end - done)
    return state.hexdigest()


def allocated(path: Path) -> int:
    """Return the bytes a file takes on the disk. Raises OSError."""
    return path.stat().st_blocks * 512


def _data(descriptor: int, *, end: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of each stretch that is no hole."""
    position = 0
    while position < end:
        try:
            start = os.lseek(descriptor, position, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but a hole follows
                return
            raise
        position = os.lseek(descriptor, start, os.SEEK_HOLE)
        yield start, position


def _feed(state: hashlib._Hash, descriptor: int, count: int) -> None:
    while count:
        chunk = os.read(descriptor, min(_CHUNK, count))
        state.update(chunk)
        count -= len(chunk)


def _feed_zeroes(state: hashlib._Hash, count: int) -> None:
    while count:
        part = min(_CHUNK, count)
        state.update(memoryview(_ZEROES)[:part])
        count -= part

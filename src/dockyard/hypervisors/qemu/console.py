"""Keep and read a machine's logs: its serial console and QEMU's own output.

Called by ``driver``. QEMU appends to both files; here they are marked, bounded at each start and read.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from dockyard.hypervisors.console_text import clean

LARGEST_LOG = 4 * 2**20
"""A log larger than this is set aside when its machine starts; one older log is kept."""

_WINDOW = 64 * 1024


def mark_start(path: Path, *, at: datetime, text: str) -> None:
    """Set a large log aside and append a line that parts this run from the ones before."""
    if path.exists() and path.stat().st_size > LARGEST_LOG:
        path.replace(_older(path))
    append(path, text=f"\r\n===== {at:%Y-%m-%d %H:%M:%S} UTC: {text} =====\r")


def append(path: Path, *, text: str) -> None:
    """Append a line."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "ab") as log:
        log.write(f"{text}\n".encode())


def tail(path: Path, *, lines: int) -> Sequence[str]:
    """Return the last lines, cleaned; fewer when the log is short, none when there is no log."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return ()
    window = _WINDOW
    while True:
        found = _last(path, size=size, window=window)
        if len(found) >= lines or window >= size:
            return found[-lines:] if lines > 0 else ()
        window *= 4


def whole(path: Path) -> bytes:
    """Return the log with the older one before it; empty when there is none."""
    return b"".join(part.read_bytes() for part in (_older(path), path) if part.exists())


def size(path: Path) -> int:
    """Return how long a log is now; 0 when there is none."""
    return path.stat().st_size if path.exists() else 0


def since(path: Path, *, offset: int) -> str:
    """Return what was appended after ``offset`` bytes."""
    with path.open("rb") as log:
        log.seek(offset)
        return log.read().decode(errors="replace")


def _older(path: Path) -> Path:
    return path.with_name(f"{path.name}.1")


def _last(path: Path, *, size: int, window: int) -> Sequence[str]:
    with path.open("rb") as log:
        log.seek(max(0, size - window))
        raw = log.read()
    if size > window:
        raw = raw.partition(b"\n")[2]  # the first line begins before the window, perhaps within an escape sequence
    return clean(raw)

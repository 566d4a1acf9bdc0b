"""The host's door to writing small files: whole or not at all, with their final mode from the first byte.

Below every room, beside ``config``. Secret files are made with ``SECRET``, never opened up and closed later.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

SECRET = 0o600
PUBLIC = 0o644


def make_folder(path: Path) -> Path:
    """Create a folder only the user can enter, with its parents, when it is missing; return it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def read_end(path: Path, *, limit: int) -> str:
    """Return the last ``limit`` bytes of a text; empty when there is no file."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - limit))
            return file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def write(path: Path, content: bytes, *, mode: int) -> None:
    """Replace ``path`` by a new file with ``content``. A reader sees the old file or the new one, nothing between."""
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise

"""The client's one door to writing files: whole or not at all, with their final mode from the first byte.

Used by the rooms of the client. Reading needs no door.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dockyard.client import waiting

SECRET = 0o600
PUBLIC = 0o644
_FOLDER = 0o700


def make_folder(path: Path) -> Path:
    """Create a folder only the user can enter, with its parents, when it is missing; return it."""
    path.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
    return path


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


@contextmanager
def locked(path: Path, *, what: str, deadline: float) -> Iterator[None]:
    """Hold an exclusive lock on the file ``path``; the kernel frees it when this process ends, however it ends.

    Raises:
        DeadlineExceeded: another process held it longer than ``deadline`` seconds.
    """
    make_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, SECRET)
    try:
        waiting.until(lambda: _try_lock(descriptor), what=what, deadline=deadline, every=0.05)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool | None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    return True

"""A lock between processes of one user: the client's way to do something once although two commands start at a time.

Used by ``serve``, ``certificates`` and ``ssh``.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dockyard import files
from dockyard.client import waiting


@contextmanager
def locked(path: Path, *, what: str, deadline: float) -> Iterator[None]:
    """Hold an exclusive lock on the file ``path``; the kernel frees it when this process ends, however it ends.

    Raises:
        DeadlineExceeded: another process held it longer than ``deadline`` seconds.
    """
    files.make_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, files.SECRET)
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

"""The handler's log file in the agent's log folder; what goes wrong is also shown to the agent on standard error.

Nobody may log a secret. When the file has grown to its limit it becomes the one old file, and a new one is begun.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from dockyard_guest.errors import GuestError

if TYPE_CHECKING:
    from dockyard_guest.ports import Clock, Files

_LIMIT = 2 * 1024 * 1024
_MODE = 0o640


class Log:
    """Lines of text with the time and a label. Lines from before the file is known are kept until it is."""

    def __init__(self, *, files: Files, clock: Clock) -> None:
        self._files = files
        self._clock = clock
        self._path: str | None = None
        self._label = ""
        self._waiting: list[str] = []

    def open(self, path: str, *, label: str) -> None:
        """Begin to write into a file; its folder is made when it is not there."""
        with suppress(GuestError):
            self._files.make_folder(path.rpartition("/")[0], mode=0o755)
            if self._files.size(path) > _LIMIT:
                self._files.rename(path, f"{path}.old")
        self._path, self._label = path, label
        waiting, self._waiting = self._waiting, []
        for text in waiting:
            self.write(text)

    def write(self, text: str) -> None:
        """Add a text; each of its lines is a line of the log."""
        if self._path is None:
            self._waiting.append(text)
            return
        head = f"{utc(self._clock.time())} {self._label}: "
        lines = "".join(f"{head}{line}\n" for line in text.splitlines() or [""])
        with suppress(GuestError):  # a full disk must not keep the work from being done, or its error from being told
            self._files.append(self._path, lines.encode(errors="replace"), mode=_MODE)

    def complain(self, text: str) -> None:
        """Add a text and show it to whoever started the command: the agent puts the end of it into its report."""
        sys.stderr.write(text + "\n")
        self.write(text)


def utc(moment: float) -> str:
    """A moment in seconds since the epoch as ISO 8601 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))

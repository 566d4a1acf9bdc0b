"""Looks on while a handler works: how its status files are written, which processes there are, what they are called.

Used by ``life``. Files are watched by the kernel (inotify), so no write is missed; arguments of processes are looked at
every few milliseconds, so those of a very short process may be.
"""

from __future__ import annotations

import ctypes
import os
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dockyard.authoring import secrets

_IN_MODIFY = 0x2
_HEAD = struct.Struct("iIII")
_NON_BLOCKING_CLOSED_ON_EXEC = os.O_NONBLOCK | os.O_CLOEXEC
_BUFFER = 65536


class Writes:
    """The names of the files of a folder that were written under their own name."""

    def __init__(self, folder: Path) -> None:
        library = ctypes.CDLL(None, use_errno=True)
        self._descriptor = library.inotify_init1(_NON_BLOCKING_CLOSED_ON_EXEC)
        if self._descriptor < 0 or library.inotify_add_watch(self._descriptor, os.fsencode(folder), _IN_MODIFY) < 0:
            raise OSError(ctypes.get_errno(), f"{folder} cannot be watched")
        self.names: set[str] = set()

    def look(self) -> None:
        """Take what has happened since the last look."""
        try:
            while data := os.read(self._descriptor, _BUFFER):
                self._take(data)
        except BlockingIOError:
            return

    def close(self) -> None:
        """End the watch."""
        os.close(self._descriptor)

    def _take(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            _, _, _, length = _HEAD.unpack_from(data, at)
            name = data[at + _HEAD.size : at + _HEAD.size + length].rstrip(b"\0")
            self.names.add(os.fsdecode(name))
            at += _HEAD.size + length


@dataclass(frozen=True)
class Process:
    """A process: its number, its arguments as one text, and the folder it works in."""

    pid: int
    arguments: str
    folder: str

    @property
    def name(self) -> str:
        """The program's name."""
        return self.arguments.partition(" ")[0].rpartition("/")[2]


class Processes:
    """The processes that a handler started.

    These are all that began later than this object. Where others live beside them, they are told by ``mark``, the value
    of a variable that every command of the handler got; in a process namespace of its own there are no others.
    """

    def __init__(self, *, mark: str | None, hidden: Sequence[str]) -> None:
        self._mark = mark
        self._hidden = hidden
        self._before = {entry.name for entry in Path("/proc").iterdir()}
        self._launcher = _arguments(Path("/proc/self"))
        self.tellers: set[str] = set()
        self.peak_kib = 0

    def look(self) -> None:
        """Remember the programs that have a secret among their arguments, and the most memory one of them held."""
        for process in self.running():
            if any(secret in process.arguments for secret in self._hidden):
                self.tellers.add(process.name)
            if process.arguments != self._launcher:  # between fork and exec a child still is a copy of this process
                self.peak_kib = max(self.peak_kib, _peak_kib(process.pid))

    def running(self) -> Iterator[Process]:
        """The handler's processes that have not ended."""
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and entry.name not in self._before:
                process = _process(int(entry.name), mark=self._mark)
                if process is not None:
                    yield process


def described(process: Process, *, hidden: Sequence[str]) -> str:
    """Return a process's arguments for people: short, and without secrets."""
    return secrets.mask(process.arguments, hidden)[:120]


def _process(pid: int, *, mark: str | None) -> Process | None:
    folder = Path(f"/proc/{pid}")
    try:
        if mark is not None and mark.encode() not in (folder / "environ").read_bytes():
            return None
        arguments = _arguments(folder)
        return Process(pid, arguments, str((folder / "cwd").readlink())) if arguments else None
    except OSError:
        return None  # it has ended, or it is somebody else's


def _arguments(folder: Path) -> str:
    return (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()


def _peak_kib(pid: int) -> int:
    """Return the high-water mark of a process's resident memory; 0 when it has ended."""
    try:
        found = re.search(
            r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text("utf-8", "replace"), re.MULTILINE
        )
    except OSError:
        return 0
    return int(found[1]) if found else 0

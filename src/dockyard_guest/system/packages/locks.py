"""Who holds a lock of the package manager.

apt, dpkg and rpm lock whole files with fcntl(2) record locks, so the kernel can be asked who the holder is; that beats
reading it from a message. dnf and zypper write their process number into a file. Only asks, never takes a lock.
"""
# Why not pathlib: pathlib is slow to import, and the lock needs a file number.
# ruff: noqa: PTH123

from __future__ import annotations

import fcntl
import os
import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class LockHolder:
    """A process that holds a lock; its name is empty when it cannot be read."""

    path: str
    pid: int
    name: str

    def __str__(self) -> str:
        return f"{self.name or 'a process'} (process {self.pid}) holds {self.path}"


_FLOCK = "hhqqi4x"


def lock_holder(path: str) -> LockHolder | None:
    """The process that holds the lock on this file, or ``None`` when nobody does or there is no such file."""
    question = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    try:
        with open(path, "rb") as file:
            kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(file.fileno(), fcntl.F_GETLK, question))
    except OSError:
        return None
    if kind == fcntl.F_UNLCK:
        return None
    return LockHolder(path=path, pid=pid, name=_name(pid))


def _name(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def pid_file_holder(path: str, *, programs: tuple[str, ...]) -> LockHolder | None:
    """The process whose number stands in this file, if it runs and is one of these programs.

    Package managers that lock by such a file leave it behind when they are killed, and the number is used again.
    """
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            pid = int(file.read(32).strip() or "0")
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            command = file.read().replace("\0", " ")
    except (OSError, ValueError):
        return None
    if not any(program in command for program in programs):
        return None
    return LockHolder(path=path, pid=pid, name=_name(pid))

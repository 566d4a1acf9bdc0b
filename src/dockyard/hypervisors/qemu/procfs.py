"""What the kernel tells of processes in ``/proc``: which machine one runs, whether it still runs, what it holds.

Called by ``processes`` and ``forwards``. Only looks. A process may vanish between two looks; that is an answer, never
an error.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from dockyard.hypervisors.qemu.argv import PIDFILE_OPTION, UUID_OPTION
from dockyard.model.virtual_machine import ProcessIdentity

_SYSTEM_PROGRAM_PREFIX = "qemu-system-"
_PROC = Path("/proc")
_VANISHED = (FileNotFoundError, ProcessLookupError)


@dataclass(frozen=True)
class Stat:
    """What this room needs of ``/proc/PID/stat``."""

    state: str
    threads: int
    start_time: int

    @property
    def is_gone(self) -> bool:
        """Whether nothing is left but a record for the parent; until then ports and locks are held."""
        return self.state in ("X", "x") or (self.state == "Z" and self.threads <= 1)

    @property
    def is_dying(self) -> bool:
        """Whether the first thread has ended and others have not: a killed QEMU, for a moment."""
        return self.state == "Z" and self.threads > 1


@dataclass(frozen=True)
class Marks:
    """What a machine is known by, as QEMU's command line states it."""

    vm_id: str
    pidfile: Path


@dataclass(frozen=True)
class RunningMachine:
    """A process that carries a machine's marks."""

    identity: ProcessIdentity
    marks: Marks


def parse_stat(text: str) -> Stat:
    """Read a line of ``/proc/PID/stat``: state is field 3, number of threads field 20, start time field 22.

    The command's name, field 2, stands in parentheses and may itself hold spaces, parentheses and line feeds.
    """
    fields = text.rpartition(")")[2].split()
    return Stat(state=fields[0], threads=int(fields[17]), start_time=int(fields[19]))


def parse_command_line(raw: bytes) -> Marks | None:
    """Read ``/proc/PID/cmdline``; None when it is not QEMU running a machine of ours."""
    arguments = os.fsdecode(raw).split("\0")
    if not Path(arguments[0]).name.startswith(_SYSTEM_PROGRAM_PREFIX):
        return None
    options = dict(pairwise(arguments))
    if UUID_OPTION in options and PIDFILE_OPTION in options:
        return Marks(vm_id=options[UUID_OPTION], pidfile=Path(options[PIDFILE_OPTION]))
    return None


def read_stat(pid: int) -> Stat | None:
    """Return a process's state and start time; None when it is gone."""
    try:
        return parse_stat((_PROC / str(pid) / "stat").read_text(errors="replace"))
    except _VANISHED:
        return None


def is_nameless(pid: int) -> bool:
    """Whether a process runs whose command line cannot be read yet, for it is only being started."""
    stat = read_stat(pid)
    try:
        command_line = (_PROC / str(pid) / "cmdline").read_bytes()
    except _VANISHED:
        return False
    return not command_line and stat is not None and stat.state != "Z" and not stat.is_gone


def is_alive(identity: ProcessIdentity) -> bool:
    """Whether that very process, or any thread of it, still runs; one that waits to be reaped does not."""
    stat = read_stat(identity.pid)
    return stat is not None and not stat.is_gone and stat.start_time == identity.start_time


def find(*, vm_id: str, pidfile: Path) -> ProcessIdentity | None:
    """Return the QEMU that runs a machine, or None.

    The number QEMU wrote into the file is only a hint that saves looking at every process: a machine is known by UUID
    and name of that file on the command line. So a process is also found when whoever started it was killed before
    QEMU wrote the file, and one with the same UUID below another root is left alone.
    """
    wanted = Marks(vm_id=vm_id, pidfile=pidfile)
    hinted = _hint(pidfile)
    found = _look(hinted) if hinted else None
    if found is None or found.marks != wanted:
        found = next((machine for machine in running_machines() if machine.marks == wanted), None)
    return found.identity if found else None


def find_dying(*, pidfile: Path) -> ProcessIdentity | None:
    """Return the process a machine's pidfile names when it is about to be gone.

    Its command line can no longer be read, so it may be another's; nothing but waiting for it may follow from this.
    """
    pid = _hint(pidfile)
    stat = read_stat(pid) if pid else None
    return ProcessIdentity(pid, stat.start_time) if pid and stat and stat.is_dying else None


def running_machines() -> Iterator[RunningMachine]:
    """Look at every process of this user and yield those that run a machine."""
    for pid in _pids():
        if machine := _look(pid):
            yield machine


def describe(pid: int) -> str:
    """Return ``name (process 123)`` for a message; the name is left out when the process is gone."""
    name = ""
    with suppress(*_VANISHED):
        name = (_PROC / str(pid) / "comm").read_text(errors="replace").strip()
    return f"{name} (process {pid})" if name else f"process {pid}"


def socket_holder(inode: str) -> int | None:
    """Return a process that holds the socket, None when it is another user's."""
    target = f"socket:[{inode}]"
    return next((pid for pid in _pids() if target in _open_files(pid)), None)


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal())


def _look(pid: int) -> RunningMachine | None:
    folder = _PROC / str(pid)
    try:
        if folder.stat().st_uid != os.geteuid():
            return None
        marks = parse_command_line((folder / "cmdline").read_bytes())
    except (*_VANISHED, PermissionError):
        return None
    stat = read_stat(pid) if marks else None
    if marks is None or stat is None or stat.is_gone:
        return None
    return RunningMachine(ProcessIdentity(pid, stat.start_time), marks)


def _open_files(pid: int) -> set[str]:
    """Return what a process's descriptors lead to; what vanishes or is not ours to see is left out."""
    found: set[str] = set()
    with suppress(*_VANISHED, PermissionError):
        for descriptor in (_PROC / str(pid) / "fd").iterdir():
            with suppress(FileNotFoundError):
                found.add(str(descriptor.readlink()))
    return found


def _hint(pidfile: Path) -> int | None:
    try:
        text = pidfile.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
    return int(text) if text.isdecimal() else None

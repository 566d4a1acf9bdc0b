"""Whether a sequence number has nothing left to do, found out with next to no imports.

The agent repeats `enable` with the same number after every restart and every boot. `main` asks here first, so that
such a command ends in little more than the interpreter's own start: keep this module free of imports beyond what is
built into the interpreter; `os` alone would cost more than all else here. The worker leaves a marker in the handler's
folder: a line with the version and the number, then a line for each thing that must still be so. Anything that is not
means that there may be work:

    <stamp> <path>          the file is as it was
    until <seconds>         that moment since the epoch has not come
    process <path> <name>   the process whose number is in that file runs, started under that name
"""
# ruff: noqa: PTH123 - pathlib costs many times more still

from __future__ import annotations

import posix

TYPE_CHECKING = False  # the name type checkers know; importing it from typing would double the start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockyard_guest.ports import Files

MARKER_NAME = "settled"
_UNTIL = "until"
_PROCESS = "process"
_ABSENT = "absent"


def stamp(path: str) -> str:
    """A text that changes whenever the file is replaced, written, removed or given another owner or mode."""
    try:
        found = posix.stat(path, follow_symlinks=False)
    except OSError:
        return _ABSENT
    return f"{found.st_ino}:{found.st_size}:{found.st_mtime_ns}:{found.st_mode:o}:{found.st_uid}"


def is_settled(*, folder: str, version: str, sequence_number: str, now: float) -> bool:
    """Whether the marker in the handler's folder holds for this version and number, and all it says is still so."""
    lines = _text(f"{folder}/{MARKER_NAME}").splitlines()
    if not lines or lines[0] != f"{version} {sequence_number}":
        return False
    return all(_still(line, now=now) for line in lines[1:])


def running(pid_file: str) -> str:
    """What the process whose number is in a file was started as; empty when there is no such file or process."""
    pid = _text(pid_file).strip()
    return _text(f"/proc/{pid}/cmdline").partition("\0")[0] if pid.isdigit() else ""


def _still(line: str, *, now: float) -> bool:
    seal, _, rest = line.partition(" ")
    if seal == _UNTIL:
        return rest.isdigit() and now < int(rest)
    if seal == _PROCESS:
        path, _, name = rest.partition(" ")
        return running(path) == name
    return stamp(rest) == seal


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError):
        return ""


class SettledMarker:
    """Leaves the marker that `is_settled` looks for, and takes it away."""

    def __init__(self, *, files: Files) -> None:
        self._files = files

    def record(
        self,
        *,
        folder: str,
        version: str,
        sequence_number: int,
        watched: Sequence[str],
        pid_files: Sequence[str] = (),
        until: float | None = None,
    ) -> None:
        """Declare a sequence number settled; see `ports.Settled`."""
        lines = [f"{version} {sequence_number}", *(f"{self._files.stamp(path)} {path}" for path in watched)]
        lines += [f"{_PROCESS} {path} {name}" for path in pid_files for name in [running(path)] if name]
        lines += [] if until is None else [f"{_UNTIL} {int(until)}"]
        self._files.write(f"{folder}/{MARKER_NAME}", ("\n".join(lines) + "\n").encode(), mode=0o600)

    def forget(self, *, folder: str) -> None:
        """Declare nothing settled."""
        self._files.remove(f"{folder}/{MARKER_NAME}")

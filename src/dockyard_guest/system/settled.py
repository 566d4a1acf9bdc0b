"""Whether a sequence number has nothing left to do, found out with next to no imports.

The agent repeats `enable` with the same number after every restart and every boot. `main` asks here first, so that
such a command ends in little more than the interpreter's own start: keep this module free of imports beyond `os`. The
worker leaves a marker in the handler's folder that names the version, the number and a stamp of every file that must
stay as it is; anything that differs means that there may be work.
"""
# Why not pathlib: pathlib costs more time than everything else here.
# ruff: noqa: PTH116, PTH123

from __future__ import annotations

import os

TYPE_CHECKING = False  # the name type checkers know; importing it from typing would double the start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockyard_guest.ports import Files

MARKER_NAME = "settled"
_ABSENT = "absent"


def stamp(path: str) -> str:
    """A text that changes whenever the file is replaced, written, removed or given another owner or mode."""
    try:
        found = os.stat(path, follow_symlinks=False)
    except OSError:
        return _ABSENT
    return f"{found.st_ino}:{found.st_size}:{found.st_mtime_ns}:{found.st_mode:o}:{found.st_uid}"


def is_settled(*, folder: str, version: str, sequence_number: str) -> bool:
    """Whether the marker in the handler's folder holds for this version and number, and every stamp still fits."""
    try:
        with open(f"{folder}/{MARKER_NAME}", encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, ValueError):
        return False
    if not lines or lines[0] != f"{version} {sequence_number}":
        return False
    return all(_still(line) for line in lines[1:])


def _still(line: str) -> bool:
    seal, _, path = line.partition(" ")
    return stamp(path) == seal


class SettledMarker:
    """Leaves the marker that `is_settled` looks for, and takes it away."""

    def __init__(self, *, files: Files) -> None:
        self._files = files

    def record(self, *, folder: str, version: str, sequence_number: int, watched: Sequence[str]) -> None:
        """Declare a sequence number settled; see `ports.Settled`."""
        lines = [f"{version} {sequence_number}", *(f"{self._files.stamp(path)} {path}" for path in watched)]
        self._files.write(f"{folder}/{MARKER_NAME}", ("\n".join(lines) + "\n").encode(), mode=0o600)

    def forget(self, *, folder: str) -> None:
        """Declare nothing settled."""
        self._files.remove(f"{folder}/{MARKER_NAME}")

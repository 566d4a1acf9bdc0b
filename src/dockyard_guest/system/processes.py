"""Processes of this machine as the kernel tells of them: who is whose parent, and since when each runs."""

from __future__ import annotations

import os

_STATE, _PARENT, _BEGIN = 0, 1, 19  # places after the command's name, which may itself hold blanks and brackets
_ENDED = ("Z", "X")


def started_at(pid: int) -> str:
    """When a process was started, in the kernel's ticks; empty when there is none, or one that has ended.

    Number and time together are never given twice.
    """
    fields = _fields(pid)
    return "" if not fields or fields[_STATE] in _ENDED else fields[_BEGIN]


def descendants(roots: set[int]) -> set[int]:
    """The processes that run and whose parents, or parents' parents, are among these; without these themselves."""
    parents = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - pathlib is slow to import
        fields = _fields(int(name)) if name.isdigit() else []
        if fields and fields[_STATE] not in _ENDED:
            parents[int(name)] = int(fields[_PARENT])
    found: set[int] = set()
    while True:
        more = {pid for pid, parent in parents.items() if parent in found | roots} - found - roots
        if not more:
            return found
        found |= more


def _fields(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - as above
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []

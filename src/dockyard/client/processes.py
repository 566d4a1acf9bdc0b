"""The client's one door to other programs: find them, run them, start one apart, become one.

Used by the rooms of the client and by the CLI. Arguments are lists, never shell text, and never carry a secret.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from dockyard.model.errors import DeadlineExceeded, Exhausted
from dockyard.model.virtual_machine import ProcessIdentity

_APART: list[subprocess.Popen[bytes]] = []  # kept: Popen complains when it is finalised before its process has ended


@dataclass(frozen=True)
class Completed:
    """How a program ended: its exit code and what it wrote, as text."""

    code: int
    output: str
    error: str


def find(program: str) -> Path | None:
    """Return where ``program`` is on PATH, or None."""
    found = shutil.which(program)
    return Path(found) if found else None


def run(
    argv: Sequence[str], *, environment: Mapping[str, str] | None = None, text: str | None = None, deadline: float
) -> Completed:
    """Run a program to its end, with ``text`` on its standard input, or with nothing there.

    Raises:
        Exhausted: the program is not on PATH.
        DeadlineExceeded: it ran longer than ``deadline`` seconds and was ended.
    """
    try:
        done = subprocess.run(
            list(argv),
            stdin=subprocess.DEVNULL if text is None else None,
            input=text,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=deadline,
            env=dict(environment) if environment is not None else None,
            check=False,
        )
    except FileNotFoundError as error:
        raise missing(argv[0]) from error
    except subprocess.TimeoutExpired as error:
        raise DeadlineExceeded(f"'{argv[0]}' did not end within {deadline:.0f} s") from error
    return Completed(done.returncode, done.stdout, done.stderr)


def start_apart(argv: Sequence[str], *, log: Path) -> subprocess.Popen[bytes]:
    """Start a program in its own session, its output appended to ``log``; it outlives this process."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        started = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd="/",
            start_new_session=True,
        )
    finally:
        os.close(descriptor)
    _APART.append(started)
    return started


def become(argv: Sequence[str], *, environment: Mapping[str, str] | None = None) -> NoReturn:
    """Replace this process by the program; ``environment`` is added to its own. Raises Exhausted: it is not on PATH."""
    try:
        os.execvpe(argv[0], list(argv), {**os.environ, **(environment or {})})  # noqa: S606 - no shell is wanted
    except FileNotFoundError as error:
        raise missing(argv[0]) from error


def missing(program: str) -> Exhausted:
    """Return the error that says a program is not installed."""
    return Exhausted(
        f"The program '{program}' was not found",
        resolution=f"Install it with your package manager and make sure that it is on PATH. "
        f"'dockyard doctor' lists everything that is needed ({program} among it).",
        code="ProgramMissing",
    )


def is_alive(identity: ProcessIdentity) -> bool:
    """Whether that very process, not a later one with its number, still runs."""
    return start_time(identity.pid) == identity.start_time


def start_time(pid: int) -> int | None:
    """Return a process's start time in clock ticks since boot; None when it is gone or only waits to be reaped."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else int(fields[19])


def ask_to_end(identity: ProcessIdentity) -> bool:
    """Send SIGTERM to that very process; False when it is gone. The pidfd rules out a reused number."""
    try:
        descriptor = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return False
    try:
        if not is_alive(identity):
            return False
        signal.pidfd_send_signal(descriptor, signal.SIGTERM)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True

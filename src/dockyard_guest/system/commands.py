"""The one door for processes.

Every program a guest runs is started here: from an argument list, never through a shell, with an environment made
from scratch, in its own session so that it can be killed with its children. Each is logged with its arguments, which
therefore must hold no secret; input and output are not logged.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import time
from selectors import EVENT_READ, DefaultSelector
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError, TemporaryError
from dockyard_guest.values import Completed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ENVIRONMENT = {"PATH": SEARCH_PATH, "HOME": "/root", "LC_ALL": "C.UTF-8"}
_KEPT_OUTPUT = 256 * 1024
_POLL_SECONDS = 0.5


class SystemCommands:
    """Runs programs on this machine."""

    def __init__(self, *, log: Callable[[str], None]) -> None:
        self._log = log

    def find(self, program: str) -> str | None:
        """Path of a program on the search path, or ``None``."""
        places = (f"{folder}/{program}" for folder in SEARCH_PATH.split(":"))
        return next((place for place in places if os.access(place, os.X_OK)), None)

    def run(self, argv: Sequence[str], *, timeout: float, stdin: bytes = b"") -> Completed:
        """Run a program to its end; see `ports.Commands`."""
        begun = time.monotonic()
        with _started(argv, stderr=subprocess.PIPE, stdin=subprocess.PIPE, environment=_ENVIRONMENT) as process:
            try:
                stdout, stderr = process.communicate(stdin, timeout=timeout)
            except subprocess.TimeoutExpired:
                raise self._timed_out(process, argv=argv, timeout=timeout) from None
        return self._completed(process, argv=argv, begun=begun, stdout=stdout, stderr=stderr)

    def stream(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        on_line: Callable[[str], None],
        environment: Mapping[str, str] | None = None,
    ) -> Completed:
        """Run a program and hand on each line of its merged output; see `ports.Commands`."""
        begun = time.monotonic()
        kept = bytearray()
        merged = {**_ENVIRONMENT, **(environment or {})}
        with _started(argv, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, environment=merged) as process:
            for line in _lines(process, deadline=begun + timeout):
                kept += line
                del kept[:-_KEPT_OUTPUT]
                on_line(line.decode(errors="replace").rstrip())
            if process.poll() is None:
                raise self._timed_out(process, argv=argv, timeout=timeout)
        return self._completed(process, argv=argv, begun=begun, stdout=bytes(kept), stderr=b"")

    def _completed(
        self, process: subprocess.Popen[bytes], *, argv: Sequence[str], begun: float, stdout: bytes, stderr: bytes
    ) -> Completed:
        seconds = time.monotonic() - begun
        self._log(f"{shlex.join(argv)}: exit code {process.returncode}, {seconds:.1f} s")
        return Completed(argv=tuple(argv), exit_code=process.returncode, stdout=stdout, stderr=stderr)

    def _timed_out(self, process: subprocess.Popen[bytes], *, argv: Sequence[str], timeout: float) -> TemporaryError:
        _kill_group(process)
        self._log(f"{shlex.join(argv)}: killed after {timeout:.0f} s")
        return TemporaryError(f"The program {argv[0]} did not end within {timeout:.0f} seconds.")


def _started(
    argv: Sequence[str], *, stderr: int, stdin: int, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(argv),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=dict(environment),
            cwd="/",
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise PermanentError(
            f"The program {argv[0]} is not installed.", exit_code=ExitCode.MISSING_DEPENDENCY
        ) from error
    except OSError as error:
        raise TemporaryError(f"The program {argv[0]} could not be started: {error.strerror}.") from error


def _lines(process: subprocess.Popen[bytes], *, deadline: float) -> Iterator[bytes]:
    """The lines of the output, until the process has ended or the deadline has passed.

    The end of the process counts, not the end of the output: a daemon it started may keep the pipe open.
    """
    pipe = process.stdout
    if pipe is None:
        return
    rest = b""
    with DefaultSelector() as selector:
        selector.register(pipe, EVENT_READ)
        while time.monotonic() < deadline:
            ready = selector.select(timeout=_POLL_SECONDS)
            chunk = os.read(pipe.fileno(), 65536) if ready else b""
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
            if not chunk and (ready or process.poll() is not None):
                break
    if rest:
        yield rest
    _wait_until(process, deadline=deadline)


def _wait_until(process: subprocess.Popen[bytes], *, deadline: float) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=max(0.0, deadline - time.monotonic()))


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

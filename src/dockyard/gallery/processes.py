"""The one door of this room to processes: run a build, run a short program, end whatever is left of a build.

Called by ``build`` and ``workspaces``. Every process of a build carries a mark in its environment and is found by it,
also when whoever started it was killed.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from dockyard.model.errors import DeadlineExceeded, Exhausted

MARK = "DOCKYARD_IMAGE_BUILD"
"""Environment variable that names the build a process belongs to."""

KILL_SECONDS = 20.0
"""How long the kernel may take to end killed processes; longer only when a disk hangs."""

_PASSED = ("PATH", "HOME", "http_proxy", "https_proxy", "no_proxy")
_ADMIN_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"  # not on every user's PATH
_VANISHED = (FileNotFoundError, ProcessLookupError, PermissionError)
_LONGEST_LINE = 2**20


def require(program: str, *, package: str) -> None:
    """Raise Exhausted (code ProgramMissing) unless a program is installed; ``package`` is Debian's that has it."""
    if shutil.which(program, path=_path()) is None:
        raise Exhausted(
            f"The program '{program}' is not installed",
            details="VM images are built with it.",
            resolution=f"Install it, on Debian and Ubuntu with: sudo apt-get install {package}",
            code="ProgramMissing",
        )


async def follow(
    argv: Sequence[str],
    *,
    mark: str,
    environment: Mapping[str, str],
    descriptors: Sequence[int],
    log: Path,
    on_line: Callable[[str], None],
) -> int:
    """Run a program in its own session to its end; write its output to ``log`` and hand each line on as it comes.

    ``descriptors`` stay open in the program under their own numbers. Neither the program nor anything it started is
    left when this returns, is cancelled or fails. Returns the exit code.
    """
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**_environment(), **environment, MARK: mark},
        cwd="/",
        pass_fds=descriptors,
        start_new_session=True,
        umask=0o022,  # of all that is made in the tree
        limit=_LONGEST_LINE,
    )
    try:
        with log.open("wb") as file:
            while line := await _line(process):
                file.write(line)
                file.flush()
                on_line(line.decode(errors="replace").rstrip())
    finally:
        await end(mark)
        await process.wait()
    return process.returncode or 0


async def output(argv: Sequence[str]) -> str:
    """Return what a short program writes; empty when it fails or is not there."""
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_environment(),
        )
    except FileNotFoundError:
        return ""
    text, _ = await process.communicate()
    return "" if process.returncode else text.decode(errors="replace")


async def remove(folder: Path, *, as_root: bool) -> None:
    """Remove a build's tree, whose files belong to the users of a namespace when not built as root."""
    helper = [] if as_root else ["mmdebstrap", "--unshare-helper"]
    for entry in _entries(folder):
        await output([*helper, "rm", "-rf", "--one-file-system", "--", str(entry)])
    shutil.rmtree(folder, ignore_errors=True)


async def end(mark: str) -> None:
    """Kill every process that carries ``mark``, with its session when it leads one, and return when all are gone.

    The session matters because the environment of processes in another user namespace cannot be read.

    Raises:
        DeadlineExceeded: some hang in the kernel.
    """
    sessions: set[int] = set()
    try:
        async with asyncio.timeout(KILL_SECONDS):
            while pids := _to_end(mark, sessions=sessions):
                for pid in pids:
                    with suppress(*_VANISHED):
                        os.kill(pid, signal.SIGKILL)
                await asyncio.sleep(0.05)
    except TimeoutError as error:
        raise DeadlineExceeded(
            f"Processes of an image build did not go within {KILL_SECONDS:.0f} s of being killed",
            resolution="They wait for the kernel, most likely for a disk; look at the kernel's log, then try again.",
            temporary=True,
        ) from error


def _to_end(mark: str, *, sessions: set[int]) -> set[int]:
    """Return who still runs; adds the sessions that marked processes lead."""
    running = dict(_running())
    marked = {pid for pid in running if _carries(pid, mark)}
    sessions |= {pid for pid in marked if running[pid] == pid}
    return marked | {pid for pid, session in running.items() if session in sessions}


def _running() -> Iterator[tuple[int, int]]:
    """Yield number and session of every process that has not ended."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(*_VANISHED):
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
                if fields[0] not in ("Z", "X"):
                    yield int(entry.name), int(fields[3])


def _carries(pid: int, mark: str) -> bool:
    with suppress(*_VANISHED):
        return f"{MARK}={mark}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return False


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


async def _line(process: asyncio.subprocess.Process) -> bytes:
    return await process.stdout.readline() if process.stdout else b""


def _path() -> str:
    return f"{os.environ.get('PATH', os.defpath)}:{_ADMIN_FOLDERS}"


def _environment() -> dict[str, str]:
    """Return what a build needs of this process's environment."""
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    return passed | {"PATH": _path(), "LC_ALL": "C.UTF-8"}

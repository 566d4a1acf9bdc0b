"""The one door of this room to processes: find, start, watch and end them.

Called by ``driver``, ``disks`` and ``acceleration``. A process is always meant by number and start time together, and
signals go through a pidfd, so a reused number is never hit.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dockyard.hypervisors.qemu import procfs
from dockyard.model.errors import DeadlineExceeded, Exhausted
from dockyard.model.virtual_machine import ProcessIdentity

SYSTEM_PROGRAM = "qemu-system-x86_64"
IMAGE_PROGRAM = "qemu-img"
_PACKAGES = {SYSTEM_PROGRAM: "qemu-system-x86", IMAGE_PROGRAM: "qemu-utils"}

TERMINATION_SECONDS = 5.0
"""How long QEMU may take to end on SIGTERM; it only has to write its caches."""

_NAMELESS_SECONDS = 0.0005

KILL_SECONDS = 20.0
"""How long the kernel may take to end a killed process; longer only when its disk hangs."""


@dataclass(frozen=True)
class Completed:
    """How a program ended: exit code, and everything it wrote to both its outputs."""

    code: int
    output: str


def program(name: str) -> Path:
    """Return where a program of QEMU's is.

    Raises:
        Exhausted: it is not installed (code ProgramMissing); names the Debian package.
    """
    path = shutil.which(name)
    if path is None:
        raise Exhausted(
            f"The program '{name}' is not installed",
            resolution=f"Install it, on Debian and Ubuntu with: sudo apt-get install {_PACKAGES[name]}",
            code="ProgramMissing",
        )
    return Path(path)


def start(argv: Sequence[str], *, log: Path) -> ProcessIdentity:
    """Start a program in its own session, its output appended to ``log``; it outlives this process.

    When this returns, ``find`` finds it.

    Raises:
        OSError: the program cannot be executed or the log not be written.
    """
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    # Python ignores SIGPIPE; a child would inherit that.
    pid = os.posix_spawn(
        argv[0], list(argv), _environment(), file_actions=actions, setsid=True, setsigdef=[signal.SIGPIPE]
    )
    _children.add(pid)
    while procfs.is_nameless(pid):  # a parent may go on a moment before the child's command line can be read
        time.sleep(_NAMELESS_SECONDS)
    stat = procfs.read_stat(pid)
    return ProcessIdentity(pid=pid, start_time=stat.start_time if stat else 0)


async def run(argv: Sequence[str], *, deadline: float) -> Completed:
    """Run a program to its end with no input; no shell is involved.

    Raises:
        DeadlineExceeded: it ran longer than ``deadline`` seconds and was ended.
    """
    process = await _piped(argv)
    ending = asyncio.ensure_future(process.communicate())
    try:
        done, _ = await asyncio.wait({ending}, timeout=deadline)
    finally:
        output = await _end_piped(process, ending)
    if not done:
        raise DeadlineExceeded(f"'{argv[0]}' did not end within {deadline:.0f} s")
    return Completed(process.returncode or 0, output.decode(errors="replace"))


async def output_until(argv: Sequence[str], *, enough: Callable[[str], bool], deadline: float) -> str:
    """Run a program until its output is ``enough``, it ends, or ``deadline`` seconds are over; then kill it.

    Returns everything it wrote so far.
    """
    process = await _piped(argv)
    text = ""
    try:
        async with asyncio.timeout(deadline):
            while not enough(text) and (chunk := await _read(process)):
                text += chunk
    except TimeoutError:
        return text
    finally:
        await _end_piped(process, process.communicate())
    return text


def find(*, vm_id: str, pidfile: Path) -> ProcessIdentity | None:
    """Return the QEMU that runs a machine, whoever started it; None when none does."""
    _reap()
    return procfs.find(vm_id=vm_id, pidfile=pidfile)


async def find_settled(*, vm_id: str, pidfile: Path) -> ProcessIdentity | None:
    """Do as ``find``, and when none runs wait until a killed one has let go of its ports and files."""
    found = find(vm_id=vm_id, pidfile=pidfile)
    dying = None if found else procfs.find_dying(pidfile=pidfile)
    if dying:
        await wait_gone(dying, deadline=KILL_SECONDS)
    return found


async def wait_gone(identity: ProcessIdentity, *, deadline: float) -> bool:
    """Wait until the process is gone; False when it still runs after ``deadline`` seconds."""
    with _handle(identity) as descriptor:
        gone = descriptor is None or await _readable(descriptor, deadline=deadline)
    _reap()
    return gone


async def end(identity: ProcessIdentity) -> None:
    """Ask the process to end, kill it when it does not, and return when it is gone.

    Raises:
        DeadlineExceeded: even killed it did not go; it hangs in the kernel.
    """
    _signal(identity, signal.SIGTERM)
    if await wait_gone(identity, deadline=TERMINATION_SECONDS):
        return
    _signal(identity, signal.SIGKILL)
    if not await wait_gone(identity, deadline=KILL_SECONDS):
        raise DeadlineExceeded(
            f"Process {identity.pid} did not go within {KILL_SECONDS:.0f} s of being killed",
            resolution="It waits for the kernel, most likely for a disk; look at the kernel's log, then try again.",
            temporary=True,
        )


_children: set[int] = set()
"""Processes this one started: each stays a zombie until it is waited for."""


def _reap() -> None:
    for pid in tuple(_children):
        try:
            done, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            done = pid
        if done:
            _children.discard(pid)


@contextmanager
def _handle(identity: ProcessIdentity) -> Iterator[int | None]:
    """Open a pidfd of that very process; None when it is gone."""
    try:
        descriptor = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        yield None
        return
    try:
        # Looked at after the descriptor is open: from here on the number cannot change hands unnoticed.
        yield descriptor if procfs.is_alive(identity) else None
    finally:
        os.close(descriptor)


def _signal(identity: ProcessIdentity, number: signal.Signals) -> None:
    with _handle(identity) as descriptor:
        if descriptor is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, number)


async def _readable(descriptor: int, *, deadline: float) -> bool:
    """Wait until a descriptor is readable: a pidfd is when its process has ended."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        async with asyncio.timeout(deadline):
            await ready.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(descriptor)
    return True


def _environment() -> dict[str, str]:
    """Return what QEMU's programs need of this process's environment, and nothing that might be a secret."""
    passed = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in passed if name in os.environ} | {"LC_ALL": "C"}


async def _piped(argv: Sequence[str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=_environment(),
    )


async def _read(process: asyncio.subprocess.Process) -> str:
    if process.stdout is None:
        return ""
    return (await process.stdout.read(4096)).decode(errors="replace")


async def _end_piped(process: asyncio.subprocess.Process, ending: Awaitable[tuple[bytes, bytes]]) -> bytes:
    """Kill a program that still runs, wait for its end, and return the output that ``ending`` had left to read."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
    output, _ = await ending
    return output

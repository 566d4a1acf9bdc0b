"""Programs run as somebody asked for them, in a way that all they start can be found and ended.

Where systemd runs, a program is made a scope of its own, which is a control group: processes that leave their session
or their parent stay in it. The environment is inherited, as an argument would be seen by everybody on the machine.
Elsewhere this process adopts the orphans of what it starts, so that all are its descendants. What a program leaves
running when it ends by itself is left alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

from dockyard_guest.errors import GuestError, PermanentError

from .processes import descendants, started_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dockyard_guest.ports import Commands, Files, Services
    from dockyard_guest.values import ScriptOrder

_KILL_TIMEOUT = 30.0
_PATIENCE = 5.0
_POLL = 0.05
_PR_SET_CHILD_SUBREAPER = 36
_UNIT = "unit"
_PROCESS = "process"


class SystemScripts:
    """Scripts of this machine."""

    def __init__(self, *, commands: Commands, services: Services, files: Files, log: Callable[[str], None]) -> None:
        self._commands = commands
        self._services = services
        self._files = files
        self._log = log

    def start(self, order: ScriptOrder) -> SystemScript:
        """Start a program; see `ports.Scripts`."""
        in_scope = self._services.is_available()
        if not in_scope:
            _adopt_orphans()
        if in_scope:  # recorded before it starts: a script that nobody knows of could not be ended
            self._files.write(order.record, f"{_UNIT} {order.unit}.scope".encode(), mode=0o600)
        process = _started(argv_of(order, in_scope=in_scope), order)
        script = SystemScript(process, record=order.record, scripts=self)
        if not in_scope:
            self._record_process(script, process.pid, record=order.record)
        self._log(f"the script runs as process {process.pid}, unit {order.unit}")
        return script

    def end(self, record: str) -> None:
        """Kill the script that a record tells of; see `ports.Scripts`."""
        kind, _, rest = (self._files.read(record) or b"").decode(errors="replace").partition(" ")
        if kind == _UNIT:
            self._kill_unit(rest)
        elif kind == _PROCESS:
            pid, _, moment = rest.partition(" ")
            if pid.isdigit() and started_at(int(pid)) == moment:
                _kill_all([int(pid)])
        self._files.remove(record)

    def _record_process(self, script: SystemScript, pid: int, *, record: str) -> None:
        try:
            self._files.write(record, f"{_PROCESS} {pid} {started_at(pid)}".encode(), mode=0o600)
        except GuestError:
            script.kill()
            raise

    def _kill_unit(self, unit: str) -> None:
        # The whole control group at once; stop then waits until it is empty.
        self._commands.run(["systemctl", "kill", "--signal=KILL", "--", unit], timeout=_KILL_TIMEOUT)
        self._commands.run(["systemctl", "stop", "--", unit], timeout=_KILL_TIMEOUT)


class SystemScript:
    """A program that was started; see `ports.Script`."""

    def __init__(self, process: subprocess.Popen[bytes], *, record: str, scripts: SystemScripts) -> None:
        self._process = process
        self._record = record
        self._scripts = scripts

    def exit_code(self) -> int | None:
        """How the program ended; see `ports.Script`."""
        code = self._process.poll()
        if code is None:
            return None
        _remove(self._record)
        return code if code >= 0 else 128 - code

    def kill(self) -> None:
        """End the program and everything it has started."""
        self._scripts.end(self._record)
        _kill_all([self._process.pid])
        self._process.wait()


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)  # noqa: PTH108 - pathlib is slow to import


def argv_of(order: ScriptOrder, *, in_scope: bool) -> list[str]:
    """The words that start a program: in a scope if there are scopes, as its user, with that user's groups alone."""
    scope = ["systemd-run", "--scope", "--quiet", "--collect", f"--unit={order.unit}", "--"] if in_scope else []
    account = order.account
    change = [] if account is None else ["setpriv", f"--reuid={account.uid}", f"--regid={account.gid}"]
    return [*scope, *change, *(["--init-groups", "--"] if account else []), *order.argv]


def _started(argv: list[str], order: ScriptOrder) -> subprocess.Popen[bytes]:
    try:
        with _output(order.stdout) as stdout, _output(order.stderr) as stderr:
            return subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=dict(order.environment),
                cwd=order.folder,
                start_new_session=True,
                umask=0o022,
            )
    except OSError as error:
        raise PermanentError(f"The script could not be started: {error.strerror}.") from error


@contextlib.contextmanager
def _output(path: str) -> Iterator[int]:
    # Appended to, so that a program that opens its own output anew, as /dev/stdout, overwrites nothing.
    _remove(path)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    number = os.open(path, flags, 0o600)
    try:
        yield number
    finally:
        os.close(number)


def _adopt_orphans() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _kill_all(roots: Iterable[int]) -> None:
    """Kill processes with all that descend from them or from this one, until there are none."""
    wanted = set(roots)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        found = descendants({*wanted, os.getpid()}) | {pid for pid in wanted if started_at(pid)}
        found.discard(os.getpid())
        if not found:
            return
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_POLL)

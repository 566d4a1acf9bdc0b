"""Makes sure that ``dockyard serve`` runs: adopts the running one, else starts one apart from this process.

Called by the front doors before they connect. Two that start at once end with one server, for the start is made under
a lock; what answers is believed only when its certificate is signed by this user's own authority.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dockyard.client import credentials as credentials_file
from dockyard.client import https, locking, processes, waiting
from dockyard.client.credentials import Credentials
from dockyard.config import Paths
from dockyard.model.errors import DeadlineExceeded, OperationFailed
from dockyard.model.virtual_machine import ProcessIdentity

_LOG_LINES = 15
_PROBE_SECONDS = 5.0


@dataclass(frozen=True)
class RunningServer:
    """The server that wrote the record and is still there."""

    identity: ProcessIdentity
    endpoint: str


def answering(paths: Paths) -> Credentials | None:
    """Return the credentials of the server when it answers now, else None."""
    known = credentials_file.read(paths.credentials)
    return known if known is not None and _answers(known) else None


def running(paths: Paths) -> RunningServer | None:
    """Return the process the record names when it still runs, whether or not it answers."""
    try:
        record = json.loads(paths.server_record.read_text(encoding="utf-8"))
        identity = ProcessIdentity(int(record["pid"]), int(record["start_time"]))
        endpoint = str(record["endpoint"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return RunningServer(identity, endpoint) if processes.is_alive(identity) else None


def ensure(
    paths: Paths, *, command: Sequence[str], notify: Callable[[str], None], deadline: float = 60.0
) -> Credentials:
    """Return the credentials of an answering server, starting one by ``command`` when there is none.

    ``notify`` is told, once, when this takes more than a second.

    Raises:
        OperationFailed: the server ended instead of answering; its last log lines are in the details.
        DeadlineExceeded: it runs, or another process starts it, and it does not answer in time.
    """
    known = answering(paths)
    if known is not None:
        return known
    paths.make()
    with locking.locked(
        paths.state / "serve-start.lock", what="another start of the Dockyard server", deadline=deadline
    ):
        return answering(paths) or _started(paths, command=command, notify=notify, deadline=deadline)


def stop(paths: Paths, *, deadline: float = 30.0) -> RunningServer | None:
    """End the running server and wait until it is gone; return what it was, or None when none ran.

    Virtual machines are processes of their own and go on.

    Raises:
        DeadlineExceeded: it did not end in time.
    """
    server = running(paths)
    if server is None or not processes.ask_to_end(server.identity):
        return None
    waiting.until(
        lambda: None if processes.is_alive(server.identity) else True,
        what=f"the server (process {server.identity.pid}) to end",
        deadline=deadline,
        every=0.05,
    )
    return server


def _answers(known: Credentials) -> bool:
    try:
        tls = https.context(authority=known.ca)
        url = f"{known.endpoint}/metadata/endpoints?api-version=2022-09-01"
        return https.request(url, tls=tls, timeout=_PROBE_SECONDS).status == 200
    except (OSError, OperationFailed):
        return False


def _started(paths: Paths, *, command: Sequence[str], notify: Callable[[str], None], deadline: float) -> Credentials:
    already = running(paths)
    log_start = _size(paths.server_log)
    child = None if already else processes.start_apart(command, log=paths.server_log)
    begun = waiting.seconds()
    told = False

    def look() -> Credentials | None:
        nonlocal told
        if child is not None and child.poll() is not None:
            raise _ended(child, paths.server_log, log_start)
        if not told and waiting.seconds() - begun > 1:
            told = True
            notify("Waiting for the Dockyard server to start")
        return answering(paths)

    try:
        return waiting.until(look, what="the Dockyard server to answer", deadline=deadline, every=0.1)
    except DeadlineExceeded as error:
        _give_up(child)
        raise _silent(error, paths.server_log, already) from error


def _give_up(child: subprocess.Popen[bytes] | None) -> None:
    """End what this process started and what never answered, so that the next attempt starts clean."""
    if child is not None:
        child.terminate()


def _ended(child: subprocess.Popen[bytes], log: Path, log_start: int) -> OperationFailed:
    return OperationFailed(
        f"The Dockyard server ended with code {child.returncode} instead of answering",
        details=last_lines(log, since=log_start) or "It wrote nothing.",
        resolution=f"The whole log is {log}. 'dockyard serve' runs the server in the foreground.",
        code="ServerStartFailed",
    )


def _silent(error: DeadlineExceeded, log: Path, already: RunningServer | None) -> DeadlineExceeded:
    resolution = f"The whole log is {log}."
    if already is not None:
        resolution += f" Process {already.identity.pid} runs yet does not answer: 'dockyard serve --stop' ends it."
    return DeadlineExceeded(error.brief, details=last_lines(log), resolution=resolution, code="ServerStartTimeout")


def last_lines(log: Path, *, since: int = 0, count: int = _LOG_LINES) -> str:
    """Return the last lines a server wrote to its log, from byte ``since`` on; empty when there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(since, _size(log) - 64_000))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-count:])


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0

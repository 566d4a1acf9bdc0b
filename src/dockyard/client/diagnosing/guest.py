"""Asks a machine for its own files: by SSH with the user's key, else by a run command of the agent's.

Of a run command's output the last 4 KiB are seen, so that way brings the ends of the files. Called by ``gathering``.
"""

from __future__ import annotations

import base64
import contextlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.client import run_commands, ssh
from dockyard.client.diagnosing import collecting
from dockyard.client.run_commands import Follower, RunRequest
from dockyard.client.views import MachineView
from dockyard.config import Paths
from dockyard.model.errors import DockyardError, OperationFailed
from dockyard.model.provisioning import PowerState

if TYPE_CHECKING:
    from dockyard.client.connection import Connection

_BUDGET = 4000
_SSH_SECONDS, _RUN_SECONDS = 60.0, 120


@dataclass(frozen=True, kw_only=True)
class GuestFiles:
    """What a machine gave: files by name, and by which way; without any, why there are none."""

    files: Mapping[str, str] = field(default_factory=dict)
    way: str = ""
    reasons: tuple[str, ...] = ()


def fetch(connection: Connection, paths: Paths, machine: MachineView, *, home: Path) -> GuestFiles:
    """Fetch what can be fetched; what cannot is said, and never an error."""
    if machine.power is not PowerState.RUNNING:
        return GuestFiles(reasons=("The machine does not run.",))
    reasons: list[str] = []
    try:
        return GuestFiles(files=_by_ssh(paths, machine, home=home), way="the machine, over SSH")
    except DockyardError as error:
        reasons.append(f"SSH: {_brief(error)}")
    if machine.agent != "Ready":
        return GuestFiles(reasons=(*reasons, f"Run command: the agent is {machine.agent or 'silent'}."))
    try:
        found = _by_run_command(connection, machine)
    except DockyardError as error:
        return GuestFiles(reasons=(*reasons, f"Run command: {_brief(error)}"))
    return GuestFiles(files=found, way="the machine, by a run command: the ends of files only", reasons=tuple(reasons))


def unpacked(line: str) -> Mapping[str, str]:
    """Read what ``collecting`` printed. Raises OperationFailed."""
    try:
        document = json.loads(zlib.decompress(base64.b85decode(line.strip())))
    except (ValueError, zlib.error) as error:
        raise OperationFailed("What the machine sent cannot be read", details=str(error)[:200]) from error
    return {str(name): str(text) for name, text in document.items()}


def _by_ssh(paths: Paths, machine: MachineView, *, home: Path) -> Mapping[str, str]:
    remote = "sudo -n python3 - 0"
    done = ssh.run(paths, machine, home=home, remote=remote, text=_program(), deadline=_SSH_SECONDS)
    if done.code != 0:
        raise OperationFailed(f"It ended with {done.code}", details=done.error.strip()[-500:])
    return unpacked(done.output)


def _by_run_command(connection: Connection, machine: MachineView) -> Mapping[str, str]:
    script = f"python3 - {_BUDGET} <<'COLLECTING'\n{_program()}\nCOLLECTING\n"
    request = RunRequest(machine=machine.id, name=run_commands.fresh_name(), script=script, timeout=_RUN_SECONDS)
    unheard = Follower(lambda _text: None, missed=lambda _count: None)
    try:
        operation = run_commands.put(connection, request)
        seen = run_commands.follow(connection, request, operation, out=unheard, err=unheard, deadline=_RUN_SECONDS + 60)
    finally:
        with contextlib.suppress(DockyardError):
            run_commands.delete(connection, machine.id, name=request.name)
    if seen.state != "Succeeded" or seen.output_offset:
        raise OperationFailed(f"The script has {seen.state.lower()}", details=seen.error[-500:] or seen.message)
    return unpacked(seen.output)


def _program() -> str:
    return Path(collecting.__file__).read_text(encoding="utf-8")


def _brief(error: DockyardError) -> str:
    return f"{error.brief}. {error.details}".strip().replace("\n", " ")[:500]

"""Docker contexts for machines, made and removed by the user's own ``docker`` program.

Used by ``vm create``, ``vm docker renew`` and ``vm delete``. A context this installation did not make is never touched;
without a ``docker`` program nothing is written. ``docker`` reads DOCKER_CONFIG from the environment by itself.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from dockyard.client import docker_endpoint, processes
from dockyard.client.names import MachineName

if TYPE_CHECKING:
    from dockyard.client.certificates import Folder

_DEADLINE = 30.0
_SELECTORS = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")


class Outcome(Enum):
    """What became of a context."""

    CREATED = "created"
    UPDATED = "updated"
    REMOVED = "removed"
    ABSENT = "absent"
    FOREIGN = "foreign"
    NO_DOCKER = "no docker program"
    FAILED = "failed"

    @property
    def is_usable(self) -> bool:
        """Whether the user can now say ``docker --context NAME``."""
        return self in (Outcome.CREATED, Outcome.UPDATED)


@dataclass(frozen=True)
class ContextResult:
    """The context's name, what became of it, and what to tell the user when it is not usable."""

    name: str
    outcome: Outcome
    note: str = ""


@dataclass(frozen=True)
class _Found:
    """A context as ``docker context inspect`` shows it."""

    description: str


def name_of(machine: MachineName) -> str:
    """Return the context's name, ``dockyard-`` and the machine's."""
    return f"dockyard-{machine.slug}"


def put(machine: MachineName, *, port: int, folder: Folder) -> ContextResult:
    """Create the machine's context, or update it when it is ours already. Never raises for what Docker says."""
    name = name_of(machine)
    creation = _command("create", name, machine=machine, port=port, folder=folder)
    if processes.find("docker") is None:
        note = f"The docker program was not found. With it, this makes the context:\n  {shlex.join(creation)}"
        return ContextResult(name, Outcome.NO_DOCKER, note)
    found = _inspect(name)
    if found is None:
        return _run(creation, name=name, outcome=Outcome.CREATED)
    if found.description != _description(machine, folder):
        note = f"A Docker context '{name}' that is not this installation's exists and was left alone."
        return ContextResult(name, Outcome.FOREIGN, note)
    update = _command("update", name, machine=machine, port=port, folder=folder)
    return _run(update, name=name, outcome=Outcome.UPDATED)


def remove(machine: MachineName, *, folder: Folder) -> ContextResult:
    """Remove the machine's context when it is ours."""
    name = name_of(machine)
    if processes.find("docker") is None:
        return ContextResult(name, Outcome.NO_DOCKER)
    found = _inspect(name)
    if found is None:
        return ContextResult(name, Outcome.ABSENT)
    if found.description != _description(machine, folder):
        return ContextResult(name, Outcome.FOREIGN)
    return _run(["docker", "context", "rm", "--force", name], name=name, outcome=Outcome.REMOVED)


def _command(verb: str, name: str, *, machine: MachineName, port: int, folder: Folder) -> list[str]:
    endpoint = _fields(
        f"host={docker_endpoint.url(port)}",
        f"ca={folder.authority}",
        f"cert={folder.certificate}",
        f"key={folder.key}",
    )
    description = _description(machine, folder)
    return ["docker", "context", verb, name, "--description", description, "--docker", endpoint]


def _description(machine: MachineName, folder: Folder) -> str:
    """Return the mark of ownership: machine and certificate folder, so that two installations do not mix."""
    return f"Dockyard virtual machine {machine.name} ({folder.path})"


def _fields(*values: str) -> str:
    """Join key=value pairs as Docker parses them: one line of CSV, quoted where a path holds a comma."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return line.getvalue()


def _inspect(name: str) -> _Found | None:
    done = processes.run(["docker", "context", "inspect", name], environment=_environment(), deadline=_DEADLINE)
    if done.code != 0:
        return None
    try:
        metadata = json.loads(done.output)[0]["Metadata"]
        description = metadata.get("Description", "")
    except (ValueError, LookupError, AttributeError, TypeError):
        description = ""
    return _Found(str(description))


def _run(argv: list[str], *, name: str, outcome: Outcome) -> ContextResult:
    done = processes.run(argv, environment=_environment(), deadline=_DEADLINE)
    if done.code == 0:
        return ContextResult(name, outcome)
    note = f"{shlex.join(argv)}\nended with code {done.code}: {done.error.strip()}"
    return ContextResult(name, Outcome.FAILED, note)


def _environment() -> Mapping[str, str]:
    """Return this process's environment without what selects another engine; DOCKER_CONFIG stays."""
    return {key: value for key, value in os.environ.items() if key not in _SELECTORS}

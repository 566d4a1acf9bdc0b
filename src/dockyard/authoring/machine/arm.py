"""The machine of a life, over ARM and SSH. Made by ``runner``; see ``life.Machine`` for what each method promises."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockyard.authoring.machine import inside
from dockyard.authoring.machine.life import EXTENSION
from dockyard.authoring.settings import Given
from dockyard.client import extensions, ssh, virtual_machines, waiting
from dockyard.client.extensions import ExtensionRequest
from dockyard.client.names import MachineName
from dockyard.config import Paths
from dockyard.model.errors import DeadlineExceeded, OperationFailed

if TYPE_CHECKING:
    from dockyard.client.connection import Connection

_SSH_SECONDS = 120.0
_REMOVE_SECONDS = 600.0
_BOOT_SECONDS = 600.0
_LAST_LINE = "    REQUEST: dict[str, object] = {}  # put here by whoever sends this text\n"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The handler as it was published, in two versions, and its settings."""

    publisher: str
    type: str
    version: str
    raised: str
    given: Given
    record: Path = field(default=Path("/var/lib/dockyard-observe/record.jsonl"))


@dataclass(frozen=True)
class Place:
    """Which machine, and the way to it: ``home`` is the user's folder, with the SSH keys."""

    connection: Connection
    paths: Paths
    home: Path
    name: MachineName


class ArmMachine:
    """One machine and the extension under test in it."""

    def __init__(self, place: Place, wanted: Wanted, *, patience: float) -> None:
        self._connection = place.connection
        self._name = place.name
        self._place = place
        self._wanted = wanted
        self._patience = patience
        self._tag = 0

    def set(self, *, is_raised: bool, again: bool) -> None:
        """PUT the extension and wait for the handler's own word."""
        self._tag += again
        version = self._wanted.raised if is_raised else self._wanted.version
        request = ExtensionRequest(
            machine=self._name,
            name=EXTENSION,
            publisher=self._wanted.publisher,
            type=self._wanted.type,
            version=version,
            auto_upgrade_minor_version=False,
            settings=self._wanted.given.public,
            protected=self._wanted.given.protected,
            force_update_tag=str(self._tag),
        )
        extensions.put(self._connection, request).wait(deadline=self._patience)

    def remove(self) -> None:
        """DELETE the extension."""
        extensions.delete(self._connection, self._name, name=EXTENSION).wait(deadline=_REMOVE_SECONDS)

    def restart(self) -> None:
        """Restart the machine and wait until it takes logins again."""
        virtual_machines.restart(self._connection, self._name).wait(deadline=_BOOT_SECONDS)
        self.until(self._answers, what="the machine to take logins again", deadline=_BOOT_SECONDS)

    def restart_agent(self) -> None:
        """Restart the agent's service."""
        self._run("sudo -n systemctl restart walinuxagent.service", text="")

    def tell(self, verb: str) -> Mapping[str, Any]:
        """Run ``inside`` in the machine. Raises OperationFailed: it cannot be reached, or something else answers."""
        request = {
            "verb": verb,
            "handler": f"{self._wanted.publisher}.{self._wanted.type}",
            "record": str(self._wanted.record),
            "hidden": list(self._wanted.given.hidden),
        }
        program = Path(inside.__file__).read_text("utf-8")
        filled = program.replace(_LAST_LINE, f"    REQUEST = json.loads({json.dumps(json.dumps(request))})\n")
        printed = self._run("sudo -n python3 -", text=filled)
        try:
            answer: Mapping[str, Any] = json.loads(printed)
        except ValueError as error:
            raise OperationFailed(
                f"{self._name} answers something else than was asked",
                details=f"found: {printed.strip()[:200]!r}",
                resolution="Its user's login shell must print nothing of its own.",
            ) from error
        return answer

    def until(self, check: Callable[[], bool], *, what: str, deadline: float) -> None:
        """Ask again and again."""
        waiting.until(lambda: check() or None, what=what, deadline=deadline, every=1.0)

    def _answers(self) -> bool:
        try:
            self._run("true", text="")
        except (OperationFailed, DeadlineExceeded):
            return False
        return True

    def _run(self, remote: str, *, text: str) -> str:
        view = virtual_machines.get(self._connection, self._name)
        done = ssh.run(self._place.paths, view, home=self._place.home, remote=remote, text=text, deadline=_SSH_SECONDS)
        if done.code != 0:
            raise OperationFailed(
                f"{self._name} cannot be looked into",
                details=f"ssh ended with {done.code}: {done.error.strip()[-600:]}",
                resolution="The machine must let your SSH key in, and its user must be one that sudo asks for nothing.",
            )
        return done.output

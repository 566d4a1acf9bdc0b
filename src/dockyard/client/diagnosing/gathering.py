"""Gathers the parts of a diagnosis: from ARM, from the machine, from this computer; what lacks is said with its reason.

Called by ``dockyard vm diagnose``. One part that cannot be had never costs the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockyard.client import certificates, extensions, run_commands, virtual_machines
from dockyard.client.diagnosing import guest, scrubbing
from dockyard.client.diagnosing.archive import Lacking, Part
from dockyard.client.text import printable
from dockyard.client.views import MachineView
from dockyard.config import Paths
from dockyard.model.errors import DockyardError

if TYPE_CHECKING:
    from dockyard.client.connection import Connection

_ARM = "ARM"
_ACTION = "ARM: retrieveDiagnosticsData"


class Gathering:
    """The parts of one machine's diagnosis, as far as they could be had."""

    def __init__(self, connection: Connection, paths: Paths, machine: MachineView, *, home: Path) -> None:
        self._connection = connection
        self._paths = paths
        self._machine = machine
        self._home = home
        self.parts: list[Part] = []
        self.lacking: list[Lacking] = []

    def gather(self) -> None:
        """Fetch everything."""
        name = self._machine.id
        self.add("machine.json", _ARM, self._machine.document)
        self._try("extensions.json", _ARM, lambda: extensions.list_all(self._connection, name))
        self._try("run-commands.json", _ARM, lambda: run_commands.list_all(self._connection, name))
        self._try(
            "console.log",
            f"{_ARM}: retrieveBootDiagnosticsData",
            lambda: printable(virtual_machines.console_log(self._connection, name)),
        )
        self._of_server()
        self._of_guest()

    def add(self, name: str, source: str, content: object) -> None:
        """Add one file; what is no text becomes JSON. An empty text is one that lacks."""
        text = content if isinstance(content, str) else json.dumps(content, indent=2, default=str)
        if text.strip():
            self.parts.append(Part(name, source, text))
        else:
            self.lacking.append(Lacking(name, f"There is nothing of it ({source})."))

    def known_secrets(self) -> list[str]:
        """Return the values of the secrets that this computer keeps for the machine and its server."""
        folder = certificates.folder_of(self._paths, self._machine.id)
        keys = [folder.key, self._paths.data / "certs" / "ca-key.pem", self._paths.data / "ssh" / "id_ed25519"]
        lines = [line for path in keys if path.is_file() for line in scrubbing.of_key_file(path.read_text("utf-8"))]
        return [self._connection.credentials.client_secret, *lines]

    def _of_server(self) -> None:
        try:
            found = virtual_machines.diagnostics(self._connection, self._machine.id)
        except DockyardError as error:
            self.lacking.append(Lacking("server/", _told(error)))
            return
        goal: Mapping[str, Any] = found.get("goalState") or {}
        for name, text in (goal.get("documents") or {}).items():
            self.add(f"server/goal-state/{name}.xml", _ACTION, text)
        self.add("server/operations.json", _ACTION, found.get("operations") or [])
        self.add("server/reports.json", _ACTION, found.get("reports") or [])
        self.add("server/hypervisor.log", _ACTION, str(found.get("hypervisorLog") or ""))
        self.add("server/serve.log", _ACTION, str(found.get("serverLog") or ""))

    def _of_guest(self) -> None:
        found = guest.fetch(self._connection, self._paths, self._machine, home=self._home)
        for name, text in found.files.items():
            self.add(f"guest/{name}", found.way, text)
        if found.reasons:
            self.lacking.append(Lacking("guest/", " ".join(found.reasons)))

    def _try(self, name: str, source: str, fetch: Callable[[], object]) -> None:
        try:
            content = fetch()
        except DockyardError as error:
            self.lacking.append(Lacking(name, _told(error)))
        else:
            self.add(name, source, content)


def _told(error: DockyardError) -> str:
    return str(error).replace("\n", " ")

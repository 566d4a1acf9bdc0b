"""What only the server knows of one machine, put together for somebody who asks why it is as it is.

Reads and changes nothing; answers for machines that are stopped or never booted too. Used by ``arm.compute``. Nothing
secret is in it: protected settings, which are ciphertext here, leave their thumbprint alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from dockyard.fabric.guests import Guests
from dockyard.fabric.ports import HypervisorDriver, Store
from dockyard.fabric.reports import ReceivedReport
from dockyard.model.errors import NotFound
from dockyard.model.extension import ProtectedSettings
from dockyard.model.guest import GuestGoal
from dockyard.model.operation import Operation
from dockyard.model.resource_id import ResourceId

REMOVED = "(removed)"
"""What stands in the place of protected settings."""

_ENTRY = re.compile(r"\d{4}-\d\d-\d\d ")


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """One machine's part of what the server knows.

    Attributes:
        operations: the journal's lines for the machine and what belongs to it, oldest first.
        incarnation: the number of the goal state.
        goal_documents: the goal state as it is served, by the documents' names, without protected settings.
        reports: what the agent reported since this server started, as far as it is kept.
        hypervisor_log: what the hypervisor was started with, and what it wrote.
        server_log: the entries of the server's log that name the machine.
    """

    operations: Sequence[Operation]
    incarnation: int
    goal_documents: Mapping[str, str]
    reports: Sequence[ReceivedReport]
    hypervisor_log: str
    server_log: str


class Diagnostics:
    """``render`` makes the goal state's documents; ``server_log`` returns the end of the server's own log."""

    def __init__(
        self,
        *,
        store: Store,
        guests: Guests,
        hypervisor: HypervisorDriver,
        render: Callable[[GuestGoal], Mapping[str, str]],
        server_log: Callable[[], str],
    ) -> None:
        self._store = store
        self._guests = guests
        self._hypervisor = hypervisor
        self._render = render
        self._server_log = server_log

    def of(self, *, id: ResourceId) -> Diagnosis:
        """Return what is known of a machine. Raises NotFound."""
        machine = self._store.virtual_machine(id=id)
        if machine is None:
            raise NotFound(f"There is no virtual machine '{id.name}' in group '{id.resource_group}'")
        operations = self._store.operations_of(machine=machine.id)
        goal = without_protected(self._guests.goal(vm_id=machine.vm_id))
        words = (machine.vm_id, str(machine.id), *(operation.id for operation in operations))
        return Diagnosis(
            operations=operations,
            incarnation=goal.incarnation,
            goal_documents=self._render(goal),
            reports=self._guests.reports(vm_id=machine.vm_id),
            hypervisor_log=self._hypervisor.hypervisor_log(vm_id=machine.vm_id).decode("utf-8", "replace"),
            server_log=entries_naming(self._server_log(), words=words),
        )


def without_protected(goal: GuestGoal) -> GuestGoal:
    """Return a goal whose protected settings are a mark that there were some; thumbprints stay."""
    plugins = (
        replace(
            plugin,
            protected=_mark(plugin.protected),
            configurations=tuple(replace(one, protected=_mark(one.protected)) for one in plugin.configurations),
        )
        for plugin in goal.plugins
    )
    return replace(goal, plugins=tuple(plugins))


def entries_naming(log: str, *, words: Sequence[str]) -> str:
    """Return the entries of a log that hold one of ``words``: lines that begin with a date, and those below them."""
    entries: list[list[str]] = []
    for line in log.splitlines():
        if _ENTRY.match(line) or not entries:
            entries.append([])
        entries[-1].append(line)
    wanted = [word.lower() for word in words]
    texts = ("\n".join(entry) for entry in entries)
    return "".join(f"{text}\n" for text in texts if any(word in text.lower() for word in wanted))


def _mark(protected: ProtectedSettings | None) -> ProtectedSettings | None:
    return None if protected is None else replace(protected, ciphertext=REMOVED)

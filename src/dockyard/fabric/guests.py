"""What guests are told and what they say: the fabric's side of the platform endpoints.

Implements ``fabric.ports.GuestPlatform`` for ``wire``. Reports go into the store only when they say something new:
an agent reports every few seconds, and each write waits for the disk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dockyard.fabric import planning, sequencing
from dockyard.fabric.changes import Changes
from dockyard.fabric.ports import Clock, PackageStore, Store
from dockyard.fabric.reports import ReceivedReport, ReportHistory
from dockyard.model.errors import NotFound
from dockyard.model.extension import Extension
from dockyard.model.guest import Configuration, GuestGoal, HealthReport, Plugin, PluginState
from dockyard.model.provisioning import ProvisioningState
from dockyard.model.virtual_machine import VirtualMachine
from dockyard_contract.aggregate_status import AggregateStatus, HandlerReport


class Guests:
    """Goals out, reports in."""

    def __init__(self, *, store: Store, packages: PackageStore, clock: Clock, changes: Changes) -> None:
        self._store = store
        self._packages = packages
        self._clock = clock
        self._changes = changes
        self._goals: dict[str, GuestGoal] = {}
        self._provisioned: set[str] = set()
        self._handlers: dict[str, frozenset[tuple[str, str | None]]] = {}
        self._seen_incarnation: dict[str, int] = {}
        self._history = ReportHistory()

    def goal(self, *, vm_id: str) -> GuestGoal:
        """Return what the guest is to be told. Raises NotFound."""
        goal = self._goals.get(vm_id)
        if goal is None:
            goal = self._goals[vm_id] = self._compose(vm_id)
        return goal

    async def goal_changed(self, *, vm_id: str, incarnation: int, timeout_seconds: float) -> None:
        """Return when the goal's incarnation differs from ``incarnation``, or after the time-out."""
        deadline = self._clock.now().timestamp() + timeout_seconds
        while self.goal(vm_id=vm_id).incarnation == incarnation:
            left = deadline - self._clock.now().timestamp()
            if left <= 0:
                return
            await self._changes.wait(vm_id, seconds=left)

    async def report_health(self, *, vm_id: str, report: HealthReport) -> None:
        """Take the guest's health report; the first Ready ends its boot."""
        if report.ready and vm_id not in self._provisioned:
            self._provisioned.add(vm_id)
            self._changes.notify(vm_id)

    async def report_status(self, *, vm_id: str, status: AggregateStatus) -> None:
        """Take the agent's status report; write what is new in it."""
        machine = self._store.virtual_machine_by_vm_id(vm_id=vm_id)
        if machine is None:
            raise NotFound(f"There is no machine {vm_id}")
        self._provisioned.add(vm_id)
        self._history.take(vm_id=vm_id, status=status, at=self._clock.now())
        with self._store.transaction():
            self._take_agent(machine, status)
            self._take_extensions(machine, status)
        self._handlers[vm_id] = frozenset(
            key
            for handler in status.handlers
            for key in (_key(handler.name), _key(handler.name, handler.extension_name))
        )
        self._seen_incarnation[vm_id] = status.incarnation or 0
        self._changes.notify(vm_id)

    def published(self, *, vm_id: str) -> None:
        """Forget the cached goal and wake held requests; call after every change of a machine or its extensions."""
        self._goals.pop(vm_id, None)
        self._changes.notify(vm_id)

    def started(self, *, vm_id: str) -> None:
        """Forget what the guest said before this start."""
        self._provisioned.discard(vm_id)
        self._handlers.pop(vm_id, None)
        self._seen_incarnation.pop(vm_id, None)

    def forget(self, *, vm_id: str) -> None:
        """Forget everything of a machine that is gone."""
        self.started(vm_id=vm_id)
        self._history.forget(vm_id=vm_id)
        self._goals.pop(vm_id, None)
        self._changes.notify(vm_id)

    def reports(self, *, vm_id: str) -> Sequence[ReceivedReport]:
        """Return what a machine's agent reported, oldest first, as far as it is kept."""
        return self._history.of(vm_id=vm_id)

    def is_provisioned(self, *, vm_id: str) -> bool:
        """Tell whether the guest reported Ready since its start."""
        return vm_id in self._provisioned

    def is_without(self, *, vm_id: str, handler_name: str, incarnation: int, configuration: str | None = None) -> bool:
        """Tell whether the agent has taken ``incarnation`` and lists the handler, or its configuration, no more."""
        taken = self._seen_incarnation.get(vm_id, 0) >= incarnation
        return taken and _key(handler_name, configuration) not in self._handlers.get(vm_id, frozenset())

    def _compose(self, vm_id: str) -> GuestGoal:
        machine = self._store.virtual_machine_by_vm_id(vm_id=vm_id)
        if machine is None:
            raise NotFound(f"There is no machine {vm_id}")
        extensions = self._store.extensions(machine=machine.id)
        levels = sequencing.levels(extensions)
        plugins = tuple(self._plugin(group, levels=levels) for group in by_handler(extensions))
        return GuestGoal(machine=machine, incarnation=machine.incarnation, plugins=plugins)

    def _plugin(self, group: Sequence[Extension], *, levels: Mapping[str, int]) -> Plugin:
        """One handler of the goal: an extension alone, or all named configurations of a handler that takes several.

        A machine has one version of a handler: the one that the newest wish is for.
        """
        newest = version_of(group)
        is_wanted = any(_is_wanted(extension) for extension in group)
        return Plugin(
            handler_name=newest.handler_name,
            version=newest.handler_version,
            state=PluginState.ENABLED if is_wanted else PluginState.UNINSTALL,
            archive=self._archive(newest),
            sequence_number=newest.sequence_number,
            settings=newest.settings,
            protected=newest.protected,
            dependency_level=levels.get(newest.id.key, 0),
            configurations=tuple(
                Configuration(
                    name=extension.configuration,
                    sequence_number=extension.sequence_number,
                    is_wanted=_is_wanted(extension),
                    settings=extension.settings,
                    protected=extension.protected,
                    dependency_level=levels.get(extension.id.key, 0),
                )
                for extension in group
                if extension.configuration is not None
            ),
        )

    def _archive(self, extension: Extension) -> Path | None:
        try:
            found = self._packages.get(handler_name=extension.handler_name, version=extension.handler_version)
        except NotFound:
            return None  # to leave the handler out would make the agent remove it without a word to it
        return found.archive

    def _take_agent(self, machine: VirtualMachine, status: AggregateStatus) -> None:
        agent = planning.agent_status(status, at=self._clock.now())
        known = machine.agent
        if known is None or replace(known, at=agent.at) != agent:
            self._store.put_virtual_machine(replace(machine, agent=agent))

    def _take_extensions(self, machine: VirtualMachine, status: AggregateStatus) -> None:
        now = self._clock.now()
        reports = {_key(handler.name, handler.extension_name): handler for handler in status.handlers}
        for extension in self._store.extensions(machine=machine.id):
            report = _report_of(extension, reports)
            if report is None or (status.incarnation or 0) < extension.incarnation:
                continue
            fresh = planning.extension_status(report, at=now)
            known = extension.status
            if known is None or replace(known, at=now) != fresh:
                self._store.put_extension(replace(extension, status=fresh))


def by_handler(extensions: Sequence[Extension]) -> list[list[Extension]]:
    """Return the extensions in groups of one handler each, in the order of each group's first."""
    groups: dict[str, list[Extension]] = {}
    for extension in extensions:
        groups.setdefault(extension.handler_name.lower(), []).append(extension)
    return list(groups.values())


def version_of(group: Sequence[Extension]) -> Extension:
    """Return which extension of one handler's tells the version that the machine shall have: the newest wish."""
    return max(group, key=lambda extension: extension.incarnation)


def _report_of(extension: Extension, reports: Mapping[tuple[str, str | None], HandlerReport]) -> HandlerReport | None:
    """Find what is said of an extension; a handler that failed as a whole may be listed without its configurations."""
    own = reports.get(_key(extension.handler_name, extension.configuration))
    whole = reports.get(_key(extension.handler_name))
    if own is None and whole is not None and whole.settings_status is None and whole.status != "Ready":
        return whole
    return own


def _is_wanted(extension: Extension) -> bool:
    return extension.provisioning_state is not ProvisioningState.DELETING


def _key(handler_name: str, configuration: str | None = None) -> tuple[str, str | None]:
    return handler_name.lower(), None if configuration is None else configuration.lower()

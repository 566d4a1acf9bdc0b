"""A platform in memory: goals a test writes, reports a test reads. Passes the same contract suite as the fabric's."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from dockyard.model.errors import NotFound
from dockyard.model.extension import ProtectedSettings
from dockyard.model.guest import GuestGoal, HealthReport, Plugin, PluginState
from dockyard.model.virtual_machine import VirtualMachine
from dockyard_contract.aggregate_status import AggregateStatus
from tests.support.values import a_machine

HANDLER = "Contoso.Harbour.Crane"


class FakePlatform:
    """Implements ``GuestPlatform``."""

    def __init__(self, *goals: GuestGoal) -> None:
        self._goals = {goal.vm_id: goal for goal in goals}
        self._news = asyncio.Condition()
        self.health: list[tuple[str, HealthReport]] = []
        self.statuses: list[tuple[str, AggregateStatus]] = []

    async def publish(self, goal: GuestGoal) -> None:
        async with self._news:
            self._goals[goal.vm_id] = goal
            self._news.notify_all()

    async def forget(self, vm_id: str) -> None:
        async with self._news:
            del self._goals[vm_id]
            self._news.notify_all()

    def goal(self, *, vm_id: str) -> GuestGoal:
        if vm_id not in self._goals:
            raise NotFound(f"There is no machine {vm_id}")
        return self._goals[vm_id]

    async def goal_changed(self, *, vm_id: str, incarnation: int, timeout_seconds: float) -> None:
        try:
            async with asyncio.timeout(timeout_seconds), self._news:
                await self._news.wait_for(lambda: self.goal(vm_id=vm_id).incarnation != incarnation)
        except TimeoutError:
            return

    async def report_health(self, *, vm_id: str, report: HealthReport) -> None:
        self.goal(vm_id=vm_id)
        self.health.append((vm_id, report))

    async def report_status(self, *, vm_id: str, status: AggregateStatus) -> None:
        self.goal(vm_id=vm_id)
        self.statuses.append((vm_id, status))


def a_goal(*plugins: Plugin, machine: VirtualMachine | None = None, incarnation: int = 1) -> GuestGoal:
    machine = machine or a_machine()
    return GuestGoal(
        machine=replace(machine, incarnation=incarnation, goal_ticks=638_000_000_000_000_000 + incarnation),
        incarnation=incarnation,
        plugins=plugins,
    )


def a_plugin(
    *, archive: Path = Path("/nowhere.zip"), protected: ProtectedSettings | None = None, sequence_number: int = 0
) -> Plugin:
    return Plugin(
        handler_name=HANDLER,
        version="1.2.3",
        state=PluginState.ENABLED,
        archive=archive,
        sequence_number=sequence_number,
        settings={"greeting": 'a <b> & ]]> "c"'},
        protected=protected,
    )

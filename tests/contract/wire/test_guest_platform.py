"""What this room expects of a platform: kept by the fabric's own, and by the one in memory the other tests use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dockyard.fabric.ports import GuestPlatform
from dockyard.model.errors import NotFound
from dockyard.model.guest import HealthReport
from dockyard_contract.aggregate_status import AggregateStatus, GuestAgentReport
from tests.support.fabric import World
from tests.support.fake_platform import FakePlatform, a_goal
from tests.support.values import a_machine

VM_ID = a_machine().vm_id
STATUS = AggregateStatus(GuestAgentReport("2.12", "Ready"))


@dataclass
class Case:
    """A platform with one machine, and how to give that a new goal."""

    platform: GuestPlatform
    publish: Callable[[int], Awaitable[None]]


async def in_memory(_folder: Path) -> AsyncIterator[Case]:
    platform = FakePlatform(a_goal())
    yield Case(platform, lambda incarnation: platform.publish(a_goal(incarnation=incarnation)))


async def the_fabrics(folder: Path) -> AsyncIterator[Case]:
    world = World(folder)

    async def publish(incarnation: int) -> None:
        world.store.put_virtual_machine(replace(a_machine(), incarnation=incarnation))
        world.fabric.guests.published(vm_id=VM_ID)

    await publish(1)
    yield Case(world.fabric.guests, publish)
    world.close()


@pytest.fixture(params=[in_memory, the_fabrics])
async def case(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Case]:
    async for case in request.param(tmp_path):
        yield case


async def test_a_goal_has_the_incarnation_last_published(case: Case) -> None:
    assert case.platform.goal(vm_id=VM_ID).incarnation == 1
    await case.publish(2)
    assert case.platform.goal(vm_id=VM_ID).incarnation == 2


async def test_waiting_ends_with_a_new_goal(case: Case) -> None:
    waiting = asyncio.create_task(case.platform.goal_changed(vm_id=VM_ID, incarnation=1, timeout_seconds=60))
    await asyncio.sleep(0)
    await case.publish(2)
    async with asyncio.timeout(1):
        await waiting


async def test_waiting_for_another_incarnation_than_the_present_ends_at_once(case: Case) -> None:
    async with asyncio.timeout(1):
        await case.platform.goal_changed(vm_id=VM_ID, incarnation=0, timeout_seconds=60)


async def test_waiting_ends_in_time(case: Case) -> None:
    async with asyncio.timeout(2):
        await case.platform.goal_changed(vm_id=VM_ID, incarnation=1, timeout_seconds=0.1)


async def test_an_unknown_machine_is_not_found(case: Case) -> None:
    with pytest.raises(NotFound):
        case.platform.goal(vm_id="none")
    with pytest.raises(NotFound):
        await case.platform.report_status(vm_id="none", status=STATUS)


async def test_reports_are_taken(case: Case) -> None:
    await case.platform.report_health(vm_id=VM_ID, report=HealthReport(incarnation="1", ready=True))
    await case.platform.report_status(vm_id=VM_ID, status=STATUS)

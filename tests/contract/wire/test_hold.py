"""Held answers: an agent with nothing to do waits at the platform, so that a new goal reaches it at once."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from dockyard.wire.guest import HOLD_SECONDS
from dockyard_contract.aggregate_status import (
    AggregateStatus,
    GoalStateReport,
    GuestAgentReport,
    HandlerReport,
    SettingsReport,
    dump_aggregate_status,
)
from dockyard_contract.goal_state import parse_goal_state
from tests.support.fake_platform import HANDLER, a_goal
from tests.support.wire_bench import GOAL, Bench

GOAL_STATE = "/machine/?comp=goalstate"


def report(*, incarnation: int = 1, status: str = "success") -> str:
    handler = HandlerReport(HANDLER, "1.2.3", "Ready", settings_status=SettingsReport(status), sequence_number=0)
    goal_state = GoalStateReport("Success", str(incarnation))
    return dump_aggregate_status(AggregateStatus(GuestAgentReport("2.12", "Ready"), (handler,), goal_state))


async def send(wire: httpx.AsyncClient, content: str) -> None:
    assert (await wire.put(f"/status/{GOAL.vm_id}", content=content)).status_code == 201


async def test_a_new_goal_releases_the_held_answer(bench: Bench, wire: httpx.AsyncClient) -> None:
    await send(wire, report())
    held = asyncio.create_task(wire.get(GOAL_STATE))
    done, _ = await asyncio.wait([held], timeout=0.3)
    assert not done, "an agent with nothing to do was not held"
    published = time.monotonic()
    await bench.platform.publish(a_goal(incarnation=2))
    assert parse_goal_state((await held).content).incarnation == 2
    assert time.monotonic() - published < 0.5


async def test_a_held_answer_comes_before_the_agent_gives_up(wire: httpx.AsyncClient) -> None:
    assert HOLD_SECONDS < 10, "WALinuxAgent gives up after 10 seconds"
    await send(wire, report())
    started = time.monotonic()
    answer = await wire.get(GOAL_STATE, timeout=HOLD_SECONDS + 2)
    assert parse_goal_state(answer.content).incarnation == 1
    assert HOLD_SECONDS - 0.5 < time.monotonic() - started < HOLD_SECONDS + 1


async def at_once(client: httpx.AsyncClient) -> bool:
    async with asyncio.timeout(2):
        return (await client.get(GOAL_STATE)).status_code == 200


async def test_an_agent_that_has_not_reported_is_answered_at_once(wire: httpx.AsyncClient) -> None:
    assert await at_once(wire)


@pytest.mark.parametrize("unfinished", [report(status="transitioning"), report(incarnation=0)], ids=["busy", "behind"])
async def test_an_agent_with_something_to_do_is_answered_at_once(wire: httpx.AsyncClient, unfinished: str) -> None:
    await send(wire, report())
    await send(wire, unfinished)
    assert await at_once(wire)


async def test_an_agent_that_has_just_started_is_answered_at_once(wire: httpx.AsyncClient) -> None:
    await send(wire, report())
    await wire.get("/?comp=versions")
    assert await at_once(wire)


async def test_cloud_init_is_answered_at_once(bench: Bench, wire: httpx.AsyncClient) -> None:
    await send(wire, report())
    async with bench.client(GOAL.vm_id, "wire", user_agent="Cloud-Init/25.1.4") as cloud_init:
        assert await at_once(cloud_init)


async def test_detaching_lets_a_held_request_go(
    bench: Bench, wire: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    await send(wire, report())
    held = asyncio.create_task(wire.get(GOAL_STATE))
    await asyncio.wait([held], timeout=0.2)
    async with asyncio.timeout(2):
        await bench.network.detach(vm_id=GOAL.vm_id)
        with pytest.raises(httpx.RemoteProtocolError):
            await held
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_machine_that_goes_while_its_agent_is_held_is_not_found(bench: Bench, wire: httpx.AsyncClient) -> None:
    await send(wire, report())
    held = asyncio.create_task(wire.get(GOAL_STATE))
    await asyncio.wait([held], timeout=0.2)
    await bench.platform.forget(GOAL.vm_id)
    assert (await held).status_code == 404

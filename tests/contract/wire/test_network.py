"""Attaching and detaching: whose sockets are there, who can reach them, and what is left."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from dockyard.model.errors import Exhausted, NotFound
from dockyard.pki.tenant import TenantKeyFiles
from dockyard.wire.network import PlatformEndpoints
from dockyard_contract.goal_state import parse_goal_state
from tests.support.fake_platform import FakePlatform, a_goal
from tests.support.wire_bench import GOAL, Bench, another_machine, open_bench

ONE, TWO = a_goal(machine=another_machine(1)), a_goal(machine=another_machine(2))


def sockets(bench: Bench) -> set[str]:
    return {path.name for path in bench.network.link(vm_id=GOAL.vm_id).platform_socket.parent.iterdir()}


async def test_only_the_user_can_reach_the_sockets(bench: Bench) -> None:
    folder = bench.network.link(vm_id=GOAL.vm_id).platform_socket.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


async def test_attaching_twice_is_attaching_once(bench: Bench) -> None:
    before = sockets(bench)
    await bench.network.attach(vm_id=GOAL.vm_id)
    assert sockets(bench) == before == {"platform", "wire", "host", "meta"}


async def test_detaching_leaves_nothing_and_can_be_repeated(bench: Bench) -> None:
    await bench.network.detach(vm_id=GOAL.vm_id)
    await bench.network.detach(vm_id=GOAL.vm_id)
    assert list((bench.folder / "run").iterdir()) == []


async def test_detaching_leaves_a_running_machines_own_end(bench: Bench) -> None:
    link = bench.network.link(vm_id=GOAL.vm_id)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as machine:
        machine.bind(str(link.machine_socket))
        await bench.network.detach(vm_id=GOAL.vm_id)
        assert link.machine_socket.exists()
    await bench.network.detach(vm_id=GOAL.vm_id)
    assert not link.machine_socket.exists()


async def test_a_detached_machine_can_be_attached_again(bench: Bench) -> None:
    await bench.network.detach(vm_id=GOAL.vm_id)
    await bench.network.attach(vm_id=GOAL.vm_id)
    async with bench.client(GOAL.vm_id, "wire") as client:
        assert (await client.get("/machine/?comp=goalstate")).status_code == 200


async def test_sockets_of_a_dead_process_are_replaced(bench: Bench) -> None:
    await bench.network.detach(vm_id=GOAL.vm_id)
    link = bench.network.link(vm_id=GOAL.vm_id)
    link.platform_socket.parent.mkdir()
    for name, kind in (("platform", socket.SOCK_DGRAM), ("wire", socket.SOCK_STREAM), ("meta", socket.SOCK_STREAM)):
        with socket.socket(socket.AF_UNIX, kind) as dead:
            dead.bind(str(link.platform_socket.with_name(name)))
    await bench.network.attach(vm_id=GOAL.vm_id)
    async with bench.client(GOAL.vm_id, "wire") as client:
        assert (await client.get("/machine/?comp=goalstate")).status_code == 200


async def test_a_machine_nobody_knows_cannot_be_attached(bench: Bench) -> None:
    with pytest.raises(NotFound):
        await bench.network.attach(vm_id="no such machine")


async def test_the_socket_says_who_asks_whatever_the_request_says() -> None:
    async with open_bench(ONE, TWO) as bench, bench.client(ONE.vm_id, "wire") as client:
        headers = {"x-ms-containerid": TWO.vm_id, "Host": TWO.vm_id}
        goal = parse_goal_state((await client.get("/machine/?comp=goalstate", headers=headers)).content)
        assert goal.container_id == ONE.vm_id
        theirs = f"/machine/{TWO.vm_id}/_web2?comp=config&type=extensionsConfig"
        assert (await client.get(theirs)).status_code == 404


async def test_a_path_too_long_for_a_socket_is_said_so(tmp_path: Path) -> None:
    runtime = tmp_path / ("x" * 100)
    network = PlatformEndpoints(runtime=runtime, platform=FakePlatform(GOAL), keys=TenantKeyFiles(folder=tmp_path))
    with pytest.raises(Exhausted, match=r"too long\.\n.*\n.*shorter path"):
        await network.attach(vm_id=GOAL.vm_id)
    assert list(runtime.iterdir()) == []

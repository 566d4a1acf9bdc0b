"""A server killed at any moment of a machine's life leaves nothing that the next server cannot find and delete."""

from __future__ import annotations

import asyncio
import pickle
import sys
from pathlib import Path

import pytest

from dockyard.hypervisors.qemu import processes
from tests.support.qemu_bench import WEB, QemuBench

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[3]
LIFE = """
import asyncio, pickle, sys
bench = pickle.loads(bytes.fromhex(sys.argv[1]))
async def live():
    driver = bench.another_driver()
    print("ready", flush=True)
    while True:
        await driver.create(spec=bench.spec())
        await driver.start(spec=bench.spec())
        await driver.shut_down(vm_id=bench.spec().machine.vm_id, deadline_seconds=0.05)
        await driver.start(spec=bench.spec())
        await driver.delete(vm_id=bench.spec().machine.vm_id)
asyncio.run(live())
"""


@pytest.mark.parametrize("moment", range(12))
async def test_the_next_server_deletes_what_a_killed_one_left(bench: QemuBench, moment: int) -> None:
    await live_and_die(bench, seconds=moment * 0.037)
    for vm_id in await bench.driver.list():
        await bench.driver.delete(vm_id=vm_id)
    # A QEMU whose server was killed within its very start finds no files and ends by itself.
    late = bench.processes()
    assert all([await processes.wait_gone(identity, deadline=10) for identity in late])
    assert not list(bench.root.rglob(f"*{WEB}*"))
    assert not bench.is_open()


async def live_and_die(bench: QemuBench, *, seconds: float) -> None:
    """Let a server create, start, stop and delete a machine over and over, and kill it after some time."""
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", LIFE, pickle.dumps(bench).hex()), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    assert await server.stdout.readline() == b"ready\n"
    await asyncio.sleep(seconds)
    server.kill()
    await server.communicate()

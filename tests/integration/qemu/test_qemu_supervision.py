"""Servers come and go, also by force; a machine is found again, never started twice, and deleted without a trace."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dockyard.fabric.ports import MachineState
from dockyard.hypervisors.qemu import argv, processes, procfs
from dockyard.hypervisors.qemu.argv import AccelerationKind
from dockyard.hypervisors.qemu.files import Folders, MachineFiles
from dockyard.hypervisors.qemu.launch import launch
from dockyard.model.errors import Exhausted, OperationFailed
from dockyard.model.virtual_machine import PortForward
from tests.support import qemu_guest
from tests.support.qemu_bench import WEB, QemuBench

pytestmark = pytest.mark.e2e


def files(bench: QemuBench) -> MachineFiles:
    return Folders(machines=bench.root / "machines", runtime=bench.root / "run").of(WEB)


def arguments(bench: QemuBench) -> list[str]:
    program = processes.program(processes.SYSTEM_PROGRAM)
    return argv.machine_arguments(
        program=program, spec=bench.spec(), files=files(bench), acceleration=AccelerationKind.TCG
    )


async def test_the_next_server_adopts_a_running_machine(bench: QemuBench) -> None:
    await bench.driver.create(spec=bench.spec())
    identity = await bench.driver.start(spec=bench.spec())
    successor = bench.another_driver()
    assert await successor.identify(vm_id=WEB) == identity
    assert await successor.start(spec=bench.spec()) == identity


async def test_a_machine_whose_pidfile_is_lost_is_still_found(bench: QemuBench) -> None:
    await bench.driver.create(spec=bench.spec())
    identity = await bench.driver.start(spec=bench.spec())
    files(bench).pid.unlink()
    assert await bench.another_driver().start(spec=bench.spec()) == identity


async def test_a_machine_survives_the_death_of_its_server(bench: QemuBench) -> None:
    await bench.driver.create(spec=bench.spec())
    files(bench).sockets.mkdir(parents=True)
    script = (
        "import os, signal, sys; from pathlib import Path; from dockyard.hypervisors.qemu import processes\n"
        "print(processes.start(sys.argv[2:], log=Path(sys.argv[1])).pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    server = await processes.run([sys.executable, "-c", script, str(files(bench).log), *arguments(bench)], deadline=60)
    assert server.code == -signal.SIGKILL
    identity = await bench.driver.start(spec=bench.spec())
    assert identity.pid == int(server.output)


async def test_a_second_qemu_for_the_same_machine_gives_way(bench: QemuBench) -> None:
    await bench.driver.create(spec=bench.spec())
    winner = await bench.driver.start(spec=bench.spec())
    without_forwards = [rule.partition(",hostfwd")[0] for rule in arguments(bench)]
    assert await launch(without_forwards, vm_id=WEB, files=files(bench)) == winner
    assert bench.processes() == [winner]


async def test_a_port_taken_at_the_last_moment_is_named_by_qemu_s_refusal(bench: QemuBench) -> None:
    await bench.driver.create(spec=bench.spec())
    files(bench).sockets.mkdir(parents=True)
    with bench.occupied(), pytest.raises(Exhausted) as refusal:
        await launch(arguments(bench), vm_id=WEB, files=files(bench))
    assert refusal.value.code == "PortInUse"
    assert str(bench.port) in refusal.value.brief


async def test_a_machine_that_dies_at_once_says_why_and_leaves_nothing(bench: QemuBench) -> None:
    spec = bench.spec()
    spec = replace(spec, image=replace(spec.image, kernel=Path("/nowhere/vmlinuz")))
    await bench.driver.create(spec=spec)
    with pytest.raises(OperationFailed, match="could not open kernel file '/nowhere/vmlinuz'"):
        await bench.driver.start(spec=spec)
    assert await bench.driver.observe(vm_id=WEB) is MachineState.STOPPED


@pytest.mark.parametrize("kept", ["disk.qcow2", "pid", "qemu.log"])
async def test_delete_finishes_what_an_interrupted_delete_began(bench: QemuBench, kept: str) -> None:
    await bench.driver.create(spec=bench.spec())
    identity = await bench.driver.start(spec=bench.spec())
    for path in files(bench).folder.iterdir():
        if path.name != kept:
            path.unlink()
    await bench.another_driver().delete(vm_id=WEB)
    assert not procfs.is_alive(identity)
    assert not list(bench.root.rglob(f"*{WEB}*"))


async def test_a_running_machine_without_a_folder_is_listed_and_deleted(bench: QemuBench) -> None:
    await bench.driver.create(spec=bench.spec())
    identity = await bench.driver.start(spec=bench.spec())
    for path in files(bench).folder.iterdir():
        path.unlink()
    files(bench).folder.rmdir()
    assert await bench.driver.list() == [WEB]
    await bench.driver.delete(vm_id=WEB)
    assert not procfs.is_alive(identity)


async def test_a_machine_killed_a_moment_ago_can_be_started_again(bench: QemuBench) -> None:
    await bench.driver.create(spec=bench.spec())
    for _ in range(3):
        identity = await bench.driver.start(spec=bench.spec())
        os.kill(identity.pid, signal.SIGKILL)
    assert await bench.driver.start(spec=bench.spec()) != identity


async def test_the_control_socket_s_leftover_does_not_stand_in_the_way(bench: QemuBench) -> None:
    await bench.driver.create(spec=bench.spec())
    files(bench).sockets.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as leftover:
        leftover.bind(str(files(bench).monitor))
    identity = await bench.driver.start(spec=bench.spec())
    assert await bench.driver.identify(vm_id=WEB) == identity


async def test_a_port_opened_while_the_machine_runs_leads_into_the_guest_and_is_known_to_the_next_server(
    bench: QemuBench,
) -> None:
    await bench.driver.create(spec=bench.spec())
    await bench.driver.start(spec=bench.spec())
    await bench.speaks()
    own, more = PortForward("ssh", bench.port, 22), PortForward("tcp-22", bench.another_port(), 22, opened=True)
    await bench.driver.set_forwards(vm_id=WEB, forwards=(own, more))
    assert await heard(more.host_port) == await heard(own.host_port) == f"{qemu_guest.GREETING}\n".encode()
    await bench.another_driver().set_forwards(vm_id=WEB, forwards=(own,))
    assert not bench.is_open(more.host_port)
    assert await heard(own.host_port) == f"{qemu_guest.GREETING}\n".encode()


async def heard(port: int) -> bytes:
    """What the guest says on a port; its one-connection server needs a moment between two callers."""
    async with asyncio.timeout(30):
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            said = await reader.read()
            writer.close()
            if said:
                return said

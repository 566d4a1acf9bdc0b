"""What a guest sees of its machine: Azure's marks, its two networks, and a kernel that runs."""

from __future__ import annotations

import asyncio
import socket

import pytest

from dockyard.hypervisors.qemu import argv, processes
from dockyard.hypervisors.qemu.acceleration import judge
from dockyard.model.image import Image
from tests.support import qemu_guest
from tests.support.qemu_bench import WEB, QemuBench

pytestmark = pytest.mark.e2e


async def test_a_guest_takes_its_machine_for_azure_s(bench: QemuBench) -> None:
    await bench.driver.create(spec=bench.spec())
    await bench.driver.start(spec=bench.spec())
    await bench.speaks()
    facts = set(bench.driver.console_tail(vm_id=WEB, lines=30))
    assert "sys_vendor=Microsoft Corporation" in facts
    assert "product_name=Virtual Machine" in facts
    assert "chassis_asset_tag=7783-7084-3265-9085-8269-3286-77" in facts
    assert f"product_uuid={WEB}" in facts


async def test_a_forward_leads_to_the_guest(bench: QemuBench) -> None:
    await bench.driver.create(spec=bench.spec())
    await bench.driver.start(spec=bench.spec())
    await bench.speaks()
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.port)
    greeting = await reader.readline()
    writer.close()
    assert greeting.decode().strip() == qemu_guest.GREETING


async def test_frames_of_the_first_interface_reach_the_platform(bench: QemuBench) -> None:
    spec = bench.spec()
    await bench.driver.create(spec=spec)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as platform:
        platform.bind(str(spec.link.platform_socket))
        platform.setblocking(False)
        await bench.driver.start(spec=spec)
        frame = await asyncio.get_running_loop().sock_recv(platform, 2048)
    assert frame[6:12] == bytes.fromhex(spec.machine.network.mac_address.replace(":", ""))


async def test_a_kernel_that_runs_is_judged_so(tiny_image: Image) -> None:
    program = processes.program(processes.SYSTEM_PROGRAM)
    emulated = {"kvm": "tcg", "host,kvm=off,migratable=off": "max"}
    arguments = [
        emulated.get(argument, argument) for argument in argv.probe_arguments(program=program, kernel=tiny_image.kernel)
    ]
    output = await processes.output_until(arguments, enough=lambda text: judge(text).works, deadline=60)
    assert judge(output).works

"""A real QEMU under test, with a tiny guest, by software emulation, as any user may run it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from dockyard.fabric.ports import MachineSpec, PlatformLink
from dockyard.hypervisors.qemu import monitor, processes, procfs
from dockyard.hypervisors.qemu.acceleration import AccelerationMode
from dockyard.hypervisors.qemu.driver import QemuDriver, qemu_driver
from dockyard.model.image import Image
from dockyard.model.virtual_machine import PortForward, ProcessIdentity, VirtualMachine, VirtualMachineSize
from tests.support import qemu_guest
from tests.support.values import a_machine

WEB = a_machine().vm_id


@asynccontextmanager
async def qemu_bench(image: Image) -> AsyncIterator[QemuBench]:
    """Give a bench of its own folder, and delete every machine in the end."""
    # Sockets need a short path, which pytest's own folders do not have.
    with tempfile.TemporaryDirectory(prefix="dockyard-") as folder:
        bench = QemuBench(root=Path(folder), image=image)
        try:
            yield bench
        finally:
            for vm_id in await bench.driver.list():
                await bench.driver.delete(vm_id=vm_id)


class QemuBench:
    """A driver, the machine ``web`` with one forward, and what may happen to it."""

    def __init__(self, *, root: Path, image: Image) -> None:
        self.root = root
        self.port = free_port()
        self._image = image

    @cached_property
    def driver(self) -> QemuDriver:
        """The driver under test."""
        return self.another_driver()

    def processes(self) -> list[ProcessIdentity]:
        """Return what runs out of this bench's own folder; other runs of these tests use the same machine ids."""
        own = [machine for machine in procfs.running_machines() if machine.marks.pidfile.is_relative_to(self.root)]
        return [machine.identity for machine in own]

    def another_driver(self) -> QemuDriver:
        """Return what the next server would have: a driver that knows nothing but the folders."""
        return qemu_driver(
            machines=self.root / "machines",
            runtime=self.root / "run",
            state=self.root,
            clock=SystemClock(),
            mode=AccelerationMode.TCG,
        )

    def spec(self, *, deaf: bool = False) -> MachineSpec:
        image = qemu_guest.deaf(self._image) if deaf else self._image
        link = PlatformLink(self.root / "platform.sock", self.root / "machine.sock")
        return MachineSpec(machine=web(self.port), image=image, link=link)

    @contextmanager
    def occupied(self, port: int | None = None) -> Iterator[None]:
        with socket.create_server(("127.0.0.1", port or self.port)):
            yield

    def is_open(self, port: int | None = None) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port or self.port)) == 0

    def another_port(self) -> int:
        return free_port()

    async def attached(self) -> Mapping[int, str]:
        identity = await self.driver.identify(vm_id=WEB)
        if identity is None:
            return {}
        devices = await monitor.block_devices(self.root / "run" / WEB / "qmp.sock", process=identity)
        luns = {name: node for name, node in devices.items() if name.startswith("lun")}
        return {int(name.removeprefix("lun")): node.removeprefix("data-") for name, node in luns.items()}

    async def crash(self) -> None:
        identity = await self.driver.identify(vm_id=WEB)
        assert identity is not None
        os.kill(identity.pid, signal.SIGKILL)
        assert await processes.wait_gone(identity, deadline=30)

    async def speaks(self) -> None:
        identity = await self.driver.identify(vm_id=WEB)
        assert identity is not None
        while qemu_guest.UP not in self.driver.console_tail(vm_id=WEB, lines=3):
            assert not await processes.wait_gone(identity, deadline=0.02), "the guest died before it spoke"


class SystemClock:
    """The host's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def web(port: int) -> VirtualMachine:
    machine = a_machine()
    return replace(
        machine,
        size=VirtualMachineSize("Dockyard_C1_M256", 1, 256),
        disk_gib=1,
        network=replace(machine.network, forwards=(PortForward("ssh", port, 22),)),
    )

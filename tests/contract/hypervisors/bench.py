"""What the contract suite runs on: a driver, and the world around it played. The other bench is a real QEMU's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from dockyard.fabric.ports import HypervisorDriver, MachineSpec, PlatformLink
from dockyard.hypervisors.fake.driver import FakeDriver
from tests.support import qemu_guest
from tests.support.fabric import image as unreal_image
from tests.support.qemu_bench import WEB, web


class Bench(Protocol):
    """A driver, the machine ``web`` with one forward, and what may happen to it."""

    @property
    def driver(self) -> HypervisorDriver:
        """The driver under test."""

    @property
    def port(self) -> int:
        """The host's end of the machine's forward; free when a test begins."""

    def spec(self, *, deaf: bool = False) -> MachineSpec:
        """Describe the machine; a deaf guest does not hear its power button."""

    def occupied(self, port: int | None = None) -> AbstractContextManager[None]:
        """Let another program hold the port, or another one, for a while."""

    def is_open(self, port: int | None = None) -> bool:
        """Whether the machine's port, or another one, takes connections."""

    def another_port(self) -> int:
        """Return a port of the host that is free."""

    async def attached(self) -> Mapping[int, str]:
        """Return the ids of the data disks that the running machine has, by lun."""

    async def crash(self) -> None:
        """Let the machine's hypervisor die at once."""

    async def speaks(self) -> None:
        """Return when the guest has said that it is up, in green."""


class FakeBench:
    """The fake, with the guest played by the bench."""

    def __init__(self) -> None:
        self.driver = FakeDriver()
        self.port = 22022

    def spec(self, *, deaf: bool = False) -> MachineSpec:
        link = PlatformLink(Path("/nowhere/platform"), Path("/nowhere/machine"))
        return MachineSpec(machine=web(self.port), image=unreal_image(), link=link)

    @contextmanager
    def occupied(self, port: int | None = None) -> Iterator[None]:
        self.driver.take_port(port or self.port)
        yield
        self.driver.free_port(port or self.port)

    def is_open(self, port: int | None = None) -> bool:
        return (port or self.port) in self.driver.open_ports(vm_id=WEB)

    def another_port(self) -> int:
        return 24600

    async def attached(self) -> Mapping[int, str]:
        return self.driver.attached_disks(vm_id=WEB)

    async def crash(self) -> None:
        self.driver.crash(vm_id=WEB)

    async def speaks(self) -> None:
        self.driver.write_console(vm_id=WEB, text=f"\x1b[32m{qemu_guest.UP}\x1b[0m\r\n")

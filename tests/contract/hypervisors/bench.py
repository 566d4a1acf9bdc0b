"""The benches the contract suite runs on: each has a driver and plays the world around it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from dockyard.fabric.ports import HypervisorDriver, MachineSpec, PlatformLink
from dockyard.hypervisors.fake.driver import FakeDriver
from dockyard.hypervisors.qemu.acceleration import AccelerationMode
from dockyard.hypervisors.qemu.driver import QemuDriver, qemu_driver
from dockyard.model.image import Image
from dockyard.model.virtual_machine import PortForward, VirtualMachineSize
from tests.support import qemu_guest
from tests.support.values import a_machine

WEB = "11111111-2222-4333-8444-555555555555"


class Bench(Protocol):
    """A driver and a world to run it in."""

    driver: HypervisorDriver

    def spec(self, *, deaf: bool = False) -> MachineSpec:
        """Describe the machine ``WEB``, with one forward, from a free port."""

    async def crash(self) -> None:
        """Let the machine's hypervisor die."""

    async def speaks(self) -> None:
        """Return when the guest has written ``guest is up`` in green to its console."""

    def occupied(self, port: int) -> "contextmanager[None]":  # type: ignore[valid-type]
        """Let another program listen on a port."""


class SystemClock:
    """The host's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

"""A workbench: real endpoints on real sockets, and a platform in memory behind them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from dockyard.model.guest import GuestGoal
from dockyard.model.virtual_machine import VirtualMachine
from dockyard.pki.tenant import TenantKeyFiles
from dockyard.wire.network import PlatformEndpoints
from tests.support.fake_platform import FakePlatform, a_goal, a_plugin
from tests.support.values import a_machine

URLS = {"wire": "http://168.63.129.16", "host": "http://168.63.129.16:32526", "meta": "http://169.254.169.254"}
AGENT = "WALinuxAgent/2.12.0.2"
GOAL = a_goal(a_plugin())


@dataclass
class Bench:
    """The endpoints under test, what stands behind them, and how to reach them."""

    platform: FakePlatform
    keys: TenantKeyFiles
    network: PlatformEndpoints
    folder: Path

    def client(self, vm_id: str, endpoint: str, *, user_agent: str = AGENT) -> httpx.AsyncClient:
        """A client of one endpoint of one machine; like the agent, it makes a connection for each request."""
        socket = self.network.link(vm_id=vm_id).platform_socket.with_name(endpoint)
        return httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(socket)),
            base_url=URLS[endpoint],
            headers={"User-Agent": user_agent, "Connection": "close"},
        )


@asynccontextmanager
async def open_bench(*goals: GuestGoal) -> AsyncIterator[Bench]:
    """Attach the machines of some goals; detach them in the end. The folder's path is short, as sockets want it."""
    folder = Path(tempfile.mkdtemp(prefix="dy-", dir="/tmp"))
    platform = FakePlatform(*goals)
    keys = TenantKeyFiles(folder=folder / "keys")
    network = PlatformEndpoints(runtime=folder / "run", platform=platform, keys=keys)
    try:
        for goal in goals:
            keys.create(vm_id=goal.vm_id)
            await network.attach(vm_id=goal.vm_id)
        yield Bench(platform, keys, network, folder)
    finally:
        await network.close()
        shutil.rmtree(folder)


def another_machine(number: int) -> VirtualMachine:
    """A machine that differs from the others in all that tells machines apart."""
    machine = a_machine(f"web{number}")
    network = replace(
        machine.network,
        mac_address=f"52:54:00:00:00:{number:02x}",
        outbound_mac_address=f"52:55:00:00:00:{number:02x}",
        private_ip=f"10.0.0.{number + 10}",
    )
    return replace(machine, vm_id=f"00000000-0000-4000-8000-0000000000{number:02x}", network=network)

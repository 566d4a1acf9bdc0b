"""The endpoints of all machines: implements ``fabric.ports.PlatformNetwork``. Made by ``dockyard.serve``.

Each machine has a folder of its own below the runtime folder, with five sockets: both ends of its cable and its three
endpoints. No thread and no process belongs to a machine, and everything lives in the one event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from pathlib import Path

from dockyard.fabric.ports import GuestPlatform, PlatformLink, TenantKeys
from dockyard.model.errors import Exhausted
from dockyard.wire.guest import Guest
from dockyard.wire.link.cable import is_dead
from dockyard.wire.machine import Endpoints, Machine


class PlatformEndpoints:
    """All open platforms.

    Args:
        runtime: the folder below which sockets are made; its path must be short, as sockets' paths are.
        platform: where goals come from and reports go.
        keys: the machines' certificates.
    """

    def __init__(self, *, runtime: Path, platform: GuestPlatform, keys: TenantKeys) -> None:
        self._runtime = runtime
        self._platform = platform
        self._keys = keys
        self._endpoints = Endpoints()
        self._machines: dict[str, Machine] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def link(self, *, vm_id: str) -> PlatformLink:
        """Name the sockets of a machine's cable; they are there once it is attached and started."""
        folder = self._runtime / vm_id
        return PlatformLink(platform_socket=folder / "platform", machine_socket=folder / "machine")

    async def attach(self, *, vm_id: str) -> None:
        """Open the machine's endpoints; no error when they are open. Sockets of dead processes are replaced.

        Raises:
            NotFound: the platform has no goal for this machine.
            Exhausted: a socket cannot be made, or libslirp is missing.
        """
        async with self._turns[vm_id]:
            if vm_id not in self._machines:
                self._machines[vm_id] = await self._open(vm_id)

    async def detach(self, *, vm_id: str) -> None:
        """Close the endpoints and remove their sockets; no error when there are none."""
        async with self._turns[vm_id]:
            machine = self._machines.pop(vm_id, None)
            if machine is not None:
                await machine.close()
            _clear(self.link(vm_id=vm_id))

    async def close(self) -> None:
        """Detach every machine, for the end of the process; machines run on and find the next process's sockets."""
        for vm_id in tuple(self._machines):
            async with self._turns[vm_id]:
                await self._machines.pop(vm_id).close()

    async def _open(self, vm_id: str) -> Machine:
        link = self.link(vm_id=vm_id)
        goal = self._platform.goal(vm_id=vm_id)
        link.platform_socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        guest = Guest(vm_id=vm_id, platform=self._platform, keys=self._keys)
        try:
            return await Machine.open(machine=goal.machine, guest=guest, link=link, endpoints=self._endpoints)
        except Exhausted:
            _clear(link)
            raise


def _clear(link: PlatformLink) -> None:
    """Remove what is left of a machine's folder; the machine's own end stays while a process holds it."""
    if is_dead(link.machine_socket):
        link.machine_socket.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        link.machine_socket.parent.rmdir()

"""One machine's open platform: three listening sockets and the link that leads to them.

Made and closed by ``network``.
"""

from __future__ import annotations

from ipaddress import IPv4Address

import uvicorn

from dockyard.fabric.ports import PlatformLink
from dockyard.model.virtual_machine import VirtualMachine
from dockyard.wire.addresses import HOST_PLUGIN_PORT, HTTP_PORT, METADATA, WIRE_SERVER
from dockyard.wire.goal_state.routes import ROUTES as GOAL_STATE
from dockyard.wire.guest import Guest
from dockyard.wire.host_plugin.routes import ROUTES as HOST_PLUGIN
from dockyard.wire.http import Listener, application
from dockyard.wire.link.frames import parse_mac
from dockyard.wire.link.link import Link
from dockyard.wire.link.switch import Switch
from dockyard.wire.metadata.routes import ROUTES as INSTANCE_METADATA


class Endpoints:
    """The three applications, made once for all machines: by address and port, with the names of their sockets."""

    def __init__(self) -> None:
        self.applications: dict[tuple[IPv4Address, int], tuple[str, uvicorn.Config]] = {
            (WIRE_SERVER, HTTP_PORT): ("wire", application(GOAL_STATE)),
            (WIRE_SERVER, HOST_PLUGIN_PORT): ("host", application(HOST_PLUGIN)),
            (METADATA, HTTP_PORT): ("meta", application(INSTANCE_METADATA)),
        }


class Machine:
    """An open platform of one machine."""

    def __init__(self, *, guest: Guest, link: Link, listeners: tuple[Listener, ...]) -> None:
        self._guest = guest
        self._link = link
        self._listeners = listeners

    @classmethod
    async def open(cls, *, machine: VirtualMachine, guest: Guest, link: PlatformLink, endpoints: Endpoints) -> Machine:
        """Open everything, or nothing. Raises Exhausted."""
        folder = link.platform_socket.parent
        paths = {where: folder / name for where, (name, _) in endpoints.applications.items()}
        cable = Link(
            switch=_switch(machine),
            platform_socket=link.platform_socket,
            machine_socket=link.machine_socket,
            endpoints=paths,
        )
        opened = cls(guest=guest, link=cable, listeners=())
        try:
            for where, (_, config) in endpoints.applications.items():
                listener = await Listener.open(path=paths[where], config=config, guest=guest, accepted=cable.accepted)
                opened._listeners += (listener,)
        except BaseException:
            await opened.close()
            raise
        return opened

    async def close(self) -> None:
        """Close the link first, so that nothing new comes in, then the endpoints."""
        self._link.close()
        self._guest.release()
        for listener in self._listeners:
            await listener.close()


def _switch(machine: VirtualMachine) -> Switch:
    return Switch(
        mac=parse_mac(machine.network.mac_address),
        ip=IPv4Address(machine.network.private_ip),
        host_name=machine.os_profile.computer_name,
    )

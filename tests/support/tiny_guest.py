"""A machine of a few hundred lines: Ethernet, ARP, DHCP and just enough TCP to speak HTTP over a platform link.

It stands at the machine's end of the cable, so what it gets to see is what a guest would.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

from dockyard.wire.link import dhcp
from dockyard.wire.link.frames import (
    BROADCAST,
    Arp,
    ArpOperation,
    EtherType,
    Frame,
    Ipv4,
    Protocol,
    Udp,
    checksum,
    dump_arp,
    dump_frame,
    dump_ipv4,
    dump_udp,
    parse_arp,
    parse_frame,
    parse_ipv4,
    parse_mac,
    parse_udp,
)

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
PATIENCE = 10.0
_ports = itertools.count(40000)


@dataclass
class TinyGuest:
    """One machine, switched on."""

    machine_socket: Path
    platform_socket: Path
    mac: bytes
    ip: IPv4Address
    gateway_mac: bytes = BROADCAST
    _socket: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(self.machine_socket))

    def close(self) -> None:
        self._socket.close()
        self.machine_socket.unlink(missing_ok=True)

    async def send(self, ether_type: EtherType, payload: bytes, *, source: bytes | None = None) -> None:
        frame = dump_frame(Frame(self.gateway_mac, source or self.mac, ether_type, payload))
        await asyncio.get_running_loop().sock_sendto(self._socket, frame, str(self.platform_socket))

    async def receive(self) -> Frame:
        async with asyncio.timeout(PATIENCE):
            return parse_frame(await asyncio.get_running_loop().sock_recv(self._socket, 4096))

    async def hears_nothing(self, *, for_seconds: float = 0.1) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(for_seconds):
                await asyncio.get_running_loop().sock_recv(self._socket, 4096)
                return False
        return True

    async def find(self, ip: IPv4Address) -> Arp:
        """Ask for an address, and take the answer for the gateway's."""
        question = Arp(ArpOperation.REQUEST, self.mac, self.ip, bytes(6), ip)
        await self.send(EtherType.ARP, dump_arp(question))
        answer = parse_arp((await self.receive()).payload)
        self.gateway_mac = answer.sender_mac
        return answer

    async def lease(self) -> dhcp.Message:
        """Go through DISCOVER, OFFER, REQUEST and ACK; return the ACK."""
        offer = await self._ask(dhcp.MessageType.DISCOVER, {})
        wanted: dict[int, bytes] = {dhcp.Option.REQUESTED_ADDRESS: offer.your_ip.packed}
        return await self._ask(dhcp.MessageType.REQUEST, wanted)

    async def open(self, where: tuple[IPv4Address, int]) -> None:
        """Open a connection and leave it open."""
        await Connection(guest=self, remote=where[0], remote_port=where[1]).open()

    async def ask_and_ignore(self, where: tuple[IPv4Address, int], request: str) -> None:
        """Send a request and never acknowledge a byte of the answer."""
        connection = Connection(guest=self, remote=where[0], remote_port=where[1])
        await connection.open()
        await connection.write(request.replace("\n", "\r\n").encode())

    async def knock_and_run(self, where: tuple[IPv4Address, int]) -> None:
        """Open a connection and reset it at once, without waiting for any answer."""
        connection = Connection(guest=self, remote=where[0], remote_port=where[1])
        await connection.transmit(SYN)
        connection.sent += 1
        await connection.transmit(RST)
        await asyncio.sleep(0)

    async def send_discover(self) -> None:
        """Ask for a lease and do not listen."""
        await self._send_dhcp(dhcp.MessageType.DISCOVER, {})

    async def _ask(self, kind: dhcp.MessageType, options: dict[int, bytes]) -> dhcp.Message:
        await self._send_dhcp(kind, options)
        return dhcp.parse_message(parse_udp(parse_ipv4((await self.receive()).payload).payload).payload)

    async def _send_dhcp(self, kind: dhcp.MessageType, options: dict[int, bytes]) -> None:
        message = dhcp.Message(
            operation=dhcp.Operation.REQUEST,
            transaction=7,
            client_mac=self.mac,
            options={dhcp.Option.MESSAGE_TYPE: bytes((kind,)), **options},
        )
        nowhere, everywhere = IPv4Address(0), IPv4Address("255.255.255.255")
        datagram = Udp(dhcp.CLIENT_PORT, dhcp.SERVER_PORT, dhcp.dump_message(message))
        payload = dump_udp(datagram, source=nowhere, destination=everywhere)
        await self.send(EtherType.IPV4, dump_ipv4(Ipv4(nowhere, everywhere, Protocol.UDP, payload)))

    async def http(self, where: tuple[IPv4Address, int], request: str) -> bytes:
        """Send an HTTP request over a connection of its own; return everything that comes back."""
        async with self.connect(where) as connection:
            await connection.write(request.replace("\n", "\r\n").encode())
            return await connection.read()

    @contextlib.asynccontextmanager
    async def connect(self, where: tuple[IPv4Address, int]) -> AsyncIterator[Connection]:
        connection = Connection(guest=self, remote=where[0], remote_port=where[1])
        await connection.open()
        yield connection
        await connection.transmit(FIN | ACK)


@dataclass
class Connection:
    """A TCP connection on a wire that loses nothing: what arrives out of order is left for its repetition."""

    guest: TinyGuest
    remote: IPv4Address
    remote_port: int
    port: int = field(default_factory=lambda: next(_ports))
    sent: int = 1000
    seen: int = 0

    async def open(self) -> None:
        await self.transmit(SYN)
        flags, sequence, _ = await self._segment()
        assert flags & (SYN | ACK) == SYN | ACK, "the connection was refused"
        self.sent, self.seen = self.sent + 1, sequence + 1
        await self.transmit(ACK)

    async def write(self, data: bytes) -> None:
        for start in range(0, len(data), 1400):
            part = data[start : start + 1400]
            await self.transmit(PSH | ACK, part)
            self.sent += len(part)

    async def read(self) -> bytes:
        """Read to the end of the stream."""
        received = b""
        while True:
            flags, sequence, payload = await self._segment()
            assert not flags & RST, "the connection was reset"
            if sequence == self.seen:
                received += payload
                self.seen += len(payload) + bool(flags & FIN)
                if flags & FIN:
                    await self.transmit(ACK)
                    return received
            if payload:
                await self.transmit(ACK)

    async def transmit(self, flags: int, payload: bytes = b"") -> None:
        guest = self.guest
        head = struct.pack(
            "!HHIIBBHHH",
            self.port,
            self.remote_port,
            self.sent,
            self.seen if flags & ACK else 0,
            0x50,
            flags,
            60000,
            0,
            0,
        )
        pseudo = guest.ip.packed + self.remote.packed + struct.pack("!HH", Protocol.TCP, len(head) + len(payload))
        total = struct.pack("!H", checksum(pseudo + head + payload))
        segment = head[:16] + total + head[18:] + payload
        await guest.send(EtherType.IPV4, dump_ipv4(Ipv4(guest.ip, self.remote, Protocol.TCP, segment)))

    async def _segment(self) -> tuple[int, int, bytes]:
        while True:
            frame = await self.guest.receive()
            if frame.ether_type != EtherType.IPV4:
                continue
            packet = parse_ipv4(frame.payload)
            if packet.protocol != Protocol.TCP:
                continue
            source, destination, sequence, _, offset, flags = struct.unpack_from("!HHIIBB", packet.payload)
            if (source, destination) == (self.remote_port, self.port):
                return flags, sequence, packet.payload[(offset >> 4) * 4 :]


def make_guest(*, machine_socket: Path, platform_socket: Path, mac: str, ip: str) -> TinyGuest:
    return TinyGuest(machine_socket, platform_socket, parse_mac(mac), IPv4Address(ip))

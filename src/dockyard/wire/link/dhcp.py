"""DHCP (RFC 2131) as values and bytes, and what the platform answers: one fixed lease for one machine.

Pure. The answer carries what Azure's carries: routes to the platform's addresses (option 121, RFC 3442) and the wire
server's address (option 245), by which cloud-init and WALinuxAgent find it. It names no router: a machine's default
route belongs to its other interface.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from ipaddress import IPv4Address, IPv4Network

from dockyard.wire.addresses import METADATA, WIRE_SERVER
from dockyard.wire.link.frames import MalformedFrame

SERVER_PORT = 67
CLIENT_PORT = 68

_FIXED = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s4s")
_COOKIE = b"\x63\x82\x53\x63"
_BROADCAST_FLAG = 0x8000
_LEAST_LENGTH = 300
_FOREVER = 0xFFFFFFFF
_NOWHERE = IPv4Address(0)


class Operation(IntEnum):
    """Who speaks."""

    REQUEST = 1
    REPLY = 2


class MessageType(IntEnum):
    """Option 53."""

    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8


class Option(IntEnum):
    """The options read or written here."""

    PAD = 0
    SUBNET_MASK = 1
    HOST_NAME = 12
    MTU = 26
    BROADCAST_ADDRESS = 28
    REQUESTED_ADDRESS = 50
    LEASE_SECONDS = 51
    MESSAGE_TYPE = 53
    SERVER_IDENTIFIER = 54
    CLASSLESS_ROUTES = 121
    WIRE_SERVER = 245
    END = 255


@dataclass(frozen=True)
class Message:
    """One DHCP message. ``options`` holds each option's bytes by number, in the order they are written."""

    operation: Operation
    transaction: int
    client_mac: bytes
    options: Mapping[int, bytes] = field(default_factory=dict)
    wants_broadcast: bool = False
    client_ip: IPv4Address = _NOWHERE
    your_ip: IPv4Address = _NOWHERE

    @property
    def type(self) -> MessageType:
        """The message's type. Raises MalformedFrame when it has none."""
        try:
            return MessageType(self.options.get(Option.MESSAGE_TYPE, b"\0")[0])
        except (ValueError, IndexError) as error:
            raise MalformedFrame("a DHCP message without a type") from error

    def address(self, option: Option) -> IPv4Address | None:
        """An option that holds an address, or None. Raises MalformedFrame."""
        value = self.options.get(option)
        if value is None:
            return None
        if len(value) != 4:
            raise MalformedFrame(f"DHCP option {option} is not an address")
        return IPv4Address(value)


@dataclass(frozen=True)
class Lease:
    """What one machine is told."""

    address: IPv4Address
    network: IPv4Network
    gateway: IPv4Address
    server: IPv4Address
    host_name: str
    mtu: int


def parse_message(data: bytes) -> Message:
    """Read a message. Raises MalformedFrame."""
    if len(data) < _FIXED.size:
        raise MalformedFrame("shorter than a DHCP message")
    operation, kind, length, _, transaction, _, flags, client, yours, _, _, mac, _, _, cookie = _FIXED.unpack_from(data)
    if operation not in (Operation.REQUEST, Operation.REPLY) or (kind, length, cookie) != (1, 6, _COOKIE):
        raise MalformedFrame("not a DHCP message for Ethernet")
    return Message(
        operation=Operation(operation),
        transaction=transaction,
        client_mac=mac[:6],
        options=_parse_options(data[_FIXED.size :]),
        wants_broadcast=bool(flags & _BROADCAST_FLAG),
        client_ip=IPv4Address(client),
        your_ip=IPv4Address(yours),
    )


def dump_message(message: Message) -> bytes:
    """The message's bytes, padded to the least length old clients take."""
    nothing = _NOWHERE.packed
    fixed = _FIXED.pack(
        message.operation, 1, 6, 0, message.transaction, 0, _BROADCAST_FLAG if message.wants_broadcast else 0,
        message.client_ip.packed, message.your_ip.packed, nothing, nothing,
        message.client_mac, b"", b"", _COOKIE,
    )  # fmt: skip
    options = b"".join(bytes((number, len(value))) + value for number, value in message.options.items())
    return (fixed + options + bytes((Option.END,))).ljust(_LEAST_LENGTH, b"\0")


def answer(request: Message, *, mac: bytes, lease: Lease) -> Message | None:
    """Decide what to say to a message, or None for nothing. Raises MalformedFrame."""
    server = request.address(Option.SERVER_IDENTIFIER)
    if request.operation is not Operation.REQUEST or request.client_mac != mac or server not in (None, lease.server):
        return None
    if request.type is MessageType.DISCOVER:
        return _reply(request, MessageType.OFFER, lease)
    if request.type is MessageType.INFORM:
        return _reply(request, MessageType.ACK, lease, assigns=False)
    if request.type is MessageType.REQUEST:
        wanted = request.address(Option.REQUESTED_ADDRESS) or request.client_ip
        return _reply(request, MessageType.ACK, lease) if wanted == lease.address else _refusal(request, lease)
    return None


def _reply(request: Message, kind: MessageType, lease: Lease, *, assigns: bool = True) -> Message:
    options: dict[int, bytes] = {
        Option.MESSAGE_TYPE: bytes((kind,)),
        Option.SERVER_IDENTIFIER: lease.server.packed,
        Option.LEASE_SECONDS: _FOREVER.to_bytes(4, "big"),
        Option.SUBNET_MASK: lease.network.netmask.packed,
        Option.BROADCAST_ADDRESS: lease.network.broadcast_address.packed,
        Option.HOST_NAME: lease.host_name.encode("ascii", "ignore")[:255],
        Option.MTU: lease.mtu.to_bytes(2, "big"),
        Option.CLASSLESS_ROUTES: b"".join(b"\x20" + ip.packed + lease.gateway.packed for ip in (WIRE_SERVER, METADATA)),
        Option.WIRE_SERVER: WIRE_SERVER.packed,
    }
    if not assigns:
        del options[Option.LEASE_SECONDS]
    return Message(
        operation=Operation.REPLY,
        transaction=request.transaction,
        client_mac=request.client_mac,
        options=options,
        wants_broadcast=request.wants_broadcast,
        client_ip=request.client_ip,
        your_ip=lease.address if assigns else _NOWHERE,
    )


def _refusal(request: Message, lease: Lease) -> Message:
    return Message(
        operation=Operation.REPLY,
        transaction=request.transaction,
        client_mac=request.client_mac,
        options={
            Option.MESSAGE_TYPE: bytes((MessageType.NAK,)),
            Option.SERVER_IDENTIFIER: lease.server.packed,
        },
        wants_broadcast=True,
    )


def _parse_options(data: bytes) -> dict[int, bytes]:
    options: dict[int, bytes] = {}
    index = 0
    while index < len(data) and data[index] != Option.END:
        if data[index] == Option.PAD:
            index += 1
            continue
        if index + 2 > len(data) or index + 2 + data[index + 1] > len(data):
            raise MalformedFrame("a DHCP option cut short")
        end = index + 2 + data[index + 1]
        # An option given in parts (RFC 3396) is one option.
        options[data[index]] = options.get(data[index], b"") + data[index + 2 : end]
        index = end
    return options

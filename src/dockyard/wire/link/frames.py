"""Ethernet frames, ARP, IPv4 and UDP packets as values, and their bytes.

Pure: used by the switch, which decides what to do with a frame, and by tests that play a machine. Only what a platform
link carries is understood; anything else is `MalformedFrame`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address

BROADCAST = b"\xff" * 6
_ETHERNET = struct.Struct("!6s6sH")
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_UDP = struct.Struct("!HHHH")
_TCP_HEAD = struct.Struct("!HH9xB")
_TTL = 64
_SYN, _ACK = 0x02, 0x10


class MalformedFrame(ValueError):
    """Bytes that are not the packet they claim to be, or of a kind a platform link does not carry."""


class EtherType(IntEnum):
    """What a frame carries."""

    IPV4 = 0x0800
    ARP = 0x0806


class Protocol(IntEnum):
    """What an IPv4 packet carries."""

    TCP = 6
    UDP = 17


class ArpOperation(IntEnum):
    """Question or answer."""

    REQUEST = 1
    REPLY = 2


@dataclass(frozen=True, slots=True)
class Frame:
    """One Ethernet frame; addresses are six bytes."""

    destination: bytes
    source: bytes
    ether_type: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Arp:
    """One ARP packet for IPv4 over Ethernet."""

    operation: ArpOperation
    sender_mac: bytes
    sender_ip: IPv4Address
    target_mac: bytes
    target_ip: IPv4Address


@dataclass(frozen=True, slots=True)
class Ipv4:
    """One unfragmented IPv4 packet."""

    source: IPv4Address
    destination: IPv4Address
    protocol: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Udp:
    """One UDP datagram."""

    source_port: int
    destination_port: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class TcpHead:
    """As much of a TCP segment as it takes to judge it."""

    destination_port: int
    is_opening: bool


def parse_mac(text: str) -> bytes:
    """Turn ``52:54:00:12:34:56`` into six bytes. Raises ValueError."""
    octets = bytes.fromhex(text.replace(":", "").replace("-", ""))
    if len(octets) != 6:
        raise ValueError(f"{text} is not a hardware address")
    return octets


def parse_frame(data: bytes) -> Frame:
    """Read a frame. Raises MalformedFrame."""
    if len(data) < _ETHERNET.size:
        raise MalformedFrame("shorter than an Ethernet header")
    destination, source, ether_type = _ETHERNET.unpack_from(data)
    return Frame(destination, source, ether_type, data[_ETHERNET.size :])


def dump_frame(frame: Frame) -> bytes:
    """The frame's bytes."""
    return _ETHERNET.pack(frame.destination, frame.source, frame.ether_type) + frame.payload


def parse_arp(data: bytes) -> Arp:
    """Read an ARP packet. Raises MalformedFrame."""
    if len(data) < _ARP.size:
        raise MalformedFrame("shorter than an ARP packet")
    *kind, operation, sender_mac, sender_ip, target_mac, target_ip = _ARP.unpack_from(data)
    if kind != [1, EtherType.IPV4, 6, 4] or operation not in (ArpOperation.REQUEST, ArpOperation.REPLY):
        raise MalformedFrame("not ARP for IPv4 over Ethernet")
    return Arp(ArpOperation(operation), sender_mac, IPv4Address(sender_ip), target_mac, IPv4Address(target_ip))


def dump_arp(arp: Arp) -> bytes:
    """The packet's bytes."""
    return _ARP.pack(
        1, EtherType.IPV4, 6, 4, arp.operation,
        arp.sender_mac, arp.sender_ip.packed, arp.target_mac, arp.target_ip.packed,
    )  # fmt: skip


def parse_ipv4(data: bytes) -> Ipv4:
    """Read an IPv4 packet; padding after it is dropped. Raises MalformedFrame, also for fragments."""
    if len(data) < _IPV4.size:
        raise MalformedFrame("shorter than an IPv4 header")
    first, _, total, _, fragment, _, protocol, _, source, destination = _IPV4.unpack_from(data)
    header = (first & 0x0F) * 4
    if first >> 4 != 4 or header < _IPV4.size or not header <= total <= len(data):
        raise MalformedFrame("not an IPv4 packet, or cut short")
    if fragment & 0x3FFF:
        raise MalformedFrame("a fragment")
    return Ipv4(IPv4Address(source), IPv4Address(destination), protocol, data[header:total])


def dump_ipv4(packet: Ipv4) -> bytes:
    """The packet's bytes, with a header of 20 bytes and its checksum."""
    total = _IPV4.size + len(packet.payload)
    addresses = (packet.source.packed, packet.destination.packed)
    bare = _IPV4.pack(0x45, 0, total, 0, 0x4000, _TTL, packet.protocol, 0, *addresses)
    header = _IPV4.pack(0x45, 0, total, 0, 0x4000, _TTL, packet.protocol, checksum(bare), *addresses)
    return header + packet.payload


def parse_udp(data: bytes) -> Udp:
    """Read a UDP datagram; its checksum is not looked at. Raises MalformedFrame."""
    if len(data) < _UDP.size:
        raise MalformedFrame("shorter than a UDP header")
    source_port, destination_port, length, _ = _UDP.unpack_from(data)
    if not _UDP.size <= length <= len(data):
        raise MalformedFrame("a UDP datagram cut short")
    return Udp(source_port, destination_port, data[_UDP.size : length])


def dump_udp(datagram: Udp, *, source: IPv4Address, destination: IPv4Address) -> bytes:
    """The datagram's bytes; the addresses are those of the packet around it, as the checksum covers them."""
    length = _UDP.size + len(datagram.payload)
    ports = (datagram.source_port, datagram.destination_port)
    pseudo = source.packed + destination.packed + struct.pack("!HH", Protocol.UDP, length)
    # 0 would mean that there is no checksum, so a computed 0 is sent as its other form.
    total = checksum(pseudo + _UDP.pack(*ports, length, 0) + datagram.payload) or 0xFFFF
    return _UDP.pack(*ports, length, total) + datagram.payload


def parse_tcp_head(data: bytes) -> TcpHead:
    """Read what the switch judges a segment by. Raises MalformedFrame."""
    if len(data) < 20:
        raise MalformedFrame("shorter than a TCP header")
    _, destination_port, flags = _TCP_HEAD.unpack_from(data)
    return TcpHead(destination_port, is_opening=flags & (_SYN | _ACK) == _SYN)


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF

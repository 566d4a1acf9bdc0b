"""What becomes of a machine's frame: an answer at once, a way to the TCP stack, or nothing.

Pure: one `Switch` a machine, asked by `cable` for each frame. It is the wall around a guest: only its own addresses may
speak, and only TCP to the platform's three endpoints goes on; everything else ends here without a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv4Network

from dockyard.wire.addresses import HOST_PLUGIN_PORT, HTTP_PORT, METADATA, WIRE_SERVER
from dockyard.wire.link import dhcp
from dockyard.wire.link.frames import (
    BROADCAST,
    Arp,
    ArpOperation,
    EtherType,
    Frame,
    Ipv4,
    MalformedFrame,
    Protocol,
    Udp,
    dump_arp,
    dump_frame,
    dump_ipv4,
    dump_udp,
    parse_arp,
    parse_frame,
    parse_ipv4,
    parse_tcp_head,
    parse_udp,
)

GATEWAY_MAC = bytes.fromhex("123456789abc")  # what Azure's own gateway has
MTU = 1500
ENDPOINTS = frozenset({(WIRE_SERVER, HTTP_PORT), (WIRE_SERVER, HOST_PLUGIN_PORT), (METADATA, HTTP_PORT)})

_PREFIX = 24
_NOWHERE = IPv4Address(0)
_EVERYWHERE = IPv4Address("255.255.255.255")


class Verdict(Enum):
    """What to do with a frame."""

    DROP = "drop"
    ANSWER = "answer"
    CONNECT = "connect"
    FORWARD = "forward"


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, and the frame to send for ANSWER. CONNECT is FORWARD for the first segment of a connection."""

    verdict: Verdict
    reply: bytes = b""


_DROP = Decision(Verdict.DROP)
_CONNECT = Decision(Verdict.CONNECT)
_FORWARD = Decision(Verdict.FORWARD)


class Switch:
    """The rules for one machine: its hardware address, its IP address, and the name its lease carries."""

    def __init__(self, *, mac: bytes, ip: IPv4Address, host_name: str) -> None:
        self.mac = mac
        self.ip = ip
        network = IPv4Network((int(ip) >> (32 - _PREFIX) << (32 - _PREFIX), _PREFIX))
        gateway = network.network_address + 1
        self._here = frozenset({gateway, WIRE_SERVER, METADATA})
        self._lease = dhcp.Lease(
            address=ip, network=network, gateway=gateway, server=WIRE_SERVER, host_name=host_name, mtu=MTU
        )

    def decide(self, data: bytes) -> Decision:
        """Judge one frame from the machine's side of the cable."""
        try:
            frame = parse_frame(data)
            if frame.source != self.mac or frame.destination not in (GATEWAY_MAC, BROADCAST):
                return _DROP
            if frame.ether_type == EtherType.IPV4:
                return self._ipv4(parse_ipv4(frame.payload))
            if frame.ether_type == EtherType.ARP:
                return self._arp(parse_arp(frame.payload))
        except MalformedFrame:
            return _DROP
        return _DROP

    def introduction(self) -> bytes:
        """An ARP reply that tells a stack behind the switch where the machine is, so that it never has to ask."""
        arp = Arp(ArpOperation.REPLY, self.mac, self.ip, GATEWAY_MAC, WIRE_SERVER)
        return dump_frame(Frame(GATEWAY_MAC, self.mac, EtherType.ARP, dump_arp(arp)))

    def outbound(self, data: bytes) -> bytes:
        """A frame of the stack's as the machine shall see it: from the gateway."""
        return self.mac + GATEWAY_MAC + data[12:]

    def _arp(self, arp: Arp) -> Decision:
        honest = arp.sender_mac == self.mac and arp.sender_ip in (self.ip, _NOWHERE)
        if arp.operation is not ArpOperation.REQUEST or not honest or arp.target_ip not in self._here:
            return _DROP
        reply = Arp(ArpOperation.REPLY, GATEWAY_MAC, arp.target_ip, self.mac, arp.sender_ip)
        return self._send(EtherType.ARP, dump_arp(reply))

    def _ipv4(self, packet: Ipv4) -> Decision:
        if packet.protocol == Protocol.TCP and packet.source == self.ip:
            head = parse_tcp_head(packet.payload)
            if (packet.destination, head.destination_port) in ENDPOINTS:
                return _CONNECT if head.is_opening else _FORWARD
        if packet.protocol == Protocol.UDP and packet.source in (self.ip, _NOWHERE):
            datagram = parse_udp(packet.payload)
            if datagram.destination_port == dhcp.SERVER_PORT and packet.destination in (_EVERYWHERE, WIRE_SERVER):
                return self._dhcp(dhcp.parse_message(datagram.payload))
        return _DROP

    def _dhcp(self, request: dhcp.Message) -> Decision:
        reply = dhcp.answer(request, mac=self.mac, lease=self._lease)
        if reply is None:
            return _DROP
        destination = _EVERYWHERE if reply.wants_broadcast else self.ip
        datagram = Udp(dhcp.SERVER_PORT, dhcp.CLIENT_PORT, dhcp.dump_message(reply))
        payload = dump_udp(datagram, source=WIRE_SERVER, destination=destination)
        return self._send(EtherType.IPV4, dump_ipv4(Ipv4(WIRE_SERVER, destination, Protocol.UDP, payload)))

    def _send(self, ether_type: EtherType, payload: bytes) -> Decision:
        return Decision(Verdict.ANSWER, dump_frame(Frame(self.mac, GATEWAY_MAC, ether_type, payload)))

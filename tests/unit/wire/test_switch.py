"""The wall around a machine: what of its frames is answered, what goes on, what ends."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from dockyard.wire.addresses import METADATA, WIRE_SERVER
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
    dump_arp,
    dump_frame,
    dump_ipv4,
    dump_udp,
    parse_arp,
    parse_frame,
    parse_ipv4,
    parse_udp,
)
from dockyard.wire.link.switch import GATEWAY_MAC, Switch, Verdict

MAC, OTHER_MAC = bytes.fromhex("525400123456"), bytes.fromhex("525400999999")
IP, OTHER_IP, GATEWAY = IPv4Address("10.0.0.4"), IPv4Address("10.0.0.5"), IPv4Address("10.0.0.1")
NOWHERE, EVERYWHERE = IPv4Address(0), IPv4Address("255.255.255.255")
SYN, ACK = 0x02, 0x10


@pytest.fixture
def switch() -> Switch:
    return Switch(mac=MAC, ip=IP, host_name="web")


def arp(target: IPv4Address, *, sender: IPv4Address = IP, mac: bytes = MAC, frame_mac: bytes = MAC) -> bytes:
    packet = dump_arp(Arp(ArpOperation.REQUEST, mac, sender, bytes(6), target))
    return dump_frame(Frame(BROADCAST, frame_mac, EtherType.ARP, packet))


def tcp(where: IPv4Address, port: int, *, flags: int = SYN, source: IPv4Address = IP, mac: bytes = MAC) -> bytes:
    segment = b"\x9c\x40" + port.to_bytes(2, "big") + bytes(8) + b"\x50" + bytes((flags,)) + bytes(6)
    return dump_frame(Frame(GATEWAY_MAC, mac, EtherType.IPV4, dump_ipv4(Ipv4(source, where, Protocol.TCP, segment))))


def udp(where: IPv4Address, port: int, payload: bytes, *, source: IPv4Address = IP) -> bytes:
    datagram = dump_udp(Udp(68, port, payload), source=source, destination=where)
    return dump_frame(Frame(BROADCAST, MAC, EtherType.IPV4, dump_ipv4(Ipv4(source, where, Protocol.UDP, datagram))))


def discover(
    *, client_mac: bytes = MAC, broadcast: bool = False, client_ip: IPv4Address = NOWHERE, kind: int = 1
) -> bytes:
    options: dict[int, bytes] = {dhcp.Option.MESSAGE_TYPE: bytes((kind,))}
    message = dhcp.Message(dhcp.Operation.REQUEST, 7, client_mac, options, broadcast, client_ip)
    return dhcp.dump_message(message)


@pytest.mark.parametrize("target", [GATEWAY, WIRE_SERVER, METADATA])
@pytest.mark.parametrize("sender", [IP, NOWHERE])
def test_the_gateway_answers_for_itself_and_the_platform(
    switch: Switch, target: IPv4Address, sender: IPv4Address
) -> None:
    decision = switch.decide(arp(target, sender=sender))
    frame = parse_frame(decision.reply)
    assert (decision.verdict, frame.destination, frame.source) == (Verdict.ANSWER, MAC, GATEWAY_MAC)
    assert parse_arp(frame.payload) == Arp(ArpOperation.REPLY, GATEWAY_MAC, target, MAC, sender)


@pytest.mark.parametrize(
    "frame",
    [
        arp(IP),
        arp(OTHER_IP),
        arp(GATEWAY, sender=OTHER_IP),
        arp(GATEWAY, mac=OTHER_MAC),
        arp(GATEWAY, frame_mac=OTHER_MAC),
        dump_frame(
            Frame(BROADCAST, MAC, EtherType.ARP, dump_arp(Arp(ArpOperation.REPLY, MAC, IP, GATEWAY_MAC, GATEWAY)))
        ),
    ],
    ids=["own", "neighbour", "forged sender", "forged hardware", "forged frame", "reply"],
)
def test_other_questions_stay_unanswered(switch: Switch, frame: bytes) -> None:
    assert switch.decide(frame).verdict is Verdict.DROP


@pytest.mark.parametrize(("where", "port"), [(WIRE_SERVER, 80), (WIRE_SERVER, 32526), (METADATA, 80)])
def test_the_three_endpoints_can_be_connected_to(switch: Switch, where: IPv4Address, port: int) -> None:
    assert switch.decide(tcp(where, port)).verdict is Verdict.CONNECT
    assert switch.decide(tcp(where, port, flags=ACK)).verdict is Verdict.FORWARD


@pytest.mark.parametrize(
    "frame",
    [
        tcp(WIRE_SERVER, 53),
        tcp(METADATA, 32526),
        tcp(GATEWAY, 80),
        tcp(IPv4Address("127.0.0.1"), 80),
        tcp(IPv4Address("168.0.0.2"), 80),
        tcp(IPv4Address("1.1.1.1"), 80),
        tcp(WIRE_SERVER, 80, source=OTHER_IP),
        tcp(WIRE_SERVER, 80, source=NOWHERE),
        tcp(WIRE_SERVER, 80, mac=OTHER_MAC),
        tcp(WIRE_SERVER, 80).replace(GATEWAY_MAC, OTHER_MAC, 1),
        udp(WIRE_SERVER, 53, b"name?"),
        udp(IPv4Address("10.0.0.255"), 137, b"hello"),
        dump_frame(Frame(GATEWAY_MAC, MAC, EtherType.IPV4, dump_ipv4(Ipv4(IP, WIRE_SERVER, 1, b"ping")))),
        dump_frame(Frame(BROADCAST, MAC, 0x86DD, bytes(40))),
        dump_frame(Frame(BROADCAST, MAC, EtherType.IPV4, b"\x45")),
        b"",
    ],
)
def test_everything_else_ends_here(switch: Switch, frame: bytes) -> None:
    assert switch.decide(frame).verdict is Verdict.DROP


@pytest.mark.parametrize(("broadcast", "destination"), [(True, EVERYWHERE), (False, IP)])
def test_a_discover_is_answered_where_the_client_listens(
    switch: Switch, broadcast: bool, destination: IPv4Address
) -> None:
    decision = switch.decide(udp(EVERYWHERE, 67, discover(broadcast=broadcast), source=NOWHERE))
    frame = parse_frame(decision.reply)
    packet = parse_ipv4(frame.payload)
    datagram = parse_udp(packet.payload)
    assert (frame.destination, packet.source, packet.destination) == (MAC, WIRE_SERVER, destination)
    assert (datagram.source_port, datagram.destination_port) == (67, 68)
    assert dhcp.parse_message(datagram.payload).your_ip == IP


def test_a_renewal_comes_to_the_servers_own_address(switch: Switch) -> None:
    frame = udp(WIRE_SERVER, 67, discover(kind=dhcp.MessageType.REQUEST, client_ip=IP))
    assert switch.decide(frame).verdict is Verdict.ANSWER


@pytest.mark.parametrize("payload", [b"", discover(client_mac=OTHER_MAC), discover(kind=dhcp.MessageType.RELEASE)])
def test_no_other_machine_gets_a_lease(switch: Switch, payload: bytes) -> None:
    assert switch.decide(udp(EVERYWHERE, 67, payload, source=NOWHERE)).verdict is Verdict.DROP


def test_the_stack_is_told_where_the_machine_is(switch: Switch) -> None:
    told = parse_arp(parse_frame(switch.introduction()).payload)
    assert (told.operation, told.sender_mac, told.sender_ip) == (ArpOperation.REPLY, MAC, IP)


def test_the_stacks_frames_come_from_the_gateway(switch: Switch) -> None:
    assert switch.outbound(bytes(12) + b"\x08\x00rest") == MAC + GATEWAY_MAC + b"\x08\x00rest"


def test_the_gateway_is_the_first_address_of_the_machines_own_network() -> None:
    switch = Switch(mac=MAC, ip=IPv4Address("10.7.3.200"), host_name="web")
    question = arp(IPv4Address("10.7.3.1"), sender=IPv4Address("10.7.3.200"))
    assert switch.decide(question).verdict is Verdict.ANSWER

"""Packets as they are on the wire: bytes another implementation wrote, read and written here."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address

import pytest

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
    checksum,
    dump_arp,
    dump_frame,
    dump_ipv4,
    dump_udp,
    parse_arp,
    parse_frame,
    parse_ipv4,
    parse_mac,
    parse_tcp_head,
    parse_udp,
)

MAC = bytes.fromhex("525400123456")
ARP_REQUEST = bytes.fromhex("ffffffffffff525400123456080600010800060400015254001234560a0000040000000000000a000001")
IPV4_UDP = bytes.fromhex("4500002000004000401126c90a0000040a000001")
UDP = bytes.fromhex("00430044000c037174657374")
SYN = bytes.fromhex("9c400050000003e80000000050020faa00000000")


def test_an_arp_request_reads_and_writes_back() -> None:
    frame = parse_frame(ARP_REQUEST)
    assert (frame.destination, frame.source, frame.ether_type) == (BROADCAST, MAC, EtherType.ARP)
    arp = parse_arp(frame.payload)
    assert arp == Arp(ArpOperation.REQUEST, MAC, IPv4Address("10.0.0.4"), bytes(6), IPv4Address("10.0.0.1"))
    assert dump_frame(Frame(BROADCAST, MAC, EtherType.ARP, dump_arp(arp))) == ARP_REQUEST


def test_an_ipv4_header_is_written_with_its_checksum() -> None:
    packet = Ipv4(IPv4Address("10.0.0.4"), IPv4Address("10.0.0.1"), Protocol.UDP, UDP)
    written = dump_ipv4(packet)
    assert written == IPV4_UDP + UDP
    assert checksum(written[:20]) == 0
    assert parse_ipv4(written + b"padding to the least frame") == packet


def test_a_udp_datagram_is_written_with_its_checksum() -> None:
    datagram = Udp(67, 68, b"test")
    assert dump_udp(datagram, source=IPv4Address("10.0.0.4"), destination=IPv4Address("10.0.0.1")) == UDP
    assert parse_udp(UDP + b"padding") == datagram


def test_the_checksum_of_an_odd_length_counts_a_zero_more() -> None:
    assert checksum(b"\x01\x02\x03") == checksum(b"\x01\x02\x03\x00") == 0xFBFD


def test_options_of_an_ipv4_header_are_skipped() -> None:
    head = bytes.fromhex("4600001c00004000400600000a0000040a000001") + b"\x01" * 4
    assert parse_ipv4(head + b"data").payload == b"data"


@pytest.mark.parametrize(("flags", "opens"), [(0x02, True), (0x12, False), (0x10, False), (0x04, False), (0x42, True)])
def test_only_a_lone_syn_opens_a_connection(flags: int, opens: bool) -> None:
    head = parse_tcp_head(SYN[:13] + bytes((flags,)) + SYN[14:])
    assert (head.destination_port, head.is_opening) == (80, opens)


@pytest.mark.parametrize(
    ("parse", "data"),
    [
        (parse_frame, ARP_REQUEST[:13]),
        (parse_arp, ARP_REQUEST[14:-1]),
        (parse_arp, b"\x00\x06" + ARP_REQUEST[16:]),
        (parse_arp, ARP_REQUEST[14:20] + b"\x00\x03" + ARP_REQUEST[22:]),
        (parse_ipv4, IPV4_UDP[:19]),
        (parse_ipv4, IPV4_UDP),
        (parse_ipv4, b"\x65" + IPV4_UDP[1:] + UDP),
        (parse_ipv4, b"\x44" + IPV4_UDP[1:] + UDP),
        (parse_ipv4, b"\x4f" + IPV4_UDP[1:] + UDP),
        (parse_ipv4, IPV4_UDP[:6] + b"\x20\x00" + IPV4_UDP[8:] + UDP),
        (parse_ipv4, IPV4_UDP[:6] + b"\x00\x01" + IPV4_UDP[8:] + UDP),
        (parse_udp, UDP[:7]),
        (parse_udp, UDP[:-1]),
        (parse_udp, UDP[:4] + b"\x00\x07" + UDP[6:]),
        (parse_tcp_head, SYN[:-1]),
    ],
)
def test_what_is_cut_short_or_of_another_kind_is_refused(parse: Callable[[bytes], object], data: bytes) -> None:
    with pytest.raises(MalformedFrame):
        parse(data)


@pytest.mark.parametrize("text", ["52:54:00:12:34:56", "52-54-00-12-34-56", "525400123456"])
def test_a_hardware_address_reads_in_each_spelling(text: str) -> None:
    assert parse_mac(text) == MAC


@pytest.mark.parametrize("text", ["", "52:54", "zz:54:00:12:34:56", "52:54:00:12:34:56:78"])
def test_what_is_no_hardware_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_mac(text)

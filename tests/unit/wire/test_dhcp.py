"""DHCP: what a client sends, what it is told, and what it is not."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest

from dockyard.wire.link.dhcp import (
    Lease,
    Message,
    MessageType,
    Operation,
    Option,
    answer,
    dump_message,
    parse_message,
)
from dockyard.wire.link.frames import MalformedFrame

MAC = bytes.fromhex("525400123456")
LEASE = Lease(
    address=IPv4Address("10.0.0.4"),
    network=IPv4Network("10.0.0.0/24"),
    gateway=IPv4Address("10.0.0.1"),
    server=IPv4Address("168.63.129.16"),
    host_name="web",
    mtu=1500,
)
# A DISCOVER as busybox's udhcpc sends it, asking for mask, router, name servers, names, routes and option 121.
DISCOVER = bytes.fromhex(
    "0101060000003d1d" + "0000" + "8000" + "00000000" * 4 + "525400123456" + "00" * 10 + "00" * 192 + "63825363"
    "350101"
    + "3d0701525400123456"
    + "3902024c"
    + "3707010306 0c0f1c79".replace(" ", "")
    + "3c0c756468637020312e33372e30"
    + "ff"
)


def request(kind: MessageType, **options: bytes) -> Message:
    named: dict[int, bytes] = {Option[name.upper()]: value for name, value in options.items()}
    return Message(Operation.REQUEST, 7, MAC, {Option.MESSAGE_TYPE: bytes((kind,)), **named})


def replied(message: Message) -> Message:
    reply = answer(message, mac=MAC, lease=LEASE)
    assert reply is not None
    return parse_message(dump_message(reply))


def test_a_clients_own_bytes_are_read() -> None:
    message = parse_message(DISCOVER)
    assert (message.type, message.transaction, message.client_mac) == (MessageType.DISCOVER, 0x3D1D, MAC)
    assert message.wants_broadcast
    assert message.options[55] == bytes((1, 3, 6, 12, 15, 28, 121))


def test_a_discover_is_offered_the_one_lease() -> None:
    offer = replied(parse_message(DISCOVER))
    assert (offer.operation, offer.type, offer.your_ip) == (Operation.REPLY, MessageType.OFFER, LEASE.address)
    assert (offer.transaction, offer.client_mac, offer.wants_broadcast) == (0x3D1D, MAC, True)


def test_the_lease_tells_the_way_to_the_platform_and_no_other() -> None:
    options = replied(parse_message(DISCOVER)).options
    assert options[Option.CLASSLESS_ROUTES] == bytes.fromhex("20a83f81100a000001" + "20a9fea9fe0a000001")
    assert options[Option.WIRE_SERVER] == bytes.fromhex("a83f8110")
    assert 3 not in options, "a router would become a second default route"
    assert 6 not in options, "name servers belong to the other interface"


def test_the_lease_carries_mask_server_name_and_never_ends() -> None:
    options = replied(parse_message(DISCOVER)).options
    assert options[Option.SUBNET_MASK] == b"\xff\xff\xff\x00"
    assert options[Option.BROADCAST_ADDRESS] == b"\x0a\x00\x00\xff"
    assert options[Option.SERVER_IDENTIFIER] == LEASE.server.packed
    assert options[Option.HOST_NAME] == b"web"
    assert options[Option.LEASE_SECONDS] == b"\xff" * 4


def test_the_offer_is_written_byte_for_byte() -> None:
    written = dump_message(replied(parse_message(DISCOVER)))
    assert written[:28].hex() == "0201060000003d1d0000800000000000" + "0a000004" + "0000000000000000"
    assert written[236:].rstrip(b"\0").hex() == (
        "63825363" "350102" "3604a83f8110" "3304ffffffff" "0104ffffff00" "1c040a0000ff" "0c03776562" "1a0205dc"
        "791220a83f81100a00000120a9fea9fe0a000001" "f504a83f8110" "ff"
    )  # fmt: skip
    assert len(written) >= 300


def test_a_request_for_the_lease_is_acknowledged() -> None:
    asked = request(MessageType.REQUEST, requested_address=LEASE.address.packed, server_identifier=LEASE.server.packed)
    assert (replied(asked).type, replied(asked).your_ip) == (MessageType.ACK, LEASE.address)


def test_a_renewal_names_its_address_as_its_own() -> None:
    renewal = replace(request(MessageType.REQUEST), client_ip=LEASE.address)
    assert (replied(renewal).type, replied(renewal).client_ip) == (MessageType.ACK, LEASE.address)


@pytest.mark.parametrize("wanted", ["10.0.0.5", "192.168.0.4"])
def test_a_request_for_another_address_is_refused(wanted: str) -> None:
    refusal = replied(request(MessageType.REQUEST, requested_address=IPv4Address(wanted).packed))
    assert (refusal.type, refusal.your_ip, refusal.wants_broadcast) == (MessageType.NAK, IPv4Address(0), True)


def test_a_client_with_an_address_of_its_own_gets_the_rest() -> None:
    reply = replied(replace(request(MessageType.INFORM), client_ip=LEASE.address))
    assert (reply.type, reply.your_ip) == (MessageType.ACK, IPv4Address(0))
    assert Option.LEASE_SECONDS not in reply.options


@pytest.mark.parametrize(
    "message",
    [
        request(MessageType.RELEASE),
        request(MessageType.DECLINE),
        request(MessageType.REQUEST, server_identifier=bytes((10, 0, 0, 9))),
        replace(request(MessageType.DISCOVER), operation=Operation.REPLY),
        replace(request(MessageType.DISCOVER), client_mac=bytes(6)),
    ],
)
def test_what_is_not_for_this_server_stays_unanswered(message: Message) -> None:
    assert answer(message, mac=MAC, lease=LEASE) is None


def test_an_option_given_in_parts_is_one() -> None:
    assert parse_message(DISCOVER[:-1] + b"\x0c\x02we\x00\x0c\x01b\xff").options[Option.HOST_NAME] == b"web"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        DISCOVER[:239],
        b"\x03" + DISCOVER[1:],
        DISCOVER[:236] + b"\0\0\0\0" + DISCOVER[240:],
        DISCOVER[:-1] + b"\x0c",
        DISCOVER[:-1] + b"\x0c\x09web",
    ],
)
def test_what_is_no_dhcp_message_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedFrame):
        parse_message(data)


@pytest.mark.parametrize("options", [{}, {Option.MESSAGE_TYPE: b""}, {Option.MESSAGE_TYPE: b"\x63"}])
def test_a_message_without_a_type_is_refused(options: dict[int, bytes]) -> None:
    with pytest.raises(MalformedFrame):
        answer(Message(Operation.REQUEST, 7, MAC, options), mac=MAC, lease=LEASE)


def test_an_address_of_another_length_is_refused() -> None:
    with pytest.raises(MalformedFrame):
        answer(request(MessageType.REQUEST, requested_address=b"\x0a"), mac=MAC, lease=LEASE)

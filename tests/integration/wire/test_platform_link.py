"""The whole link with the real libslirp: a tiny guest at the end of a cable, alone and beside another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from dockyard.model.guest import GuestGoal
from dockyard.wire.addresses import METADATA, WIRE_SERVER
from dockyard.wire.link import dhcp
from dockyard.wire.link.frames import EtherType, Ipv4, Protocol, dump_ipv4
from dockyard.wire.link.stack import MAX_CONNECTIONS
from dockyard.wire.link.switch import GATEWAY_MAC
from dockyard_contract.goal_state import parse_goal_state
from dockyard_contract.versions import parse_versions
from tests.support.fake_platform import a_goal, a_plugin
from tests.support.tiny_guest import TinyGuest, make_guest
from tests.support.wire_bench import Bench, another_machine, open_bench

ONE, TWO = a_goal(machine=another_machine(1)), a_goal(machine=another_machine(2))
WIRE, HOST, META = (WIRE_SERVER, 80), (WIRE_SERVER, 32526), (METADATA, 80)
GATEWAY = IPv4Address("10.0.0.1")


@asynccontextmanager
async def switched_on(bench: Bench, goal: GuestGoal) -> AsyncIterator[TinyGuest]:
    link, network = bench.network.link(vm_id=goal.vm_id), goal.machine.network
    guest = make_guest(
        machine_socket=link.machine_socket,
        platform_socket=link.platform_socket,
        mac=network.mac_address,
        ip=network.private_ip,
    )
    try:
        await guest.find(GATEWAY)
        yield guest
    finally:
        guest.close()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with open_bench(ONE, TWO) as bench:
        yield bench


@pytest.fixture
async def guest(bench: Bench) -> AsyncIterator[TinyGuest]:
    async with switched_on(bench, ONE) as guest:
        yield guest


def get(path: str, *headers: str) -> str:
    lines = (f"GET {path} HTTP/1.1", "Host: platform", "Connection: close", *headers, "", "")
    return "\n".join(lines)


def body(answer: bytes) -> bytes:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    return body


async def test_a_machine_gets_its_address(guest: TinyGuest) -> None:
    lease = await guest.lease()
    assert (lease.type, lease.your_ip) == (dhcp.MessageType.ACK, guest.ip)


async def test_a_machine_finds_the_gateway(guest: TinyGuest) -> None:
    assert (await guest.find(WIRE_SERVER)).sender_mac == GATEWAY_MAC


async def test_the_wire_server_answers_over_the_cable(guest: TinyGuest) -> None:
    answer = await guest.http(WIRE, get("/?comp=versions"))
    assert parse_versions(body(answer)).preferred == "2012-11-30"


async def test_all_three_endpoints_answer(guest: TinyGuest) -> None:
    body(await guest.http(HOST, get("/versions")))
    body(await guest.http(META, get("/metadata/instance?api-version=2021-08-01", "Metadata: true")))


async def test_a_package_arrives_whole(bench: Bench, guest: TinyGuest, tmp_path: Path) -> None:
    archive = tmp_path / "package.zip"
    archive.write_bytes(bytes(range(256)) * 8192)
    await bench.platform.publish(a_goal(a_plugin(archive=archive), machine=ONE.machine, incarnation=2))
    answer = await guest.http(WIRE, get("/extensions/Contoso.Harbour.Crane/1.2.3/package.zip"))
    assert body(answer) == archive.read_bytes()


async def test_a_large_report_arrives_whole(guest: TinyGuest) -> None:
    head = "POST /machine?comp=telemetrydata HTTP/1.1\nHost: platform\nConnection: close\nContent-Length: 500000\n\n"
    body(await guest.http(WIRE, head + "x" * 500_000))


async def test_a_machine_that_takes_nothing_it_asked_for_harms_nobody(
    bench: Bench, guest: TinyGuest, tmp_path: Path
) -> None:
    archive = tmp_path / "package.zip"
    archive.write_bytes(bytes(2_000_000))
    await bench.platform.publish(a_goal(a_plugin(archive=archive), machine=ONE.machine, incarnation=2))
    for _ in range(5):
        await guest.ask_and_ignore(WIRE, get("/extensions/Contoso.Harbour.Crane/1.2.3/package.zip"))
    async with switched_on(bench, TWO) as other:
        for _ in range(20):
            body(await other.http(WIRE, get("/?comp=versions")))


async def test_two_machines_are_told_different_things(bench: Bench) -> None:
    async with switched_on(bench, ONE) as one, switched_on(bench, TWO) as two:
        answers = await asyncio.gather(*(each.http(WIRE, get("/machine/?comp=goalstate")) for each in (one, two)))
    assert [parse_goal_state(body(answer)).container_id for answer in answers] == [ONE.vm_id, TWO.vm_id]


async def test_two_machines_are_blind_to_each_other(bench: Bench) -> None:
    async with switched_on(bench, ONE) as one, switched_on(bench, TWO) as two:
        one.gateway_mac = b"\xff" * 6
        await one.send(EtherType.IPV4, dump_ipv4(Ipv4(one.ip, two.ip, Protocol.UDP, b"\0" * 8)))
        one.gateway_mac = two.mac
        await one.send(EtherType.IPV4, dump_ipv4(Ipv4(one.ip, two.ip, Protocol.UDP, b"\0" * 8)))
        assert await two.hears_nothing()
        assert await one.hears_nothing()


@pytest.mark.parametrize(
    ("ip", "mac"), [(TWO.machine.network.private_ip, None), (None, bytes.fromhex("525400000002"))], ids=["ip", "mac"]
)
async def test_a_machine_cannot_pretend_to_be_another(guest: TinyGuest, ip: str | None, mac: bytes | None) -> None:
    guest.ip = IPv4Address(ip) if ip else guest.ip
    guest.mac = mac or guest.mac
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await guest.http(WIRE, get("/?comp=versions"))


@pytest.mark.parametrize(
    ("where", "port"), [("168.63.129.16", 22), ("127.0.0.1", 80), ("10.0.0.1", 80), ("168.0.0.2", 80), ("1.1.1.1", 80)]
)
async def test_nothing_else_can_be_reached(guest: TinyGuest, where: str, port: int) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await guest.http((IPv4Address(where), port), get("/"))


async def test_a_machine_that_is_switched_on_again_is_answered_again(bench: Bench) -> None:
    for _ in range(2):
        async with switched_on(bench, ONE) as guest:
            body(await guest.http(WIRE, get("/?comp=versions")))


async def test_a_platform_that_is_opened_again_answers_a_running_machine(bench: Bench, guest: TinyGuest) -> None:
    body(await guest.http(WIRE, get("/?comp=versions")))
    await bench.network.close()
    await bench.network.attach(vm_id=ONE.vm_id)
    body(await guest.http(WIRE, get("/?comp=versions")))


async def test_one_machine_cannot_use_up_the_platform(bench: Bench, guest: TinyGuest) -> None:
    async with asyncio.timeout(30):
        with pytest.raises(TimeoutError):
            for _ in range(MAX_CONNECTIONS + 1):
                async with asyncio.timeout(1):
                    await guest.open(WIRE)
    async with switched_on(bench, TWO) as other:
        body(await other.http(WIRE, get("/?comp=versions")))


async def test_a_storm_of_half_made_connections_stops_nobody(bench: Bench, guest: TinyGuest) -> None:
    for _ in range(2000):
        await guest.knock_and_run(WIRE)
    async with switched_on(bench, TWO) as other:
        body(await other.http(WIRE, get("/?comp=versions")))


async def test_a_machine_that_does_not_read_costs_only_its_own_frames(bench: Bench, guest: TinyGuest) -> None:
    for _ in range(200):
        await guest.send_discover()
    async with switched_on(bench, TWO) as other:
        body(await other.http(WIRE, get("/?comp=versions")))

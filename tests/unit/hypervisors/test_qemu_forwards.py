"""A port that is taken is noticed before a start, and its holder is named."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from dockyard.hypervisors.qemu.files import MachineFiles
from dockyard.hypervisors.qemu.forwards import (
    LoopbackPorts,
    addition,
    changes,
    check_free,
    listening_inode,
    refused_port,
)
from dockyard.hypervisors.qemu.launch import explain
from dockyard.model.errors import Exhausted, OperationFailed
from dockyard.model.virtual_machine import PortForward

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:5606 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 34567 1 0 100 0 0 10 0
   1: 0100007F:5607 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 99999 1 0 100 0 0 10 0
""".splitlines()
USERNET = """\
Hub -1 (outbound):\r
  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r
  TCP[HOST_FORWARD]  14       127.0.0.1 22022       10.0.2.15    22     0     0\r
  TCP[ESTABLISHED]   19       127.0.0.1 22022       10.0.2.15    22     0     0\r
  UDP[HOST_FORWARD]  15       127.0.0.1 24500       10.0.2.15    53     0     0\r
  UDP[117 sec]       21       10.0.2.15 33333        10.0.2.3    53     0     0\r
"""
FILES = MachineFiles(folder=Path("/data/web"), sockets=Path("/run/web"))
REFUSAL = (
    "2026-11-23T21:37:54.079135Z qemu-system-x86_64: -netdev user,id=outbound,hostfwd=tcp:127.0.0.1:22022-:22: "
    "Could not set up host forwarding rule 'tcp:127.0.0.1:22022-:22'\n"
)


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_listener_is_found_and_named(address: str) -> None:
    with socket.create_server((address, 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(Exhausted) as refusal:
            check_free([PortForward("ssh", port, 22)])
    assert refusal.value.code == "PortInUse"
    assert str(port) in refusal.value.brief
    assert f"(process {os.getpid()})" in refusal.value.details


def test_a_port_is_free_again_once_its_listener_is_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not LoopbackPorts().is_free(port=port)
    assert LoopbackPorts().is_free(port=port)


def test_a_connection_that_still_winds_down_does_not_hold_the_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        client = socket.create_connection(address)
        server.accept()[0].close()  # the server's end closes first and waits
        client.close()
    check_free([PortForward("ssh", address[1], 22)])


@pytest.mark.parametrize(("port", "inode"), [(0x5606, "34567"), (0x5607, None), (0x0606, None)])
def test_only_listeners_count(port: int, inode: str | None) -> None:
    assert listening_inode(TABLE, port=port) == inode


def test_qemu_s_own_refusal_names_the_port() -> None:
    assert refused_port(REFUSAL) == 22022
    error = explain(REFUSAL, files=FILES)
    assert isinstance(error, Exhausted)
    assert error.code == "PortInUse"


def test_any_other_end_shows_qemu_s_last_lines() -> None:
    error = explain("".join(f"line {number}\n" for number in range(40)), files=FILES)
    assert isinstance(error, OperationFailed)
    assert "line 39" in error.details
    assert "line 20" not in error.details
    assert "/data/web/qemu.log" in error.resolution


def test_what_qemu_has_is_compared_with_what_is_wanted() -> None:
    ssh, web = PortForward("ssh", 22022, 22), PortForward("tcp-8080", 8080, 8080, opened=True)
    dns = PortForward("udp-53", 24500, 53, protocol="udp", opened=True)
    assert changes(USERNET, wanted=(ssh, dns)) == ([], [])
    assert changes(USERNET, wanted=(ssh, web)) == (["hostfwd_remove outbound udp:127.0.0.1:24500"], [web])
    moved = PortForward("ssh", 22022, 2222)
    removed, lacking = changes(USERNET, wanted=(moved, dns))
    assert (removed, lacking) == (["hostfwd_remove outbound tcp:127.0.0.1:22022"], [moved])
    assert addition(dns) == "hostfwd_add outbound udp:127.0.0.1:24500-:53"


def test_a_datagram_port_may_be_held_apart_from_the_streams() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        assert not LoopbackPorts().is_free(port=port, protocol="udp")
        with pytest.raises(Exhausted, match=str(port)):
            check_free([PortForward("udp-53", port, 53, protocol="udp")])

"""A security rule opens a port of a running machine on this computer, and its deletion closes it.

Sits on the first machine of the other tests and leaves nothing there.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import Home

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900), pytest.mark.xdist_group("one")]
UNIT = "small-server"
GUEST_PORT = 8765


@pytest.fixture
def served(home: Home, docker_vm: str) -> Iterator[str]:
    """A machine in which a small server answers with its own name."""
    serve = f"sudo systemd-run --quiet --unit={UNIT} --working-directory=/etc python3 -m http.server {GUEST_PORT}"
    home.ssh(docker_vm, serve)
    yield docker_vm
    home.ssh(docker_vm, f"sudo systemctl stop {UNIT}")
    home.run("vm", "close-port", docker_vm, "--rule", f"open-port-{GUEST_PORT}", expect=None)


def test_a_rule_opens_a_port_of_a_running_machine_and_its_deletion_closes_it(home: Home, served: str) -> None:
    opened = home.json("vm", "open-port", served, "--port", str(GUEST_PORT))
    assert opened["rule"] == f"open-port-{GUEST_PORT}"
    port = forward(opened["forwards"])
    assert f"127.0.0.1:{port}" in home.run("vm", "show", served).output
    home.until(lambda: answer(port) == f"{served}\n", seconds=60, what="the guest's server to answer through the port")
    home.run("vm", "close-port", served, "--rule", opened["rule"])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert json.dumps(home.json("vm", "show", served)["tags"]).count("dockyard-forward") == 0


def forward(forwards: list[str]) -> int:
    (host,) = [each.partition(":")[0] for each in forwards if each.endswith(f":{GUEST_PORT}")]
    return int(host)


def answer(port: int) -> str | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/hostname")
        return connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()

"""What the extension refuses on a machine without an engine in use, and why, in words that help.

Sits on the second machine of the other tests, and leaves its extension there.
"""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Home
from tests.e2e.docker_extension import new_certificates, send

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900), pytest.mark.xdist_group("two")]


def test_nothing_listens_for_docker_before_there_are_certificates(home: Home, plain_vm: str) -> None:
    assert ":2376" not in home.ssh(plain_vm, "sudo ss -ltn")
    assert home.ssh(plain_vm, "systemctl is-active docker.service docker.socket || true").split() == ["inactive"] * 2


def test_a_port_without_certificates_is_refused_by_the_handler(home: Home, plain_vm: str) -> None:
    done = send(home, plain_vm, public={"docker": {"port": "2376"}}, protected=None, expect=1)
    assert "cert" in done.lower()
    assert ":2376" not in home.ssh(plain_vm, "sudo ss -ltn")


def test_an_option_the_engine_refuses_is_told_in_its_own_words(home: Home, plain_vm: str) -> None:
    settings = {"docker": {"port": "2376", "options": ["--no-such-option"]}}
    done = send(home, plain_vm, public=settings, protected={"certs": new_certificates(plain_vm)}, expect=1)
    assert "no-such-option" in done


def test_a_guest_without_network_is_told_what_it_lacks(home: Home, plain_vm: str) -> None:
    home.ssh(plain_vm, "sudo DEBIAN_FRONTEND=noninteractive apt-get purge --yes docker.io")
    rules = [
        f"OUTPUT ! -o lo {closed} -j REJECT --reject-with icmp-net-unreachable"
        for closed in ("! -d 168.63.129.16 -p tcp --syn", "-p udp")
    ]
    for rule in rules:
        home.ssh(plain_vm, f"sudo iptables -I {rule}")
    settings = {"docker": {"port": "2376"}}
    done = send(home, plain_vm, public=settings, protected={"certs": new_certificates(plain_vm)}, expect=1)
    for rule in rules:
        home.ssh(plain_vm, f"sudo iptables -D {rule}")
    assert "packages cannot be had" in done
    assert "mirror" in done
    assert ":2376" not in home.ssh(plain_vm, "sudo ss -ltn")

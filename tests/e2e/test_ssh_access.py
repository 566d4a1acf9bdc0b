"""The way back in: users, keys and a broken SSH server of a real machine, changed from outside under the real agent.

Sits on the second machine of the other tests, and leaves it as it was.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import PROGRAM, Home

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900), pytest.mark.xdist_group("two")]
BREAK = """
rm /home/*/.ssh/authorized_keys
echo 'Bogus yes' > /etc/ssh/sshd_config.d/10-broken.conf
systemctl disable --quiet ssh
systemctl stop ssh
"""
CANARY = "canary-e2e-77a1"
LEFT = "sudo grep -rlF -f - /var/log /var/lib/waagent /var/lib/dockyard-vmaccess /etc || true"


def by_password(home: Home, machine: str, user: str) -> str:
    """What sshd says of logging in by password as this user."""
    asked = f"sudo sshd -T -C user={user},host=x,addr=10.0.2.2 | grep ^passwordauthentication"
    return home.ssh(machine, asked).strip()


def users(home: Home, machine: str) -> dict[str, dict[str, Any]]:
    return {user["name"]: user for user in home.json("vm", "user", "list", machine)}


@pytest.fixture(scope="module")
def machine(home: Home, plain_vm: str) -> Iterator[str]:
    yield plain_vm
    home.run("vm", "extension", "delete", plain_vm, "enablevmaccess", expect=None)
    home.ssh(plain_vm, "sudo rm -f /etc/ssh/sshd_config.d/10-broken.conf.set-aside")


def test_a_lost_key_is_replaced_on_a_machine_whose_ssh_server_is_broken(home: Home, machine: str) -> None:
    home.run("vm", "run-command", "invoke", machine, "--script", BREAK)
    assert home.run("vm", "ssh", machine, "--", "true", expect=255).output == ""
    told = home.run("vm", "user", "update", machine).output
    assert "10-broken.conf was in the way" in told
    assert home.ssh(machine, "systemctl is-enabled ssh; sudo sshd -t && echo fine") == "enabled\nfine\n"


def test_a_user_with_a_password_comes_and_goes(home: Home, machine: str) -> None:
    before = by_password(home, machine, "dockyard")
    given = subprocess.run(
        [str(PROGRAM), "vm", "user", "update", machine, "--username", "bob", "--password"],
        env=home.environment,
        input=f"{CANARY}\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert given.returncode == 0, given.stderr
    found = users(home, machine)
    assert found["bob"] == {**found["bob"], "hasPassword": True, "keys": 0, "sudo": True, "expires": "never"}
    assert found["dockyard"]["keys"] == 1
    assert by_password(home, machine, "bob") == "passwordauthentication yes"
    assert by_password(home, machine, "dockyard") == before
    assert home.ssh_with_input(machine, LEFT, text=CANARY) == ""  # sudo logs its arguments
    home.run("vm", "user", "delete", machine, "--username", "bob", "--yes")
    assert "bob" not in users(home, machine)
    refused = home.run("vm", "user", "delete", machine, "--username", "root", "--yes", expect=1)
    assert "root is a user of the system" in refused.error

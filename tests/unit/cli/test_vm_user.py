"""``vm user``: what is asked of the extension, passwords that are never arguments, and the list of users."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from dockyard.client.users import parse_users
from tests.unit.cli.conftest import Cli
from tests.unit.client.arm_stub import ArmStub

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPlBRUJbNF3Gqi/ciS0k9qyNnLezu/3Ayssp9/SOpZM6 me"
UPDATE = ("vm", "user", "update", "web")
CANARY = "canary-31c7"
LISTED = "bob\t1001\tyes\t2\tno\t2031-02-28\nadmin\t1000\tno\t1\tyes\tnever\nwarning: a line of somebody else's\n"


@pytest.fixture(autouse=True)
def machine(arm: ArmStub) -> None:
    arm.add_machine("web")


def sent(arm: ArmStub) -> dict[str, Any]:
    properties: dict[str, Any] = arm.sent("PUT", "/extensions/enablevmaccess")["properties"]
    return properties


def asked(arm: ArmStub) -> dict[str, Any]:
    protected: dict[str, Any] = sent(arm)["protectedSettings"]
    return protected


def test_the_extension_is_the_one_that_az_asks_for(cli: Cli, arm: ArmStub) -> None:
    done = cli("vm", "user", "reset-ssh", "web")
    assert done.code == 0, done.err
    named = {name: sent(arm)[name] for name in ("publisher", "type", "typeHandlerVersion", "autoUpgradeMinorVersion")}
    assert named == {
        "publisher": "Microsoft.OSTCExtensions",
        "type": "VMAccessForLinux",
        "typeHandlerVersion": "1.5",
        "autoUpgradeMinorVersion": True,
    }
    assert (sent(arm)["settings"], asked(arm)) == ({}, {"reset_ssh": True})
    assert "enablevmaccess" in done.out


def test_the_same_twice_is_done_twice(cli: Cli, arm: ArmStub) -> None:
    tags = []
    for _ in range(2):
        assert cli("vm", "user", "reset-ssh", "web", "--restore").code == 0
        tags.append(sent(arm)["forceUpdateTag"])
    assert asked(arm) == {"restore_backup_ssh": True}
    assert tags[0] != tags[1]


def test_without_anything_the_machines_own_user_gets_the_usual_key(cli: Cli, arm: ArmStub, tmp_path: Path) -> None:
    folder = tmp_path / "home/.ssh"
    folder.mkdir(parents=True)
    (folder / "id_ed25519.pub").write_text(f"{KEY}\n")
    done = cli(*UPDATE)
    assert done.code == 0, done.err
    own = arm.machines["web"].document["properties"]["osProfile"]["adminUsername"]
    assert asked(arm) == {"username": own, "ssh_key": KEY}


def test_a_key_an_expiry_and_no_sudo(cli: Cli, arm: ArmStub) -> None:
    more = ("--ssh-key-value", KEY, "--remove-prior-keys", "--no-sudo", "--expiration", "2031-02-28")
    done = cli(*UPDATE, "--username", "bob", *more)
    assert done.code == 0, done.err
    wanted = {"username": "bob", "ssh_key": KEY, "remove_prior_keys": True, "sudo": False, "expiration": "2031-02-28"}
    assert asked(arm) == wanted


def test_a_password_comes_from_standard_input_and_shows_nowhere(
    cli: Cli, arm: ArmStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{CANARY}\nand more\n"))
    done = cli(*UPDATE, "--username", "bob", "--password", "--output", "json")
    assert done.code == 0, done.err
    assert asked(arm) == {"username": "bob", "password": CANARY}
    assert CANARY not in done.out + done.err


def test_a_password_is_never_an_argument(cli: Cli, arm: ArmStub) -> None:
    done = cli(*UPDATE, "--username", "bob", f"--password={CANARY}")
    assert (done.code, CANARY in done.err + done.out) == (2, False)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--password",), "--password: there is none"),
        (("--expiration", "tomorrow"), "'tomorrow' is not a day"),
        (("--ssh-key-value", "ssh-rsa AAAA"), "is not an SSH public key"),
        (("--expiration", "never", "--remove-prior-keys"), "would leave no key at all"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(
    cli: Cli, arm: ArmStub, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], complaint: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    done = cli(*UPDATE, "--username", "bob", *words)
    assert done.code == 2
    assert complaint in done.err
    assert not [path for method, path, _ in arm.requests if method == "PUT"]


def test_removing_a_user_needs_a_yes(cli: Cli, arm: ArmStub) -> None:
    refused = cli("vm", "user", "delete", "web", "--username", "bob")
    assert (refused.code, "needs --yes" in refused.err) == (2, True)
    assert cli("vm", "user", "delete", "web", "--username", "bob", "--yes").code == 0
    assert asked(arm) == {"remove_user": "bob"}


def test_what_the_handler_refuses_is_the_error(cli: Cli, arm: ArmStub) -> None:
    arm.extension_failure = ("VMExtensionProvisioningError", "root is a user of the system")
    done = cli("vm", "user", "delete", "web", "--username", "root", "--yes")
    assert (done.code, "root is a user of the system" in done.err) == (1, True)


def test_users_are_listed_and_the_run_command_is_gone(cli: Cli, arm: ArmStub) -> None:
    arm.run_views = [{"executionState": "Succeeded", "exitCode": 0, "output": LISTED, "outputOffset": 0}]
    done = cli("vm", "user", "list", "web", "--output", "tsv")
    assert done.out == "admin\t1000\t1\tno\tyes\tnever\nbob\t1001\t2\tyes\tno\t2031-02-28\n"
    assert arm.machines["web"].run_commands == {}


def test_a_machine_that_does_not_tell_is_an_error(cli: Cli, arm: ArmStub) -> None:
    arm.run_views = [{"executionState": "Failed", "exitCode": 1, "error": "no such thing\n"}]
    done = cli("vm", "user", "list", "web")
    assert (done.code, "does not tell its users" in done.err, "no such thing" in done.err) == (1, True, True)


def test_lines_of_another_shape_are_left_out() -> None:
    assert [user.name for user in parse_users(LISTED)] == ["admin", "bob"]

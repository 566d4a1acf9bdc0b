"""The packaged VMAccess extension with real users, passwords and a real sshd: who can log in afterwards."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from dockyard.gallery.archive import handler_archive
from tests.integration.guest.engine_files import programs_of
from tests.integration.guest.namespace import enter

INSIDE = Path(__file__).with_name("vmaccess_inside.py")
SERVER = ("openssh-server", "libwrap0")
pytestmark = [
    pytest.mark.privileged,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces"),
    pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt to fetch an SSH server"),
    pytest.mark.skipif(shutil.which("useradd") is None, reason="needs the programs that make users"),
]
Seen = dict[str, Any]
IN, OUT = [0, "bob"], [255, ""]


@pytest.fixture(scope="module")
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """What happened inside."""
    server = programs_of("bookworm", SERVER, cache=Path(request.config.cache.mkdir("engines")))
    scratch = tmp_path_factory.mktemp("access")
    package = scratch / "package.zip"
    package.write_bytes(handler_archive(handler="vmaccess"))
    told: Seen = enter(INSIDE, str(package), str(scratch), str(server))
    return told


def test_a_new_user_logs_in_by_a_key(seen: Seen) -> None:
    told = seen["new_user"]
    assert (told["word"], told["login"]) == ("success", IN)
    assert told["modes"] == ["0o600", "0o700"]
    assert told["owner"] == ["bob", "bob"]
    assert told["passwd"].endswith(":/home/bob:/bin/bash")


def test_keys_of_all_kinds_and_forms_log_in_beside_each_other(seen: Seen) -> None:
    told = seen["kinds"]
    assert told["found"] == [True, True, True]
    assert told["logins"] == [IN, IN, IN, IN]


def test_a_key_that_is_there_already_changes_nothing(seen: Seen) -> None:
    assert seen["again"]["same"]
    assert "1 key there already" in seen["again"]["text"]


def test_a_file_without_its_final_newline_keeps_its_key(seen: Seen) -> None:
    assert seen["no_final_newline"]["logins"] == [IN, IN, OUT]


def test_prior_keys_go_when_that_is_asked_for_as_a_text(seen: Seen) -> None:
    assert seen["only_key"]["logins"] == [IN, OUT]


def test_a_password_lets_its_user_in_and_nobody_else(seen: Seen) -> None:
    told = seen["password"]
    assert told["is_set"]
    assert told["others"] == [f"passwordauthentication {word}" for word in ("yes", "no", "no")]


def test_a_password_is_in_no_file_afterwards_and_its_envelope_is_gone(seen: Seen) -> None:
    assert seen["password"]["leaks"] == 0
    assert set(seen["password"]["settings"].values()) == {None}


def test_users_are_listed_with_what_they_have(seen: Seen) -> None:
    (bob,) = (user for user in seen["listed"] if user["name"] == "bob")
    assert bob == {"name": "bob", "uid": bob["uid"], "hasPassword": True, "keys": 1, "sudo": False, "expires": "never"}
    assert "root" not in [user["name"] for user in seen["listed"]]


def test_an_account_ends_when_it_is_told_to(seen: Seen) -> None:
    told = seen["expiry"]
    assert "Feb 03, 2031" in told["shown"]
    assert "the account has expired" in told["over"]["text"]
    assert "Account expires\t\t\t\t\t\t: never" in told["after"]


def test_one_new_key_brings_a_server_back_that_was_broken_everywhere(seen: Seen) -> None:
    told = seen["broken_server"]
    assert (told["refused"], told["login"]) == (-1, IN)
    assert "10-broken.conf was in the way" in told["steps"]["ssh"]
    assert told["main"].endswith("# mine\nPort 22\n")
    assert told["drop_ins"] == ["00-vmaccess-bob.conf", "10-broken.conf.set-aside"]


def test_a_server_that_would_not_let_the_user_in_is_told_and_reset_on_request(seen: Seen) -> None:
    told = seen["locked_out"]
    assert told["told"]["word"] == "error"
    assert "does not let this user in: pubkeyauthentication no; allowusers carol" in told["told"]["text"]
    assert told["login"] == IN
    assert told["drop_ins"] == [
        "00-vmaccess-bob.conf",
        "10-broken.conf.set-aside",
        "20-locked.conf.set-aside",
        "50-harmless.conf",
    ]
    assert told["again"]["text"] == "The SSH server was as it should be."
    assert told["is_back"]


def test_links_and_files_of_others_are_not_followed(seen: Seen) -> None:
    told = seen["planted"]
    for name, complaint in (
        ("file", "is no regular file"),
        ("pipe", "is no regular file"),
        ("folder", "is a link or no folder"),
        ("of_root", "belongs to another user"),
    ):
        assert told[name]["word"] == "error"
        assert complaint in told[name]["text"]
    assert told["untouched"] == [["authorized_keys"], "secret of root\n"]
    assert (told["replaced"]["word"], told["keys"]) == ("success", told["key"])


def test_a_user_who_swaps_files_meanwhile_reaches_nothing_in_1000_rounds(seen: Seen) -> None:
    told = seen["race"]
    assert 0 < told["written"] < 1000
    assert "secret of root" not in "".join(told["seen"])
    assert told["victims"] == [["authorized_keys"], "secret of root\n", ["secret of root\n"]]
    assert told["seconds"] < 20


def test_users_of_the_system_and_misspelt_members_are_refused(seen: Seen) -> None:
    told = seen["refused"]
    assert {status["word"] for status in told.values()} == {"error"}
    for name in ("root", "removing root", "a daemon", "nobody"):
        assert "is a user of the system" in told[name]["text"]
    assert "protectedSettings.pasword: expected one of" in told["unknown"]["text"]
    assert "`username` alone asks for nothing" in told["alone"]["text"]
    assert "canary" not in str(told)


def test_a_user_is_removed_with_processes_home_and_rules(seen: Seen) -> None:
    told = seen["removal"]
    assert (told["word"], told["there"], told["home"], told["rule"]) == ("success", False, False, False)
    assert told["code"] == -9

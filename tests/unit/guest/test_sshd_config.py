"""What in sshd's configuration keeps people out."""

from __future__ import annotations

import pytest

from dockyard_guest.handlers.vmaccess.sshd_config import (
    KNOWN_GOOD,
    locks,
    locks_of_user,
    parse_effective,
    password_for,
    reads_drop_ins,
)

OPEN = """port 22
listenaddress 0.0.0.0:22
listenaddress [::]:22
pubkeyauthentication yes
passwordauthentication no
authorizedkeysfile .ssh/authorized_keys .ssh/authorized_keys2
authenticationmethods any
forcecommand none
chrootdirectory none
"""


def test_an_open_configuration_locks_nobody_out() -> None:
    assert locks(parse_effective(OPEN)) == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("port 22", "port 2222"),
        ("pubkeyauthentication yes", "pubkeyauthentication no"),
        ("authorizedkeysfile .ssh/authorized_keys .ssh/authorized_keys2", "authorizedkeysfile /etc/keys/%u"),
        ("authenticationmethods any", "authenticationmethods publickey,password"),
        ("forcecommand none", "forcecommand /bin/false"),
        ("chrootdirectory none", "chrootdirectory /srv"),
        ("port 22", "port 22\nallowusers carol"),
        ("port 22", "port 22\ndenygroups people"),
    ],
)
def test_what_locks_people_out_is_named(old: str, new: str) -> None:
    assert locks(parse_effective(OPEN.replace(old, new))) == (new.splitlines()[-1],)


def test_a_server_that_listens_to_the_machine_itself_alone_is_one_that_locks_out() -> None:
    alone = OPEN.replace("0.0.0.0:22", "127.0.0.1:22").replace("[::]:22", "[::1]:22")
    assert locks(parse_effective(alone)) == ("listenaddress 127.0.0.1:22", "listenaddress [::1]:22")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("allowusers bob", ()),
        ("allowusers b* carol", ()),
        ("allowusers bob@10.0.0.1", ()),
        ("allowusers carol", ("allowusers carol",)),
        ("denyusers bo?", ("denyusers bo?",)),
        ("allowgroups people", ()),
        ("allowgroups wheel", ("allowgroups wheel",)),
    ],
)
def test_lists_are_for_those_they_name(line: str, found: tuple[str, ...]) -> None:
    words = {name: [value] for name, _, value in (line.partition(" "),)}
    effective = {**parse_effective(OPEN), **{name: value[0].split() for name, value in words.items()}}
    assert locks_of_user(effective, user="bob", groups=("bob", "people"), key=True, password=False) == found


def test_a_password_needs_to_be_asked_for() -> None:
    found = locks_of_user(parse_effective(OPEN), user="bob", groups=(), key=False, password=True)
    assert found == ("passwordauthentication no",)


@pytest.mark.parametrize(
    ("config", "reads"),
    [
        (KNOWN_GOOD, True),
        ("include /etc/ssh/sshd_config.d/*.conf\n", True),
        ("Include /etc/ssh/a.conf /etc/ssh/sshd_config.d/*.conf\n", True),
        ("#Include /etc/ssh/sshd_config.d/*.conf\n", False),
        ("Match User bob\n  Include /etc/ssh/sshd_config.d/*.conf\n", False),
        ("Port 22\n", False),
    ],
)
def test_an_include_counts_where_it_is_for_everybody(config: str, reads: bool) -> None:
    assert reads_drop_ins(config) is reads


def test_a_password_rule_is_for_one_user() -> None:
    assert "Match User bob\n    PasswordAuthentication yes\n" in password_for("bob")

"""The VMAccess extension on a machine in a folder: each fault known of Azure's own is one of these."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dockyard_contract.status import StatusWord
from dockyard_guest.handlers.vmaccess.handler import create
from dockyard_guest.handlers.vmaccess.sshd_config import KNOWN_GOOD
from tests.scenario.access import HOST_KEY, SERVICE, Access
from tests.scenario.kit import KILLED, SECRET, Context, State, folder

CONFIG = "/etc/ssh/sshd_config"
INCLUDING = "Include /etc/ssh/sshd_config.d/*.conf\nPasswordAuthentication no\n"
DROP_IN = "/etc/ssh/sshd_config.d/50-cloud-init.conf"
RULE = "/etc/sudoers.d/90-vmaccess-carol"
KEYS = "/home/{}/.ssh/authorized_keys"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPlBRUJbNF3Gqi/ciS0k9qyNnLezu/3Ayssp9/SOpZM6 me"
DEFS = {"/etc/login.defs": "# UID_MIN 5\nUID_MIN\t\t\t 1000\n"}
OVF = "<Environment><wa:UserName>bob</wa:UserName></Environment>"


@pytest.fixture
def access(tmp_path: Path) -> Context:
    root = tmp_path / "machine"
    root.mkdir()
    return Context(root, room="vmaccess", create=create)


def asked(protected: object = None, public: object = None, *, state: State | None = None, **world: Any) -> State:
    """A machine with a server that works, and settings."""
    files = {**DEFS, CONFIG: INCLUDING, HOST_KEY: "key"}
    made = State(files=files, modes={HOST_KEY: 0o600}, active=frozenset({SERVICE}), enabled=frozenset({SERVICE}))
    base = made if state is None else state
    shared = {"access": Access(), **base.world, **world}
    return replace(base, world=shared).settings(public, protected)


def of(state: State) -> Access:
    found = state.world["access"]
    assert isinstance(found, Access)
    return found


def test_a_new_user_has_a_key_and_sudo_and_nothing_else_changes(access: Context) -> None:
    out = access.enable(asked({"username": "carol", "ssh_key": KEY}))
    assert out.status().status is StatusWord.SUCCESS
    assert out.message() == "carol: made, with sudo, 1 key set."
    assert out.files[KEYS.format("carol")] == f"{KEY}\n"
    assert out.files[RULE].endswith("carol ALL=(ALL:ALL) NOPASSWD: ALL\n")
    assert out.modes[RULE] == 0o440
    assert out.files[CONFIG] == INCLUDING
    assert not [event for event in out.events if event.startswith(("restart", "reload", "enable"))]


def test_a_user_with_a_password_is_asked_for_it_by_sudo(access: Context) -> None:
    out = access.enable(asked({"username": "carol", "password": SECRET}))
    assert out.files[RULE].endswith("carol ALL=(ALL:ALL) ALL\n")
    assert SECRET not in str(sorted(out.files.items())) + str(out.events)
    assert of(out).hashes["carol"].startswith("$6$")


@pytest.mark.parametrize("text", ["false", "False", False])
def test_a_user_without_sudo(access: Context, text: object) -> None:
    out = access.enable(asked({"username": "carol", "ssh_key": KEY, "sudo": text}))
    assert out.message() == "carol: made, without sudo, 1 key set."
    assert RULE not in out.files


def test_a_user_who_is_there_keeps_the_rights_it_has(access: Context) -> None:
    out = access.enable(asked({"username": "bob", "ssh_key": KEY}))
    assert [path for path in out.files if path.startswith("/etc/sudoers.d")] == []


def test_a_name_with_a_dot_has_a_rule_that_sudo_reads(access: Context) -> None:
    out = access.enable(asked({"username": "c.arol", "ssh_key": KEY}))
    assert "/etc/sudoers.d/90-vmaccess-c%2Earol" in out.files


def test_a_password_lets_its_user_in_by_a_rule_of_its_own(access: Context) -> None:
    out = access.enable(asked({"username": "bob", "password": SECRET}))
    rule = out.files["/etc/ssh/sshd_config.d/00-vmaccess-bob.conf"]
    assert "Match User bob\n    PasswordAuthentication yes\n" in rule
    assert out.files[CONFIG] == INCLUDING
    assert f"reload {SERVICE}" in out.events
    again = access.run("work", asked({"username": "bob", "password": SECRET}, state=replace(out, events=())))
    assert f"reload {SERVICE}" not in again.events


def test_a_configuration_without_drop_ins_learns_to_read_them(access: Context) -> None:
    state = asked({"username": "bob", "password": SECRET}).file(CONFIG, "PasswordAuthentication no\n")
    out = access.enable(state)
    assert out.files[CONFIG] == "Include /etc/ssh/sshd_config.d/*.conf\nPasswordAuthentication no\n"
    assert out.files["/var/lib/dockyard-vmaccess/sshd_config.backup"] == "PasswordAuthentication no\n"


def test_false_as_a_text_is_false(access: Context) -> None:
    out = access.enable(asked({"username": "bob", "ssh_key": KEY, "reset_ssh": "false", "remove_prior_keys": "False"}))
    assert out.status().status is StatusWord.SUCCESS
    assert out.files[CONFIG] == INCLUDING


def test_existing_keys_stay_and_are_not_glued(access: Context) -> None:
    state = asked({"username": "bob", "ssh_key": KEY}).file(KEYS.format("bob"), "ssh-rsa AAAA old")
    assert access.enable(state).files[KEYS.format("bob")] == f"{KEY}\nssh-rsa AAAA old\n"


def test_prior_keys_go_on_request(access: Context) -> None:
    state = asked({"username": "bob", "ssh_key": KEY, "remove_prior_keys": True}).file(KEYS.format("bob"), "old\n")
    assert access.enable(state).files[KEYS.format("bob")] == f"{KEY}\n"


@pytest.mark.parametrize("name", ["root", "daemon"])
@pytest.mark.parametrize("member", ["username", "remove_user"])
def test_users_of_the_system_are_not_touched(access: Context, name: str, member: str) -> None:
    protected = {member: name} if member == "remove_user" else {member: name, "password": SECRET}
    out = access.enable(asked(protected))
    assert out.status().status is StatusWord.ERROR
    assert f"{name} is a user of the system" in out.message()
    assert of(out).hashes == {}


def test_the_user_the_machine_was_made_with_stays(access: Context) -> None:
    out = access.enable(asked({"remove_user": "bob"}).file("/var/lib/waagent/ovf-env.xml", OVF))
    assert "bob is the user this machine was made with" in out.message()
    assert "bob" in of(out).users


def test_a_user_goes_with_processes_and_rules(access: Context) -> None:
    state = asked({"remove_user": "bob"}, access=Access(busy=2))
    rules = ("/etc/sudoers.d/90-vmaccess-bob", "/etc/ssh/sshd_config.d/00-vmaccess-bob.conf")
    for path in rules:
        state = state.file(path, "a rule\n")
    out = access.enable(state)
    assert out.message() == "bob is removed."
    assert "bob" not in of(out).users
    assert [path for path in rules if path in out.files] == []


def test_removing_somebody_who_is_not_there_is_no_error(access: Context) -> None:
    assert access.enable(asked({"remove_user": "carol"})).message() == "There is no user carol."


def test_a_group_of_that_name_is_told(access: Context) -> None:
    out = access.enable(asked({"username": "docker", "ssh_key": KEY}, access=Access(groups={"docker": ""})))
    assert out.status().status is StatusWord.ERROR
    assert "useradd: group docker exists" in out.part("user")[1]


def test_an_account_that_has_expired_is_told(access: Context) -> None:
    state = asked({"username": "bob", "ssh_key": KEY}).file("/etc/shadow", "bob:!:1:0:99999:7::19000:\n")
    out = access.enable(state)
    assert out.part("user")[0] is StatusWord.WARNING
    assert "the account has expired" in out.message()


def test_a_server_that_works_is_left_alone_by_a_reset(access: Context) -> None:
    state = asked({"reset_ssh": True}).file(CONFIG, KNOWN_GOOD).file(DROP_IN, "PasswordAuthentication no\n")
    out = access.enable(state)
    assert out.message() == "The SSH server was as it should be."
    assert DROP_IN in out.files
    assert not [event for event in out.events if event.startswith(("restart", "reload"))]


def test_a_reset_writes_what_works_keeps_what_was_and_restarts_once(access: Context) -> None:
    state = asked({"reset_ssh": "True"}).file(CONFIG, "Port 2222\n").file(DROP_IN, "AllowUsers nobody\n")
    out = access.enable(state)
    assert out.files[CONFIG] == KNOWN_GOOD
    assert out.files[f"{DROP_IN}.set-aside"] == "AllowUsers nobody\n"
    assert out.files["/var/lib/dockyard-vmaccess/sshd_config.backup"] == "Port 2222\n"
    assert [event for event in out.events if event.startswith("restart")] == [f"restart {SERVICE}"]


def test_the_first_configuration_is_the_one_that_is_kept_and_comes_back(access: Context) -> None:
    first = access.enable(asked({"reset_ssh": True}).file(CONFIG, "Port 22\n# first\n"))
    broken = access.run("work", asked({"reset_ssh": True}, state=first.file(CONFIG, "Bogus\n")))
    assert broken.files["/var/lib/dockyard-vmaccess/sshd_config.backup"] == "Port 22\n# first\n"
    back = access.enable(asked({"restore_backup_ssh": True}, state=fresh(first)))
    assert back.files[CONFIG] == "Port 22\n# first\n"
    assert "/var/lib/dockyard-vmaccess/sshd_config.backup" not in back.files


def fresh(state: State) -> State:
    """The machine before its extension had done anything, as to numbers and statuses."""
    own = folder()
    files = {path: text for path, text in state.files.items() if not path.startswith((own, "/run/"))}
    return replace(state, files=files, events=())


def test_a_masked_stopped_and_disabled_server_comes_back_for_a_key(access: Context) -> None:
    state = replace(asked({"username": "bob", "ssh_key": KEY}, masked={SERVICE}), active=frozenset())
    out = access.enable(replace(state, enabled=frozenset()))
    assert {f"unmask {SERVICE}", f"enable {SERVICE}", f"restart {SERVICE}"} <= set(out.events)
    assert "the SSH server has been changed for it" in out.message()


@pytest.mark.parametrize(("text", "mode"), [("broken", 0o600), ("key", 0o644)])
def test_host_keys_that_the_server_does_not_take_are_mended(access: Context, text: str, mode: int) -> None:
    state = asked({"username": "bob", "ssh_key": KEY}).file(HOST_KEY, text)
    out = access.enable(replace(state, modes={**state.modes, HOST_KEY: mode}))
    assert out.status().status is StatusWord.SUCCESS
    assert (out.files[HOST_KEY], out.modes[HOST_KEY]) == ("a new key" if text == "broken" else "key", 0o600)
    assert (f"{HOST_KEY}.set-aside" in out.files) is (text == "broken")


def test_a_server_that_would_not_let_the_user_in_is_an_error(access: Context) -> None:
    state = asked({"username": "bob", "ssh_key": KEY}).file(CONFIG, "AllowUsers carol\n")
    out = access.enable(state)
    assert out.status().status is StatusWord.ERROR
    assert "does not let this user in: allowusers carol" in out.message()
    assert out.files[CONFIG] == "AllowUsers carol\n"


def test_a_machine_without_a_server_is_told(access: Context) -> None:
    lacking = Access(lacks=frozenset({"sshd", "sudo"}))
    out = access.enable(asked({"username": "carol", "ssh_key": KEY}, access=lacking))
    assert out.part("ssh")[0] is StatusWord.WARNING
    assert "without sudo, which is not installed" in out.message()
    reset = access.enable(asked({"reset_ssh": True}, access=lacking))
    assert (reset.status().status, reset.status().code) == (StatusWord.ERROR, 52)


def test_the_same_number_is_done_once_and_its_secrets_are_gone(access: Context) -> None:
    first = access.enable(asked({"username": "bob", "password": SECRET}))
    settings = f"{folder()}/config/0.settings"
    assert '"protectedSettings": null' in first.files[settings]
    assert first.modes[settings] == 0o600
    written = asked({"username": "bob", "password": SECRET}, state=first)  # the agent writes it anew at its start
    again = access.enable(written)
    assert again.events == ()
    assert again.status() == first.status()
    assert '"protectedSettings": null' in again.files[settings]


def test_work_that_was_killed_anywhere_is_begun_again_and_ends_the_same(access: Context) -> None:
    wanted = {"username": "carol", "ssh_key": KEY, "password": SECRET}
    for effect in range(1, 200):
        begun = access.run("enable", asked(wanted))
        dead = access.run("work", replace(begun, world={**begun.world, "dies_at": effect}))
        if dead.exit_code != KILLED:
            break
        out = access.enable(asked(wanted, state=replace(dead, exit_code=0)))
        assert out.status().status is StatusWord.SUCCESS, effect
        assert out.files[KEYS.format("carol")] == f"{KEY}\n"
        assert of(out).hashes["carol"]
    assert effect > 10


LSBLK = ("lsblk", "--json", "--output", "PATH,FSTYPE,MOUNTPOINT")
DISKS = (
    '{"blockdevices": [{"path": "/dev/sda", "fstype": null, "mountpoint": null, "children": ['
    '{"path": "/dev/sda1", "fstype": "ext4", "mountpoint": "/"}]},'
    '{"path": "/dev/sdb1", "fstype": "ext4", "mountpoint": null}, {"path": "/dev/sdc", "fstype": "btrfs"}]}'
)


def disks(**fsck: int) -> Access:
    """A machine with these disks, on which fsck ends so: ``n_sda1`` is ``fsck -n /dev/sda1``."""
    played = Access(answers={LSBLK: (0, DISKS)})
    for words, code in fsck.items():
        flag, _, device = words.partition("_")
        played.answers[("fsck", f"-{flag}", f"/dev/{device}")] = (code, "what fsck says")
    return played


def test_disks_are_checked_and_not_changed(access: Context) -> None:
    out = access.enable(asked(public={"check_disk": True}, access=disks(n_sda1=0, n_sdb1=4)))
    assert out.message() == (
        "/dev/sda1 (ext4, /): no errors; /dev/sdb1 (ext4, not mounted): errors; "
        "/dev/sdc (btrfs, not mounted): not checked."
    )


@pytest.mark.parametrize(
    ("code", "word", "text"),
    [
        (0, StatusWord.SUCCESS, "/dev/sdb1 had no errors."),
        (1, StatusWord.SUCCESS, "Errors on /dev/sdb1 were corrected."),
        (4, StatusWord.ERROR, "/dev/sdb1 could not be repaired."),
    ],
)
def test_a_disk_that_is_not_mounted_is_repaired(access: Context, code: int, word: StatusWord, text: str) -> None:
    out = access.enable(asked(public={"repair_disk": "true", "disk_name": "sdb1"}, access=disks(y_sdb1=code)))
    assert (out.status().status, out.message()) == (word, text)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("sda1", "/dev/sda1 is mounted at /"), ("sdz", "There is no file system sdz"), ("sdc", "is not repaired here")],
)
def test_a_disk_in_use_or_unknown_is_refused(access: Context, name: str, complaint: str) -> None:
    out = access.enable(asked(public={"repair_disk": True, "disk_name": name}, access=disks()))
    assert out.status().status is StatusWord.ERROR
    assert complaint in out.message()


def test_nothing_is_taken_back_when_the_extension_goes(access: Context) -> None:
    out = access.enable(asked({"username": "carol", "ssh_key": KEY}))
    for verb in ("disable", "uninstall"):
        out = access.run(verb, out)
        assert out.exit_code == 0
    assert KEYS.format("carol") in out.files

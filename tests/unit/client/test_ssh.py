"""Which key a machine is given, and the command line that logs in without touching the user's own files."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import pytest

from dockyard.client import ssh, views
from dockyard.client.views import MachineView
from dockyard.config import Paths
from dockyard.model.errors import Conflict, InvalidRequest


def key_pair(folder: Path, name: str = "id_ed25519") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "me", "-f", str(folder / name)]
    subprocess.run(argv, check=True)
    return folder / f"{name}.pub"


def machine(*keys: str, port: str = "2222") -> MachineView:
    properties = {
        "vmId": "the-id",
        "osProfile": {
            "adminUsername": "ann",
            "linuxConfiguration": {"ssh": {"publicKeys": [{"keyData": key} for key in keys]}},
        },
    }
    return views.machine({"id": "", "name": "web", "tags": {"dockyard-ssh-port": port}, "properties": properties})


def test_usual_key_is_taken_when_there_is_one(paths: Paths, tmp_path: Path) -> None:
    public = key_pair(tmp_path / ".ssh")
    key = ssh.public_key(paths, given=None, home=tmp_path)
    assert (key.line, key.source, key.is_new) == (public.read_text().strip(), public, False)


def test_key_is_made_once_when_there_is_none(paths: Paths, tmp_path: Path) -> None:
    first = ssh.public_key(paths, given=None, home=tmp_path)
    again = ssh.public_key(paths, given=None, home=tmp_path)
    assert (first.is_new, again.is_new) == (True, False)
    assert first.line == again.line
    private = paths.data / "ssh/id_ed25519"
    assert private.stat().st_mode & 0o777 == 0o600
    derived = subprocess.run(["ssh-keygen", "-y", "-f", str(private)], capture_output=True, text=True, check=True)
    assert derived.stdout.split()[:2] == first.line.split()[:2]


def test_key_may_be_given_as_text_or_file(paths: Paths, tmp_path: Path) -> None:
    public = key_pair(tmp_path)
    by_text = ssh.public_key(paths, given=public.read_text(), home=tmp_path)
    by_file = ssh.public_key(paths, given=str(public), home=tmp_path)
    assert by_text.line == by_file.line


def test_private_key_given_by_mistake_is_not_repeated(paths: Paths, tmp_path: Path) -> None:
    private = key_pair(tmp_path).with_suffix("")
    with pytest.raises(InvalidRequest, match="is not an SSH public key") as caught:
        ssh.public_key(paths, given=str(private), home=tmp_path)
    assert "PRIVATE" not in str(caught.value)


@pytest.mark.parametrize("given", ["/nowhere/id.pub", "ssh-ed25519 notbase64", "ssh-foo AAAA"])
def test_unusable_key_is_refused(paths: Paths, tmp_path: Path, given: str) -> None:
    with pytest.raises(InvalidRequest):
        ssh.public_key(paths, given=given, home=tmp_path)


def test_ssh_understands_the_command_line(tmp_path: Path) -> None:
    paths = Paths.from_environ({"DOCKYARD_HOME": str(tmp_path / "with space and 100%")})
    argv = ssh.command(paths, machine(), home=tmp_path, remote=[])
    printed = subprocess.run([argv[0], "-G", *argv[1:]], capture_output=True, text=True, check=True).stdout
    lines = dict(line.split(" ", 1) for line in printed.splitlines() if " " in line)
    assert lines["hostname"] == "127.0.0.1"
    assert (lines["user"], lines["port"], lines["hostkeyalias"]) == ("ann", "2222", "dockyard-the-id")
    assert lines["stricthostkeychecking"] == "accept-new"
    assert lines["userknownhostsfile"].replace("%%", "%") == str(paths.data / "ssh/known_hosts/the-id")


def test_matching_private_key_is_named(paths: Paths, tmp_path: Path) -> None:
    key_pair(tmp_path / ".ssh", "other")
    public = key_pair(tmp_path / ".ssh", "work")
    argv = ssh.command(paths, machine(public.read_text()), home=tmp_path, remote=["docker", "ps"])
    assert argv[argv.index("-i") + 1] == str(public.with_suffix(""))
    assert argv[-3:] == ["ann@127.0.0.1", "docker", "ps"]


def test_machine_without_a_port_cannot_be_reached(paths: Paths, tmp_path: Path) -> None:
    view = dataclasses.replace(machine(), ssh_port=None)
    with pytest.raises(Conflict):
        ssh.command(paths, view, home=tmp_path, remote=[])


def test_forget_removes_one_machines_host_keys(paths: Paths) -> None:
    folder = paths.data / "ssh/known_hosts"
    folder.mkdir(parents=True)
    for name in ("a", "b"):
        (folder / name).write_text("key")
    ssh.forget(paths, "a")
    ssh.forget(paths, "a")
    ssh.forget(paths, "")
    assert [path.name for path in folder.iterdir()] == ["b"]

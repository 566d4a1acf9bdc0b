"""Names, credentials, text for terminals, waits, requests: what needs no server."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dockyard.client import credentials, extensions, locking, processes, text, virtual_machines, waiting
from dockyard.client.extensions import ExtensionRequest
from dockyard.client.names import MachineName
from dockyard.client.virtual_machines import MachineRequest
from dockyard.config import Paths
from dockyard.model.errors import DeadlineExceeded, Exhausted, InvalidRequest, OperationFailed
from dockyard.model.image import ImageReference
from dockyard.model.virtual_machine import ProcessIdentity

WEB = MachineName("dockyard", "web")


def test_escape_sequences_of_a_guest_do_not_reach_the_terminal() -> None:
    hostile = "\x1b]0;title\x07ok \x1b[31mred\x1b[0m \x1b[2J\x9b1mx\x08\x00\r\nnext\tone\x1b"
    assert text.printable(hostile) == "ok red 1mx\nnext\tone"


def test_last_lines_skip_blank_ones() -> None:
    assert text.last_lines("a\r\n\r\nb\n \nc\n", count=2) == ["b", "c"]


@pytest.mark.parametrize("name", ["", "-a", "a b", "a/b", "a" * 65, "ü"])
def test_bad_machine_name_is_refused_here(name: str) -> None:
    with pytest.raises(InvalidRequest):
        MachineName.checked(resource_group="dockyard", name=name)


def test_credentials_that_were_never_written_are_none(paths: Paths) -> None:
    assert credentials.read(paths.credentials) is None


@pytest.mark.parametrize("content", ["{", "[]", '{"client_secret": "hush"}', '"hush"'])
def test_broken_credentials_are_named_and_not_repeated(tmp_path: Path, content: str) -> None:
    path = tmp_path / "credentials.json"
    path.write_text(content)
    with pytest.raises(OperationFailed, match=str(path)) as caught:
        credentials.read(path)
    assert "hush" not in str(caught.value)


def test_secret_does_not_show_in_a_repr() -> None:
    names = ("endpoint", "tenant_id", "client_id", "subscription_id", "audience")
    made = credentials.Credentials(client_secret="hush", ca=Path("x"), **dict.fromkeys(names, "x"))
    assert "hush" not in repr(made)


def test_wait_that_fails_is_named_with_its_deadline() -> None:
    with pytest.raises(DeadlineExceeded, match=r"Waited 0.05 s for godot"):
        waiting.until(lambda: None, what="godot", deadline=0.05, every=0.01)


def test_lock_held_by_another_meets_a_deadline(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with (
        locking.locked(path, what="x", deadline=1),
        pytest.raises(DeadlineExceeded, match="for another"),
        locking.locked(path, what="another", deadline=0.1),
    ):
        raise AssertionError("two hold it")


def test_missing_program_is_a_lack_of_the_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Exhausted, match="'ssh' was not found"):
        processes.become(["ssh"])


def test_slow_program_meets_a_deadline() -> None:
    with pytest.raises(DeadlineExceeded):
        processes.run(["/bin/sleep", "5"], deadline=0.1)


def test_identity_includes_the_start_time() -> None:
    start = processes.start_time(os.getpid())
    assert start is not None
    assert processes.is_alive(ProcessIdentity(os.getpid(), start))
    assert not processes.is_alive(ProcessIdentity(os.getpid(), start + 1))


def test_alias_and_urn_are_told_apart() -> None:
    assert virtual_machines.image_reference("debian-13") == ImageReference("Dockyard", "alias", "debian-13")
    assert virtual_machines.image_reference("a:b:c:1") == ImageReference("a", "b", "c", "1")
    with pytest.raises(InvalidRequest):
        virtual_machines.image_reference("a:b")


def test_machine_document_names_only_asked_for_ports() -> None:
    request = MachineRequest(
        id=WEB,
        image=ImageReference("p", "o", "s"),
        size="Standard_B1s",
        disk_gib=20,
        admin_username="ann",
        ssh_public_key="ssh-ed25519 AAAA",
        docker_port=2376,
    )
    document = virtual_machines.document(request)
    assert document["tags"] == {"dockyard-docker-port": "2376"}
    keys = document["properties"]["osProfile"]["linuxConfiguration"]["ssh"]["publicKeys"]
    assert keys == [{"path": "/home/ann/.ssh/authorized_keys", "keyData": "ssh-ed25519 AAAA"}]
    assert json.loads(json.dumps(document)) == document


def test_protected_settings_are_sent_and_never_shown() -> None:
    request = ExtensionRequest(
        machine=WEB, name="x", publisher="p", type="t", version="1.0", protected={"password": "hush"}
    )
    assert extensions.document(request)["properties"]["protectedSettings"] == {"password": "hush"}
    assert "hush" not in repr(request)

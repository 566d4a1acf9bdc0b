"""What is left when things go: of an extension, and of machines. Comes after all others, whose machines it deletes."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.e2e.conftest import Home

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.xdist_group("one")]


def test_deleting_the_extension_closes_its_port_and_keeps_the_engine(home: Home, docker_vm: str) -> None:
    assert ":2376" in home.ssh(docker_vm, "sudo ss -ltn")
    home.run("vm", "extension", "delete", docker_vm, "DockerExtension")
    assert home.json("vm", "extension", "list", docker_vm) == []
    assert ":2376" not in home.ssh(docker_vm, "sudo ss -ltn")
    assert home.ssh(docker_vm, "systemctl is-active docker.service").strip() == "active"


def test_deleting_leaves_no_process_no_port_and_no_file(home: Home) -> None:
    names = [machine["name"] for machine in home.json("vm", "list")]
    assert names
    ports = [("127.0.0.1", int(home.json("vm", "show", name)["tags"]["dockyard-docker-port"])) for name in names]
    home.run("vm", "delete", "--all", "--yes")
    assert home.json("vm", "list") == []
    assert [path for folder in ("machines", "keys") for path in (home.folder / "data" / folder).glob("*")] == []
    assert processes_of(home) == []
    for address in ports:
        with pytest.raises(ConnectionRefusedError), socket.create_connection(address, timeout=5):
            pass


def processes_of(home: Home) -> list[str]:
    mark = str(home.folder / "data/machines")
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if "qemu-system" in text and mark in text:
            found.append(text)
    return found

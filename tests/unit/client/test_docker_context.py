"""Docker contexts through the real docker program where there is one, and through a small fake everywhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dockyard.client import certificates, docker_context
from dockyard.client.certificates import Folder
from dockyard.client.docker_context import Outcome
from dockyard.client.names import MachineName
from dockyard.config import Paths
from tests.unit.client.programs import FAKE_DOCKER, install

WEB = MachineName("dockyard", "web")
REAL_DOCKER = shutil.which("docker")


@pytest.fixture(params=["fake", "real"])
def docker(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A docker program that is all of PATH, with a configuration of its own."""
    programs = tmp_path / "bin"
    programs.mkdir()
    if request.param == "fake":
        install(programs, "docker", FAKE_DOCKER)
    elif REAL_DOCKER is None:
        pytest.skip("there is no real docker program on this machine; the fake one was tried")
    else:
        (programs / "docker").symlink_to(REAL_DOCKER)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("DOCKER_HOST", "tcp://somewhere-else:1")
    return programs / "docker"


@pytest.fixture(params=["plain", 'with, comma and "quotes"'])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    paths = Paths.from_environ({"DOCKYARD_HOME": str(tmp_path / request.param)})
    made = certificates.folder_of(paths, WEB)
    certificates.issue(paths, WEB, own=None).write(made)
    return made


def endpoint(docker: Path, name: str) -> str:
    argv = [str(docker), "context", "inspect", name]
    return subprocess.run(argv, capture_output=True, text=True, check=True, env=clean()).stdout


def clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "DOCKER_HOST"}


def test_context_is_made_with_its_port(docker: Path, folder: Folder) -> None:
    made = docker_context.put(WEB, port=23456, folder=folder)
    assert (made.name, made.outcome) == ("dockyard-web", Outcome.CREATED), made.note
    assert "tcp://127.0.0.1:23456" in endpoint(docker, made.name)


def test_own_context_follows_a_new_port(docker: Path, folder: Folder) -> None:
    docker_context.put(WEB, port=23456, folder=folder)
    again = docker_context.put(WEB, port=34567, folder=folder)
    assert again.outcome is Outcome.UPDATED, again.note
    assert "tcp://127.0.0.1:34567" in endpoint(docker, again.name)


def test_foreign_context_is_neither_overwritten_nor_removed(docker: Path, folder: Folder) -> None:
    argv = [str(docker), "context", "create", "dockyard-web", "--description", "mine", "--docker", "host=tcp://mine:1"]
    subprocess.run(argv, check=True, capture_output=True, env=clean())
    assert docker_context.put(WEB, port=23456, folder=folder).outcome is Outcome.FOREIGN
    assert docker_context.remove(WEB, folder=folder).outcome is Outcome.FOREIGN
    assert "tcp://mine:1" in endpoint(docker, "dockyard-web")


def test_another_installations_context_is_foreign(docker: Path, folder: Folder, tmp_path: Path) -> None:
    docker_context.put(WEB, port=23456, folder=folder)
    elsewhere = Folder(tmp_path / "elsewhere")
    assert docker_context.remove(WEB, folder=elsewhere).outcome is Outcome.FOREIGN


def test_own_context_is_removed(docker: Path, folder: Folder) -> None:
    docker_context.put(WEB, port=23456, folder=folder)
    assert docker_context.remove(WEB, folder=folder).outcome is Outcome.REMOVED
    assert docker_context.remove(WEB, folder=folder).outcome is Outcome.ABSENT


def test_without_docker_the_exact_command_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    made = docker_context.put(WEB, port=23456, folder=Folder(tmp_path / "certs"))
    assert made.outcome is Outcome.NO_DOCKER
    assert "docker context create dockyard-web" in made.note
    assert f"host=tcp://127.0.0.1:23456,ca={tmp_path}/certs/ca.pem" in made.note
    assert list(tmp_path.iterdir()) == []


def test_failing_docker_is_reported_not_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "docker", "#!/bin/sh\necho no space left >&2\nexit 1\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    made = docker_context.put(WEB, port=1, folder=Folder(tmp_path / "certs"))
    assert made.outcome is Outcome.FAILED
    assert "no space left" in made.note


def test_name_tells_groups_apart() -> None:
    assert docker_context.name_of(MachineName("Team (A)", "Web")) == "dockyard-team++a+.web"


def test_inspection_of_a_context_without_metadata_counts_as_foreign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "docker", f"#!/bin/sh\necho '{json.dumps([{'Metadata': None}])}'\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert docker_context.remove(WEB, folder=Folder(tmp_path)).outcome is Outcome.FOREIGN

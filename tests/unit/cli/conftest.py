"""A command line on folders of its own, against the stub of the server, with programs of the test's choosing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dockyard.cli.main import run
from dockyard.config import Paths
from tests.unit.client.arm_stub import ArmStub
from tests.unit.client.programs import FAKE_DOCKER, install


@dataclass(frozen=True)
class Result:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Cli = Callable[..., Result]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, programs: Path) -> Iterator[Paths]:
    """This test's own folders, home and Docker configuration; a fake docker is installed."""
    for name, value in {"DOCKYARD_HOME": "dockyard", "HOME": "home", "DOCKER_CONFIG": "docker"}.items():
        monkeypatch.setenv(name, str(tmp_path / value))
    for name in ("DOCKYARD_RESOURCE_GROUP", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_HOST", "tcp://somewhere-else:1")
    monkeypatch.setenv("COLUMNS", "200")
    install(programs, "docker", FAKE_DOCKER)
    made = Paths.from_environ(os.environ)
    yield made
    shutil.rmtree(made.runtime, ignore_errors=True)  # a short path, so outside of tmp_path


@pytest.fixture
def arm(tmp_path: Path, paths: Paths) -> Iterator[ArmStub]:
    """A server that runs already."""
    stub = ArmStub(tmp_path)
    stub.write_credentials(paths)
    yield stub
    stub.close()


@pytest.fixture
def cli(paths: Paths, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run one command through the program's own entry point."""

    def call(*arguments: str) -> Result:
        capsys.readouterr()
        code = run(arguments)
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return call

"""Folders of each test's own, and a server in this process."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockyard.client import credentials
from dockyard.client.connection import Connection
from dockyard.config import Paths
from tests.unit.client.arm_stub import ArmStub


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[Paths]:
    made = Paths.from_environ({"DOCKYARD_HOME": str(tmp_path / "home")})
    yield made
    shutil.rmtree(made.runtime, ignore_errors=True)  # a short path, so outside of tmp_path


@pytest.fixture
def arm(tmp_path: Path, paths: Paths) -> Iterator[ArmStub]:
    stub = ArmStub(tmp_path)
    stub.write_credentials(paths)
    yield stub
    stub.close()


@pytest.fixture
def connection(arm: ArmStub, paths: Paths) -> Connection:
    found = credentials.read(paths.credentials)
    assert found is not None
    return Connection(found)

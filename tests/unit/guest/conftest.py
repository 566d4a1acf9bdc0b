"""A handler's folder as the agent leaves it, to start the package's program in; and a machine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import dockyard_contract
import dockyard_guest
from tests.scenario.kit import Context

VERSION = "1.3.0"
GUEST = Path(dockyard_guest.__file__).parent
PACKAGE = GUEST / "handlers/docker/package"
PROGRAM = GUEST / "package/bin/extension"


@pytest.fixture
def handler(tmp_path: Path) -> Path:
    """A handler's folder, as the agent leaves it: every file executable by its owner."""
    folder = tmp_path / "lib" / f"Microsoft.Azure.Extensions.DockerExtension-{VERSION}"
    shutil.copytree(PACKAGE, folder)
    (folder / "bin").mkdir(exist_ok=True)
    program = folder / "bin/docker-extension"
    program.write_text(PROGRAM.read_text().replace("@handler@", "docker"))
    program.chmod(0o744)
    for package in (GUEST, Path(dockyard_contract.__file__).parent):
        shutil.copytree(package, folder / "lib" / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("status", "config"):
        (folder / part).mkdir()
    members = {
        "logFolder": str(tmp_path / "log"),
        "configFolder": str(folder / "config"),
        "statusFolder": str(folder / "status"),
        "heartbeatFile": str(folder / "heartbeat.log"),
    }
    (folder / "HandlerEnvironment.json").write_text(json.dumps([{"version": 1.0, "handlerEnvironment": members}]))
    return folder


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A folder in which machines exist."""
    root = tmp_path / "machine"
    root.mkdir()
    return Context(root)

"""``vm create`` against the stub: what it sends, what it leaves behind, what it says when it fails."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dockyard.config import Paths
from tests.unit.cli.conftest import Cli
from tests.unit.client.arm_stub import ArmStub


def test_create_ends_with_a_proven_endpoint(cli: Cli, arm: ArmStub) -> None:
    done = cli("vm", "create", "web")
    assert done.code == 0, done.err
    port = arm.machines["web"].document["tags"]["dockyard-docker-port"]
    assert f"tcp://127.0.0.1:{port}" in done.out
    assert "Docker 28.0.1 (API 1.48)" in done.out
    assert "docker --context dockyard-web info" in done.out

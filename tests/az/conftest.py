"""Azure's own command line, logged in to a Dockyard of its own, with a resource group that goes at the end.

Run by ``make test-az``, which installs it; no part of ``make test``, because it is 750 MB.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import COMMAND_SECONDS, Done, Home

ROOT = Path(__file__).parents[2]
GROUP = "made-by-az"


@dataclass(frozen=True)
class Az:
    """One way to call ``az``: the program, and the variables it is called with."""

    program: str
    environment: Mapping[str, str] = field(repr=False)

    def run(self, *words: str, expect: int = 0, text: str | None = None) -> Done:
        done = subprocess.run(
            [self.program, *words],
            env={**os.environ, **self.environment},
            input=text,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        told = f"$ az {' '.join(words)}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == expect, f"exit {done.returncode}, wanted {expect}\n{told}"
        assert "Traceback" not in done.stderr, told
        return Done(done.returncode, done.stdout, done.stderr)

    def __call__(self, *words: str) -> Any:
        """Run one command and return what it printed, JSON; None when it printed nothing."""
        printed = self.run(*words, "--output", "json").output
        return json.loads(printed) if printed.strip() else None

    def timed(self, *words: str) -> tuple[float, Any]:
        """Run one command; answers the seconds until its prompt and what it printed."""
        begin = time.monotonic()
        printed = self(*words)
        return time.monotonic() - begin, printed


@pytest.fixture(scope="session")
def program() -> str:
    found = shutil.which("az")
    assert found, "az is not on PATH: 'make test-az' installs and finds it"
    return found


@pytest.fixture(scope="session")
def home() -> Iterator[Home]:
    folder = ROOT / "build/e2e/main"
    folder.mkdir(parents=True, exist_ok=True)
    made = Home(folder)
    made.run("vm", "delete", "--all", "--yes")
    yield made
    made.run("serve", "--stop", expect=None)


@pytest.fixture(scope="session")
def az(home: Home, program: str) -> Iterator[Az]:
    """``az`` in the environment that ``dockyard az`` prints."""
    printed = home.run("az", "--shell", "bash").output
    lines = [line.removeprefix("export ") for line in printed.splitlines() if line.startswith("export ")]
    variables = {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines)}
    made = Az(program, {**home.environment, **variables})
    if made("group", "exists", "--name", GROUP):
        made("group", "delete", "--name", GROUP, "--yes")
    made("group", "create", "--name", GROUP, "--location", "local")
    yield made
    made("group", "delete", "--name", GROUP, "--yes")


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key of the tests' own; its public half has the suffix ``.pub``."""
    path = tmp_path_factory.mktemp("keys") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


def forwarded(az: Az, machine: str, *, guest: int) -> str:
    """The host's port that leads to a port of the guest, as the machine's tags tell it."""
    tags: dict[str, str] = az("vm", "show", "-g", GROUP, "-n", machine, "--query", "tags")
    (host,) = [text.partition(":")[0] for name, text in tags.items() if text.endswith(f":{guest}")]
    return host


def fetched(url: str) -> str:
    """What is served at an address, as soon as something is."""
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - http, and ours
                return str(answer.read().decode())
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)

"""A home of its own for the real thing: real QEMU, agent, engine. Images are kept between runs, machines are not.

Every command goes through the console script, as a user's would. Tests that run beside each other, in processes of
their own (`pytest -n`), have homes of their own; each file says by its group on which of two machines it sits.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).parent / "dockyard"
COMMAND_SECONDS = 900


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    output: str
    error: str


@dataclass(frozen=True)
class Home:
    """Dockyard in a folder of its own."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        own = {"DOCKYARD_HOME": str(self.folder), "DOCKER_CONFIG": str(self.folder / "docker"), "NO_COLOR": "1"}
        return {**os.environ, **own}

    def run(self, *words: str, expect: int | None = 0) -> Done:
        argv = [str(PROGRAM), *words]
        done = subprocess.run(
            argv, env=self.environment, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
        )
        told = f"$ dockyard {' '.join(words)}\n{done.stdout}\n{done.stderr}"
        assert expect is None or done.returncode == expect, f"exit {done.returncode}, wanted {expect}\n{told}"
        return Done(done.returncode, done.stdout, done.stderr)

    def begin(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(PROGRAM), *words],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--output", "json").output)

    def view(self, name: str) -> dict[str, Any]:
        shown: dict[str, Any] = self.json("vm", "show", name)["properties"]["instanceView"]
        return shown

    def docker(self, name: str, *words: str) -> str:
        argv = ["docker", "--context", f"dockyard-{name}", *words]
        done = subprocess.run(argv, env=self.environment, capture_output=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def ssh(self, name: str, command: str) -> str:
        return self.run("vm", "ssh", name, "--", command).output

    def ssh_with_input(self, name: str, command: str, *, text: str) -> str:
        """Run a command in a machine with something on its standard input."""
        done = subprocess.run(
            [str(PROGRAM), "vm", "ssh", name, "--", command],
            env=self.environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def server_pid(self) -> int:
        return int(json.loads((self.folder / "state/serve.json").read_text())["pid"])

    def machine_pid(self, name: str) -> int:
        vm_id = self.json("vm", "show", name)["properties"]["vmId"]
        return int((self.folder / "data/machines" / vm_id / "pid").read_text())

    def until(self, condition: Callable[[], bool], *, seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() >= deadline:
                pytest.fail(f"waited {seconds:.0f} s for {what}\n{self.told()}")
            time.sleep(0.3)

    def told(self) -> str:
        """What the machines and the server have to say, for a failed test."""
        parts = []
        for name in [machine["name"] for machine in self.json("vm", "list")]:
            parts.append(json.dumps(self.view(name)["statuses"], indent=1))
            parts += self.run("vm", "console", name, expect=None).output.splitlines()[-25:]
        logs = sorted((self.folder / "state").glob("**/*.log"))
        parts += [line for log in logs for line in log.read_text(errors="replace").splitlines()[-40:]]
        return "\n".join(parts)


@pytest.fixture(scope="session")
def home() -> Iterator[Home]:
    folder = ROOT / "build/e2e" / os.environ.get("PYTEST_XDIST_WORKER", "main")
    folder.mkdir(parents=True, exist_ok=True)
    made = Home(folder)
    made.run("vm", "delete", "--all", "--yes")
    yield made
    made.run("vm", "delete", "--all", "--yes")
    made.run("serve", "--stop", expect=None)


@pytest.fixture(scope="session")
def docker_vm(home: Home) -> str:
    """The name of a machine with an engine behind mutual TLS."""
    home.run("vm", "create", "one")
    return "one"


@pytest.fixture(scope="session")
def plain_vm(home: Home) -> str:
    """The name of a second machine, without the extension."""
    home.run("vm", "create", "two", "--no-docker", "--image", "docker-debian-13", "--memory", "768")
    return "two"


@pytest.fixture(scope="session")
def busybox(home: Home, docker_vm: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image in the machine's engine, made of this computer's static busybox."""
    root = tmp_path_factory.mktemp("busybox")
    shutil.copy("/bin/busybox", root / "busybox")
    archive = shutil.make_archive(str(root / "image"), "tar", root, "busybox")
    home.docker(docker_vm, "import", "--change", 'ENTRYPOINT ["/busybox"]', archive, "test/busybox")
    return "test/busybox"

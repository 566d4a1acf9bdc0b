"""Runs inside a namespace: the real compose program, a real engine and a real registry that wants a password."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dockyard.client import waiting
from tests.integration.guest.agent import Agent
from tests.integration.guest.namespace import docker, furnish, import_busybox
from tests.integration.guest.small_systemd import PROGRAMS

V = "1.3.0"
PASSWORD = "canary-word-5d2e"
SECRET = "canary-variable-81fc"
PLUGINS = Path("/usr/libexec/docker/cli-plugins")
FILE = Path("/etc/docker/compose/docker-compose.yml")
CONFIG = """
version: 0.1
storage: {{filesystem: {{rootdirectory: {folder}/images}}}}
http: {{addr: "127.0.0.1:{port}"}}
auth: {{htpasswd: {{realm: tests, path: {folder}/users}}}}
"""
CRYPT = "print crypt($ARGV[0], '$2y$05$abcdefghijklmnopqrstuu')"
PORT = 5001


@contextmanager
def registry(tree: Path, folder: Path) -> Iterator[str]:
    """A registry on this namespace's loopback; gives its name."""
    folder.mkdir()
    hashed = subprocess.run(["perl", "-e", CRYPT, PASSWORD], capture_output=True, text=True, check=True).stdout
    (folder / "users").write_text(f"builder:{hashed}\n")
    (folder / "config.yml").write_text(CONFIG.format(folder=folder, port=PORT))
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [tree / "usr/bin/docker-registry", "serve", folder / "config.yml"], stderr=log, stdout=log
    )
    try:
        yield f"127.0.0.1:{PORT}"
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()


def push(server: str) -> str:
    """Put an image into the registry and take it from the machine; answers its name."""
    image = f"{server}/web:1"
    docker("tag", import_busybox(), image)
    waiting.until(lambda: log_in(server) or None, what="the registry", deadline=30, every=0.2)
    docker("push", image)
    docker("logout", server)
    docker("rmi", image, "busybox:1")
    return image


def log_in(server: str) -> bool:
    """Log the test's own client in."""
    argv = [f"{PROGRAMS}/docker", "login", "--username", "builder", "--password-stdin", server]
    return subprocess.run(argv, input=PASSWORD.encode(), capture_output=True, check=False, timeout=20).returncode == 0


class Stories:
    """One machine, one agent, and numbers that rise."""

    def __init__(self, agent: Agent, server: str, image: str) -> None:
        self.agent, self.server, self.image = agent, server, image
        self.number = -1

    def apply(self, public: dict[str, Any], *, password: str = PASSWORD, **protected: Any) -> Any:
        """Settings in the words of 2016, to their end."""
        self.number += 1
        login = {"server": self.server, "username": "builder", "password": password, "email": "a@example.com"}
        public = {"docker": {"defaults": {"ulimits": False}, "users": []}, **public}
        self.agent.settings(V, self.number, public, {"login": login, **protected})
        code = self.agent.run(V, "enable", self.number).code
        return {"code": code, "final": self.agent.final(V, self.number), "running": self.running()}

    def service(self, **more: Any) -> dict[str, Any]:
        """A service that tells its variables and stays."""
        word = "PATH=/bin; echo $$SHOWN $$HIDDEN > /out/said; exec busybox sleep 1000"
        told = ["SHOWN=${SHOWN}", "HIDDEN=${HIDDEN}"]
        command = ["/bin/busybox", "sh", "-c", word]
        return {"image": self.image, "net": "none", "command": command, "environment": told, **more}

    def running(self) -> list[str]:
        """Names of the containers that run."""
        return docker("ps", "--format", "{{.Names}}").split()

    def sample(self) -> dict[str, Any]:
        """The settings of the old extension's second example, with an image of our own."""
        one = self.service(volumes=["/run/out:/out"])
        return {"compose": {"web": one}, "compose-environment": {"SHOWN": "shown"}}


def main(engine: Path, package: Path, tree: Path, scratch: Path) -> dict[str, Any]:
    """All stories, in order."""
    furnish(engine, scratch / "data")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(PLUGINS.parents[1])], check=True)
    PLUGINS.mkdir(parents=True)
    shutil.copy(tree / str(PLUGINS / "docker-compose").lstrip("/"), PLUGINS)
    subprocess.run(["systemctl", "restart", "docker.service"], check=True)
    os.environ["DOCKER_HOST"] = "unix:///run/docker.sock"
    os.environ["DOCKER_CONFIG"] = str(scratch / "client")
    Path("/run/out").mkdir()
    with registry(tree, scratch / "registry") as server:
        stories = Stories(Agent(scratch / "agent", package=package), server, push(server))
        stories.agent.unpack(V)
        stories.agent.run(V, "install", 0)
        seen: dict[str, Any] = {"wrong_password": stories.apply(stories.sample(), password="canary-wrong-11")}
        seen["sample"] = stories.apply(stories.sample(), environment={"HIDDEN": SECRET})
        time_of_start = docker("inspect", "--format", "{{.State.StartedAt}}", *stories.running())
        seen["said"] = waiting.until(said, what="the container", deadline=20, every=0.1)
        seen["again"] = stories.apply(stories.sample(), environment={"HIDDEN": SECRET})
        seen["kept"] = docker("inspect", "--format", "{{.State.StartedAt}}", *stories.running()) == time_of_start
        text = json.dumps({"services": {"other": {"image": stories.image, "network_mode": "none",
                                                  "command": ["/bin/busybox", "sleep", "1000"]}}})  # fmt: skip
        seen["text"] = stories.apply({"compose": text})
        seen["wrong"] = stories.apply({"compose": {"bad": {"ports": 7}}})
        seen["nowhere"] = stories.apply({"compose": {"web": stories.service(image=f"{server}/none:1")}})
        seen["modes"] = {str(path): oct(path.stat().st_mode & 0o777) for path in (FILE, CLIENT)}
        seen["leaks"] = leaks(scratch / "agent")
        seen["gone"] = stories.apply({"compose-remove": True})
    subprocess.run(["systemctl", "stop", "docker.service"], check=True)
    return seen


CLIENT = Path("/var/lib/dockyard-docker/client/config.json")


def said() -> str | None:
    """What the container wrote."""
    file = Path("/run/out/said")
    return file.read_text().strip() or None if file.exists() else None


def leaks(folder: Path) -> list[str]:
    """Files of the agent's, and processes, in which a secret stands in the open."""
    secrets = (PASSWORD.encode(), SECRET.encode(), b"canary-wrong-11")
    files = [path for path in folder.rglob("*") if path.is_file()]
    files += [path / name for path in Path("/proc").glob("[0-9]*") for name in ("cmdline", "environ")]
    return [str(path) for path in files if any(secret in content(path) for secret in secrets)]


def content(path: Path) -> bytes:
    """What is in a file; nothing when its process has just ended."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


if __name__ == "__main__":
    print(json.dumps(main(*(Path(argument) for argument in sys.argv[1:5]))))

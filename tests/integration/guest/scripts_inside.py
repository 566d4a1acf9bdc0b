"""Runs inside a namespace: the CustomScript package with real processes, real users and a server of files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from dockyard.client import waiting
from tests.integration.guest.agent import Agent

V = "2.1.0"
NAME = "Microsoft.Azure.Extensions.CustomScript"
CANARY = "canary-command-66b2"
ROOT = Path("/var/lib/waagent/custom-script/download")
RECORD = Path("/run/dockyard-custom_script/running")
FOLDERS = ("/run", "/var/lib", "/usr/local/sbin")
FILE = b"#!/bin/sh\r\necho fetched\r\n"
SLEEPERS = "setsid sleep 1001 & (setsid sh -c 'sleep 1002 & sleep 1003' &); sleep 1004"


class Files(BaseHTTPRequestHandler):
    """Busy at the first request, then serves one file."""

    asked = 0

    def do_GET(self) -> None:
        Files.asked += 1
        self.send_response(503 if Files.asked == 1 else 200)
        self.send_header("Content-Length", str(len(FILE)))
        self.end_headers()
        self.wfile.write(FILE)

    def log_message(self, *_: object) -> None:
        return


def commands() -> dict[int, str]:
    """The processes that run, by number."""
    found = {}
    for folder in Path("/proc").iterdir():
        try:
            found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except (ValueError, OSError):
            continue
    return {pid: text for pid, text in found.items() if text}


def sleepers(first: int) -> list[str]:
    return sorted(text for text in commands().values() if text.startswith(f"sleep {first // 1000}") and len(text) == 10)


class Stories:
    """One machine; each story is a sequence number of its own."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.number = -1

    def begin(self, public: object, protected: object | None = None) -> int:
        self.number += 1
        self.agent.settings(V, self.number, public, protected)
        self.agent.run(V, "enable", self.number)
        return self.number

    def run(self, public: object, protected: object | None = None) -> dict[str, Any]:
        return self.agent.final(V, self.begin(public, protected))

    def whole_output(self) -> dict[str, Any]:
        status = self.run({"commandToExecute": "seq 1 200000; seq 1 3 >&2"})
        stdout = ROOT / f"{self.number}/stdout"
        lines = stdout.read_text().splitlines()
        modes = [oct(path.stat().st_mode & 0o777) for path in (stdout, stdout.parent)]
        return {"status": status, "lines": [len(lines), lines[-1]], "modes": modes}

    def failing(self) -> dict[str, Any]:
        return {"status": self.run({"commandToExecute": "echo broken >&2; kill -TERM $$"})}

    def grandchildren(self) -> dict[str, Any]:
        status = self.run({"commandToExecute": SLEEPERS, "timeoutInSeconds": 2})
        return {"status": status, "left": sleepers(1000)}

    def background(self) -> dict[str, Any]:
        status = self.run({"commandToExecute": "nohup sleep 2001 >/dev/null 2>&1 & echo begun"})
        return {"status": status, "left": sleepers(2000)}

    def another_user(self) -> dict[str, Any]:
        command = f"id -u; id -G; pwd; touch mine && echo writes; cat {ROOT}/{self.number + 1}/stdout || echo refused"
        return {"status": self.run({"commandToExecute": command, "runAsUser": "nobody"})}

    def again(self) -> dict[str, Any]:
        first = self.run({"commandToExecute": "echo ran >> /run/ran"})
        codes = [self.agent.run(V, "enable", self.number).code for _ in range(2)]
        return {"codes": codes, "ran": Path("/run/ran").read_text(), "same": self.agent.status(V, self.number) == first}

    def secret(self) -> dict[str, Any]:
        number = self.begin({}, {"commandToExecute": f": {CANARY}; sleep 1; echo over"})
        waiting.until(lambda: RECORD.exists() or None, what="the script", deadline=30, every=0.05)
        seen = [text for text in commands().values() if CANARY in text]
        status = self.agent.final(V, number)
        logs = [path.read_text() for path in Path(sys.argv[2]).rglob("*.log")]
        return {"status": status, "seen": seen, "logged": [CANARY in text for text in logs]}

    def killed_worker(self) -> dict[str, Any]:
        number = self.begin({"commandToExecute": "echo begun; setsid sleep 3001; echo never"})
        waiting.until(lambda: sleepers(3000) or None, what="the script", deadline=30, every=0.05)
        for pid, text in commands().items():
            if text.endswith("custom_script work"):
                os.kill(pid, signal.SIGKILL)
        alive = sleepers(3000)
        code = self.agent.run(V, "enable", number).code
        left = sleepers(3000)
        return {"alive": alive, "code": code, "left": left, "status": self.agent.status(V, number)}

    def newer(self) -> dict[str, Any]:
        older = self.begin({"commandToExecute": "echo older; sleep 4001"})
        waiting.until(lambda: sleepers(4000) or None, what="the script", deadline=30, every=0.05)
        newer = self.run({"commandToExecute": "echo newer"})
        return {"older": self.agent.final(V, older), "newer": newer, "left": sleepers(4000)}

    def files(self) -> dict[str, Any]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/tools/setup.sh?sig={CANARY}"
        status = self.run({"fileUris": [url], "commandToExecute": "./setup.sh"})
        asked = Files.asked
        refused = self.run({"fileUris": [url], "commandToExecute": "true", "sha256": {"setup.sh": "0" * 64}})
        server.shutdown()
        server.server_close()
        return {"status": status, "asked": asked, "refused": refused}

    def uninstall(self) -> dict[str, Any]:
        codes = [self.agent.run(V, verb, self.number).code for verb in ("disable", "uninstall")]
        return {"codes": codes, "left": ROOT.parent.exists()}


def main(package: str, folder: str) -> dict[str, Any]:
    """All stories, on one machine."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    for mounted in FOLDERS:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", mounted], check=True)
    Path("/usr/local/sbin/python3").symlink_to(Path(sys.executable).resolve())
    Path("/var/lib/waagent").mkdir(mode=0o700)
    agent = Agent(Path(folder), package=Path(package), name=NAME)
    agent.unpack(V)
    agent.run(V, "install", 0)
    stories = Stories(agent)
    names = ("whole_output", "failing", "grandchildren", "background", "another_user", "again", "secret")
    more = ("killed_worker", "newer", "files", "uninstall")
    return {name: getattr(stories, name)() for name in (*names, *more)}


if __name__ == "__main__":
    told = main(sys.argv[1], sys.argv[2])
    sys.stdout.write(json.dumps(told))

"""Plays ``systemctl``, ``systemd-run`` and ``journalctl`` for one service, in a namespace without systemd.

Installed under those names by `namespace`. Starts dockerd by the very unit file and drop-in that systemd would read.
The handler's own code runs unchanged: to it, systemd runs this machine.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from dockyard_guest.handlers.docker.unit_file import program_words, start_command

STATE = Path("/run/small-systemd")
SERVICE = "docker.service"
FRAGMENT = Path("/etc/systemd/system/docker.service")
DROP_IN = Path("/etc/systemd/system/docker.service.d/10-docker-extension.conf")
SOCKET = "/run/docker.sock"
PROGRAMS = "/usr/local/sbin"
LIMIT = 60.0


def pid_of(name: str) -> int:
    """Number of a unit's process; 0 when it does not run."""
    with suppress(OSError, ValueError):
        pid = int((STATE / f"{name}.pid").read_text())
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            return pid
    return 0


def systemctl(words: list[str]) -> int:
    """One command about units."""
    verb, *names = [word for word in words if not word.startswith("--")]
    if verb == "show":
        print("\n".join(shown(name) for name in names))
    if verb in ("stop", "restart"):
        for name in names:
            stop(name)
    if verb in ("start", "restart"):
        return 0 if pid_of(SERVICE) or started() else 1
    if verb == "reload" and pid_of(SERVICE):
        os.kill(pid_of(SERVICE), signal.SIGHUP)
    return 0


def shown(name: str) -> str:
    """A unit's properties, as ``systemctl show`` prints them."""
    there = name == SERVICE and FRAGMENT.exists()
    pid = pid_of(name)
    members = {
        "Id": name,
        "LoadState": "loaded" if there else "not-found",
        "ActiveState": "active" if pid else "inactive",
        "UnitFileState": "enabled" if there else "",
        "FragmentPath": str(FRAGMENT) if there else "",
        "DropInPaths": str(DROP_IN) if there and DROP_IN.exists() else "",
        "MainPID": str(pid),
    }
    return "".join(f"{key}={value}\n" for key, value in members.items())


def started() -> bool:
    """Start the engine and wait until it answers; false when it ends instead."""
    command = start_command((DROP_IN if DROP_IN.exists() else FRAGMENT).read_text())
    assert command is not None
    log = STATE / f"{SERVICE}.log"
    (STATE / f"{SERVICE}.begun").write_text(str(log.stat().st_size if log.exists() else 0))
    environment = {"PATH": f"{PROGRAMS}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
    with log.open("ab") as output:
        argv = [f"{PROGRAMS}/dockerd", *program_words(command)]
        process = subprocess.Popen(argv, stdout=output, stderr=output, env=environment, start_new_session=True)
    (STATE / f"{SERVICE}.pid").write_text(str(process.pid))
    deadline = time.monotonic() + LIMIT
    while process.poll() is None and time.monotonic() < deadline:
        if answers():
            return True
        time.sleep(0.05)
    return False


def answers() -> bool:
    """Whether the engine answers on its unix socket."""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        connection.connect(SOCKET)
        connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
        return connection.recv(64).startswith(b"HTTP/1.0 200")
    return False


def stop(name: str) -> None:
    """End a unit's process and wait for its end."""
    pid = pid_of(name)
    if pid:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + LIMIT
        while pid_of(name) and time.monotonic() < deadline:
            time.sleep(0.02)


def run(words: list[str]) -> int:
    """Start a transient unit: a process apart from everything, in an environment made from scratch."""
    split = words.index("--")
    options, argv = words[:split], words[split + 1 :]
    members = dict(option[2:].split("=", 1) for option in options if "=" in option and "--setenv" not in option)
    variables = dict(option.split("=", 2)[1:] for option in options if option.startswith("--setenv="))
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **variables}
    with (STATE / "work.log").open("ab") as log:
        process = subprocess.Popen(
            argv, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True
        )
    (STATE / f"{members['unit']}.pid").write_text(str(process.pid))
    return 0


def journal(words: list[str]) -> int:
    """What the engine has written since it was last started."""
    log = STATE / f"{SERVICE}.log"
    if "--sync" not in words and log.exists():
        begun = int((STATE / f"{SERVICE}.begun").read_text())
        sys.stdout.write(log.read_bytes()[begun:].decode(errors="replace"))
    return 0


if __name__ == "__main__":
    programs = {"systemctl": systemctl, "systemd-run": run, "journalctl": journal}
    sys.exit(programs[sys.argv[1]](sys.argv[2:]))

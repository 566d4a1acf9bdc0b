"""A machine with an engine in a mount, network and process namespace of its own, for the handler's real package.

Entered by `enter`, furnished from inside by `furnish`: folders in memory, an engine's programs, `small_systemd`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.integration.guest.small_systemd import FRAGMENT, PROGRAMS, SERVICE, SOCKET, STATE, pid_of

ROOT = Path(__file__).parents[3]
LIMIT = 500
FOLDERS = ("/etc/docker", "/etc/systemd/system", "/var/lib/dockyard-docker", "/run", "/usr/local/sbin")


def enter(script: Path, *arguments: str) -> Any:
    """Run a script in namespaces of its own and answer the JSON that it prints. Nothing in there outlives it."""
    namespaces = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    # The shell is process 1 there: it buries the processes whose parents have ended, as systemd would.
    init = ["sh", "-c", '"$@"; exit $?', "init"]
    done = subprocess.run(
        [*namespaces, *init, sys.executable, str(script), *arguments],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    return json.loads(done.stdout)


def furnish(engine: Path, data: Path) -> None:
    """Make this namespace a machine with the engine's package and with systemd, all folders in memory."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    for folder in FOLDERS:
        Path(folder).mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
    for made in (Path("/run/systemd/system"), STATE):
        made.mkdir(parents=True)
    module = f"{sys.executable} -m {__package__}.small_systemd"
    for name in ("systemctl", "systemd-run", "journalctl"):
        install(name, f'#!/bin/sh\nPYTHONPATH={ROOT}/src:{ROOT} exec {module} {name} "$@"\n')
    # The handler's commands look for python3 where programs of the machine are.
    Path(PROGRAMS, "python3").symlink_to(Path(sys.executable).resolve())
    link_engine(engine)
    arguments = f"-H unix://{SOCKET} --data-root={data} --exec-root=/run/engine --iptables=false --bridge=none"
    FRAGMENT.write_text(f"[Service]\nExecStart={PROGRAMS}/dockerd {arguments}\n")


def link_engine(engine: Path) -> None:
    """Put the engine's programs on the search path."""
    for part in ("usr/sbin", "usr/bin"):
        for program in (engine / "tree" / part).iterdir():
            Path(PROGRAMS, program.name).unlink(missing_ok=True)
            Path(PROGRAMS, program.name).symlink_to(program)


def install(name: str, script: str) -> None:
    """Put a program on the search path, before all others."""
    path = Path(PROGRAMS, name)
    path.write_text(script)
    path.chmod(0o755)


def engine_pid() -> int:
    """The engine's process; 0 when it does not run."""
    return pid_of(SERVICE)


def docker(*words: str, stdin: bytes | None = None) -> str:
    """Run the engine's own client."""
    argv = [f"{PROGRAMS}/docker", "-H", f"unix://{SOCKET}", *words]
    done = subprocess.run(argv, input=stdin, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, (argv, done.stderr.decode())
    return done.stdout.decode().strip()


def import_busybox() -> str:
    """An image of one static program; answers its name."""
    busybox = shutil.which("busybox")
    assert busybox is not None
    root = Path("/run/image/bin")
    root.mkdir(parents=True)
    shutil.copy(busybox, root / "busybox")
    archive = subprocess.run(["tar", "-C", "/run/image", "-c", "."], capture_output=True, check=True).stdout
    docker("import", "-", "busybox:1", stdin=archive)
    return "busybox:1"

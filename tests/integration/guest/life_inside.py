"""Runs inside namespaces of its own: the real package, driven as the agent drives it, around a real dockerd.

Started by ``test_life_cycle.py``: ``python life_inside.py <folder of the engine> <package> <scratch folder>``. Each
story stands on the ones before it. Prints what was seen as one JSON object.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

from dockyard_guest.composition import real_machine
from tests.integration.guest.agent import NOT_RUN, Agent
from tests.integration.guest.namespace import docker, engine_pid, furnish, import_busybox, install
from tests.integration.guest.small_systemd import DROP_IN, PROGRAMS, STATE, answers, pid_of
from tests.support.openssl_pki import Pair, make_authority, make_leaf

V, NEXT = "1.3.0", "1.4.0"
PORT = 2376
CERTS = "/etc/docker"
STATE_FOLDER = "/var/lib/dockyard-docker"
KILL_AT = Path("/run/kill-at")
STEPS = ("settings", "engine", "certificates", "configuration", "service", "endpoint", "confinement")
FILES = (
    f"{STATE_FOLDER}/last-good.json",
    f"{STATE_FOLDER}/record.json",
    f"{CERTS}/key.pem",
    f"{CERTS}/cert.pem",
    str(DROP_IN),
)
TICKER = 'while :; do read up rest < /proc/uptime; echo "$up" >> /out/ticks; sleep 0.2; done'
SABOTEUR = """
import json, os, sys
def _saboteur(event, arguments):
    if event != "os.rename" or sys.argv[-1] != "work" or not os.path.exists("{kill_at}"):
        return
    kind, _, name = open("{kill_at}").read().partition(" ")
    source, target = arguments[0], arguments[1]
    if kind == "file":
        hit = target == name
    else:
        last = json.load(open(source))[0]["status"].get("substatus", [])[-1:] if target.endswith(".status") else []
        hit = [(part["name"], part["status"]) for part in last] == [(name, "transitioning")]
    if hit:
        os.unlink("{kill_at}")
        os.rename(source, target)
        os.kill(os.getpid(), 9)
sys.addaudithook(_saboteur)
"""


class Stories:
    """What happens to one machine, told in methods; each answers what was seen."""

    def __init__(self, agent: Agent, scratch: Path, engine: Path) -> None:
        self.agent = agent
        self.scratch = scratch
        self.engine = engine
        self.number = 0
        self.authority = make_authority(scratch, days=90)
        self.server = self.leaf("server")
        self.client = make_leaf(scratch, "client", authority=self.authority, use="clientAuth")

    def leaf(self, name: str, *, days: int = 60) -> Pair:
        """A new server certificate."""
        return make_leaf(self.scratch, name, authority=self.authority, use="serverAuth", days=days)

    def send(self, *, server: Pair | None = None, options: list[str] | None = None, port: int = PORT) -> int:
        """Write the next number's settings; answers the number."""
        self.number += 1
        self.write(self.number, server=server, options=options, port=port)
        return self.number

    def write(
        self,
        number: int,
        *,
        server: Pair | None = None,
        options: list[str] | None = None,
        port: int = PORT,
        version: str = V,
    ) -> None:
        """Write a number's settings."""
        if server is not None:
            self.server = server
        names = {"ca": self.authority.certificate, "cert": self.server.certificate, "key": self.server.key}
        certs = {"certs": {name: path.read_text() for name, path in names.items()}}
        # Without the right to raise limits, as in most containers, nothing here could start with the defaults' limits.
        own = {"port": str(port), "options": options or [], "defaults": {"ulimits": False}}
        self.agent.settings(version, number, {"docker": own}, certs)

    def apply(self, *, server: Pair | None = None, options: list[str] | None = None, port: int = PORT) -> Any:
        """New settings, applied to their end."""
        return self.agent.enable(V, self.send(server=server, options=options, port=port))

    def answers_with(self, *, port: int = PORT) -> int:
        """HTTP status the engine gives to the client's certificate; 0 when it does not answer."""
        probe = real_machine(log=lambda _: None).sockets.get_tls(
            port,
            "/version",
            authority=str(self.authority.certificate),
            timeout=10,
            certificate=str(self.client.certificate),
            key=str(self.client.key),
        )
        return 0 if probe.answer is None else probe.answer.status

    # ------------------------------------------------------------ the life cycle

    def first_time(self) -> Any:
        self.agent.unpack(V)
        self.write(0)
        installed = self.agent.run(V, "install", 0, AZURE_GUEST_AGENT_UNINSTALL_CMD_EXIT_CODE=NOT_RUN)
        enabled = self.agent.run(V, "enable", 0, AZURE_GUEST_AGENT_UNINSTALL_CMD_EXIT_CODE=NOT_RUN)
        final = self.agent.final(V, 0)
        status_file = self.agent.folder(V) / "status/0.status"
        return {
            "codes": [installed.code, enabled.code],
            "status when enable ended": enabled.status and enabled.status["status"],
            "status file": oct(status_file.stat().st_mode & 0o777),
            "final": final,
            "mrseq": (self.agent.folder(V) / "mrseq").read_text(),
            "client": self.answers_with(),
        }

    def again(self) -> Any:
        path = self.agent.folder(V) / "status/0.status"
        before, works = path.stat().st_mtime_ns, len(list(STATE.glob("dockyard-*.pid")))
        repeats = [self.agent.run(V, "enable", 0) for _ in range(3)]
        return {
            "codes": [repeat.code for repeat in repeats],
            "status untouched": path.stat().st_mtime_ns == before,
            "works started": len(list(STATE.glob("dockyard-*.pid"))) - works,
        }

    def start_ticker(self) -> Any:
        Path("/run/out").mkdir()
        image = import_busybox()
        return docker("run", "-d", "--network=none", "-v", "/run/out:/out", image, "/bin/busybox", "sh", "-c", TICKER)

    def ticker(self) -> dict[str, object]:
        """The container's process and longest silence, in seconds, from its first tick until now."""
        (name,) = docker("ps", "-q").split()
        shown = json.loads(docker("inspect", name))[0]
        ticks = [float(line) for line in Path("/run/out/ticks").read_text().split()]
        up = float(Path("/proc/uptime").read_text().split()[0])
        moments = [*ticks, up]
        gaps = [after - before for before, after in pairwise(moments)]
        return {"pid": shown["State"]["Pid"], "restarts": shown["RestartCount"], "longest silence": max(gaps)}

    def rotation(self) -> Any:
        before = engine_pid()
        done = self.apply(server=self.leaf("renewed"))
        return {"final": done, "same engine": engine_pid() == before, "client": self.answers_with(), **self.ticker()}

    def engine_restart(self) -> Any:
        subprocess.run(["systemctl", "restart", "docker.service"], check=True)
        return {"client": self.answers_with(), **self.ticker()}

    def settings_change(self) -> Any:
        done = self.apply(options=["--label=changed=yes"])
        return {"final": done, "labels": docker("info", "--format", "{{json .Labels}}"), **self.ticker()}

    def report(self) -> Any:
        """The report for support, asked for by a person, on a machine with secrets where they may be."""
        noise = "time=now level=info msg=x http_proxy=http://user:canary-4d2e@proxy password=canary-4d2e\n"
        with (STATE / "docker.service.log").open("a") as log:
            log.write(noise)
        program = self.agent.folder(V) / "bin/docker-extension"
        done = subprocess.run([program, "diagnose"], capture_output=True, text=True, check=False, env={"PATH": path()})
        key = self.server.key.read_text().splitlines()[1]
        return {"code": done.returncode, "error": done.stderr, "text": done.stdout, "key": key}

    def disable_and_enable(self) -> Any:
        disabled = self.agent.run(V, "disable", self.number)
        closed = self.answers_with()
        enabled = self.agent.enable(V, self.number)
        return {"code": disabled.code, "closed": closed, "final": enabled, "open": self.answers_with(), **self.ticker()}

    def number_down(self) -> Any:
        highest = self.number
        self.write(0, options=["--label=down=yes"])
        done = self.agent.enable(V, 0)
        seen = docker("info", "--format", "{{json .Labels}}")
        return {"from": highest, "final": done, "labels": seen, "mrseq": (self.agent.folder(V) / "mrseq").read_text()}

    def agent_restart(self) -> Any:
        number = self.send(options=["--label=survived=yes"])
        self.agent.run(V, "enable", number)  # what it left in the agent's process group is killed right after
        return {"final": self.agent.final(V, number)}

    def null_members(self) -> Any:
        """Settings whose parts are null, and a number without any: remote access is closed, the engine stays."""
        self.number += 1
        self.agent.write(V, self.number, '{"runtimeSettings":[{"handlerSettings":{"publicSettings":null,'
                         '"protectedSettings":null,"protectedSettingsCertThumbprint":null}}]}')  # fmt: skip
        nulls = self.agent.enable(V, self.number)
        closed = self.answers_with()
        self.agent.write(V, 0, "")
        empty = self.agent.enable(V, 0)
        return {"nulls": nulls, "client": closed, "empty": empty, "again": self.apply()}

    def versions(self) -> Any:
        """Up to the next version and down again, in the agent's order."""
        seen: dict[str, Any] = {}
        for old, new in ((V, NEXT), (NEXT, V)):
            self.agent.unpack(new)
            self.number += 1
            self.write(self.number, version=new)
            codes = self.agent.change_version(old, new, self.number)
            closed = self.answers_with()
            seen[f"{old} to {new}"] = {
                "codes": codes,
                "closed": closed,
                "final": self.agent.enable(new, self.number),
                "client": self.answers_with(),
                **self.ticker(),
            }
        return seen

    # ------------------------------------------------------------ faults

    def kills(self) -> Any:
        """The worker is killed at each step and at each file it puts in place; enable with the same number follows."""
        python = Path(PROGRAMS, "python3")
        real = python.resolve()
        program = SABOTEUR.format(kill_at=KILL_AT)
        Path("/run/saboteur.py").write_text(program)
        python.unlink()
        script = f'#!/bin/sh\nflags=$1 program=$3\nshift 3\nexec {real} "$flags"'
        install("python3", f'{script} -c "$(cat /run/saboteur.py)\n$program" "$@"\n')
        seen = {}
        for index, place in enumerate([*(f"step {name}" for name in STEPS), *(f"file {path}" for path in FILES)]):
            seen[place] = self._killed_at(place, server=self.leaf(f"kill-{index}"))
        python.unlink()
        python.symlink_to(real)
        return seen

    def _killed_at(self, place: str, *, server: Pair) -> Any:
        number = self.send(server=server, options=[f"--label=number={self.number}"])
        KILL_AT.write_text(place)
        self.agent.run(V, "enable", number)
        wait_for(lambda: not KILL_AT.exists() and not any_work())
        stale = self.agent.status(V, number)
        final = self.agent.enable(V, number)
        return {"stale": stale and stale["status"], "final": final["status"], "client": self.answers_with()}

    def dead_engine(self) -> Any:
        os.kill(engine_pid(), signal.SIGKILL)
        wait_for(lambda: not engine_pid())
        final = self.agent.enable(V, self.number)
        return {"final": final, "client": self.answers_with(), **self.ticker()}

    def port_conflict(self) -> Any:
        before = engine_pid()
        with socket.create_server(("0.0.0.0", 2399)):
            refused = self.apply(port=2399)
        return {"refused": refused, "same engine": engine_pid() == before, "client": self.answers_with(),
                "later": self.agent.enable(V, self.number), "moved": self.answers_with(port=2399)}  # fmt: skip

    def expiry(self) -> Any:
        self.apply(server=self.server)
        before = engine_pid()
        good = self.server
        expired = self.apply(server=self.leaf("expired", days=0))
        self.server = good
        kept = [engine_pid() == before, self.answers_with()]
        soon = self.apply(server=self.leaf("soon", days=10))
        return {"expired": expired, "kept": kept, "soon": soon}

    def wrong_option(self) -> Any:
        before = engine_pid()
        refused = self.apply(options=["--no-such-option"])
        return {"refused": refused, "same engine": engine_pid() == before, "client": self.answers_with()}

    def full_disk(self) -> Any:
        seen: dict[str, Any] = {}
        for folder in (STATE_FOLDER, CERTS):
            before = engine_pid()
            filler = fill(folder)
            number = self.send(server=self.leaf(f"full-{len(seen)}"))
            failed = self.agent.enable(V, number)
            kept = [engine_pid() == before, self.answers_with()]
            filler.unlink()
            seen[folder] = {"failed": failed, "kept": kept, "later": self.agent.enable(V, number)}
        return seen

    def full_handler_disk(self) -> Any:
        """The disk of the handler's own folder is full: at the enable, and later, while the worker works."""
        folder = self.agent.folder(V)
        number = self.send(server=self.leaf("crowded"))
        filler = fill(str(folder))
        at_once = self.agent.run(V, "enable", number)
        filler.unlink()
        with real_machine(log=lambda _: None).files.try_lock("/run/dockyard-docker/lock") or stranger():
            self.agent.run(V, "enable", number)
            filler = fill(str(folder))
        time.sleep(1.0)  # the worker meets the full disk now; nothing it could show tells when
        meanwhile = self.agent.status(V, number)
        filler.unlink()
        told = self.agent.final(V, number)
        return {
            "at once": [at_once.code, at_once.error],
            "meanwhile": meanwhile and meanwhile["status"],
            "told": told,
            "later": self.agent.enable(V, number),
        }

    def package_lock(self) -> Any:
        """The engine is gone, and another package manager holds the lock: told with its name, then taken up."""
        subprocess.run(["systemctl", "stop", "docker.service"], check=True)
        folder = Path("/var/lib/dpkg")
        status = (folder / "status").read_bytes()
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(folder)], check=True)
        for name in ("lock", "lock-frontend", "available"):
            (folder / name).touch()
        (folder / "status").write_bytes(status)
        (folder / "info").mkdir()
        Path(PROGRAMS, "dockerd").unlink()
        Path("/run/stanza").write_text(STANZA)
        install("apt-get", APT.format(engine=self.engine, programs=PROGRAMS))
        number = self.send(options=["--label=fresh=yes"])
        holder = subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdout.readline()
        self.agent.run(V, "enable", number)
        wait_for(lambda: "waiting for another" in part(self.agent.status(V, number), "engine"))
        said = part(self.agent.status(V, number), "engine")
        holder.stdin.close()
        holder.wait(timeout=10)
        final = self.agent.final(V, number)
        return {"said": said, "holder": holder.pid, "final": final, "apt": Path("/run/apt").read_text()}

    def uninstall(self) -> Any:
        gone = [self.agent.run(V, verb, self.number).code for verb in ("disable", "uninstall")]
        files = [str(path) for folder in (CERTS, STATE_FOLDER) for path in sorted(Path(folder).glob("*"))]
        return {"codes": gone, "files": files, "drop-in": DROP_IN.exists()}


STANZA = """
Package: docker.io
Status: install ok installed
Maintainer: nobody
Architecture: amd64
Version: 26.1.5
Description: the engine
"""
APT = """#!/bin/sh
echo "$@" >> /run/apt
case " $* " in
*" --simulate "*) ;;
*" install "*)
    ln -sf {engine}/tree/usr/sbin/dockerd {programs}/
    cat /run/stanza >> /var/lib/dpkg/status ;;
esac
"""
HOLDER = """
import fcntl, sys
file = open("/var/lib/dpkg/lock-frontend", "w")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def path() -> str:
    """The search path of the machine."""
    return f"{PROGRAMS}:/usr/sbin:/usr/bin:/sbin:/bin"


def part(status: dict[str, Any] | None, name: str) -> str:
    """The message of one substatus; empty when it is not there."""
    parts = (status or {}).get("substatus") or []
    return "".join(part["formattedMessage"]["message"] for part in parts if part["name"] == name)


def stranger() -> Any:
    raise AssertionError("somebody holds the lock")


def any_work() -> bool:
    """Whether a worker runs."""
    return any(pid_of(path.name.removesuffix(".pid")) for path in STATE.glob("dockyard-*.pid"))


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def fill(folder: str) -> Path:
    """Leave no room on a folder's file system; answers the file that takes it."""
    filler = Path(folder, "filler")
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 1024)
    return filler


def small(folder: Path | str, *, size: str = "2m") -> None:
    """Put a folder onto a small file system of its own, with what is in it."""
    kept = Path("/run/kept")
    shutil.copytree(folder, kept)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    shutil.copytree(kept, folder, dirs_exist_ok=True)
    shutil.rmtree(kept)


def main(engine: Path, package: Path, scratch: Path) -> dict[str, Any]:
    """All stories, in order."""
    furnish(engine, scratch / "data")
    for folder in (CERTS, STATE_FOLDER):
        small(folder)
    subprocess.run(["systemctl", "restart", "docker.service"], check=True)
    assert answers()
    home = Path("/run/agent")
    home.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(home)], check=True)
    stories = Stories(Agent(home, package=package), scratch, engine)
    seen = {}
    for story in ORDER:
        begun = time.monotonic()
        seen[story.__name__] = story(stories)
        sys.stderr.write(f"{story.__name__}: {time.monotonic() - begun:.1f} s\n")
    subprocess.run(["systemctl", "stop", "docker.service"], check=True)
    return seen


ORDER: tuple[Callable[[Stories], Any], ...] = (
    Stories.first_time,
    Stories.again,
    Stories.start_ticker,
    Stories.rotation,
    Stories.engine_restart,
    Stories.settings_change,
    Stories.report,
    Stories.disable_and_enable,
    Stories.number_down,
    Stories.agent_restart,
    Stories.null_members,
    Stories.versions,
    Stories.kills,
    Stories.dead_engine,
    Stories.port_conflict,
    Stories.expiry,
    Stories.wrong_option,
    Stories.full_disk,
    Stories.full_handler_disk,
    Stories.package_lock,
    Stories.uninstall,
)

if __name__ == "__main__":
    print(json.dumps(main(*(Path(argument) for argument in sys.argv[1:4]))))

"""Runs inside a mount, network and process namespace of its own: the real Docker handler against a real dockerd.

Everything is the guest's own code on the real machine's doors but systemd, which is not there: `ProcessServices` starts
dockerd by the very unit file and drop-in that systemd would read. Prints what happened as one JSON object.

Started by ``test_real_engine.py``: ``python inside.py <folder of the engine> <scratch folder>``.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from dockyard_contract.settings import parse_protected, public_settings
from dockyard_guest.composition import real_machine
from dockyard_guest.errors import GuestError, TemporaryError
from dockyard_guest.handlers.docker.handler import DockerHandler
from dockyard_guest.handlers.docker.unit_file import program_words, start_command
from dockyard_guest.system.services import SystemServices
from dockyard_guest.values import PlainSettings, TlsProbe, Unit
from tests.support.openssl_pki import Pair, make_authority, make_leaf

PORT = 2376
SOCKET = "/run/docker.sock"
FRAGMENT = "/etc/systemd/system/docker.service"
DROP_IN = "/etc/systemd/system/docker.service.d/10-docker-extension.conf"
GUARD_DROP_IN = "/etc/systemd/system/docker.service.d/20-docker-extension-guard.conf"
PROXY_DROP_IN = "/etc/systemd/system/docker.service.d/20-docker-extension-proxy.conf"
PROGRAMS = "/usr/local/sbin"
NAMES = ("ca", "cert", "key")
START_LIMIT = 60.0


class ProcessServices(SystemServices):
    """What the handler asks of systemd, done with one process."""

    def __init__(self, scratch: Path) -> None:
        self._log = scratch / "dockerd.log"
        self._begun = 0
        self._process: subprocess.Popen[bytes] | None = None

    def is_available(self) -> bool:
        return True

    def units(self, names: Sequence[str]) -> tuple[Unit, ...]:
        return tuple(self._unit(name) for name in names)

    def reload_units(self) -> None:
        """The files are read at each start."""

    def enable(self, names: Sequence[str]) -> None:
        """There is no boot."""

    def start(self, name: str) -> None:
        self.restart(name)

    def restart(self, name: str) -> None:
        self.stop([name])
        for line in _lines(GUARD_DROP_IN, "ExecStartPre="):
            subprocess.run(shlex.split(line), check=True)
        text = Path(DROP_IN if Path(DROP_IN).exists() else FRAGMENT).read_text()
        command = start_command(text)
        assert command is not None
        self._begun = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            argv = [f"{PROGRAMS}/dockerd", *program_words(command)]
            self._process = subprocess.Popen(argv, stdout=log, stderr=log, env=_environment())
        self._await()

    def reload(self, name: str) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def stop(self, names: Sequence[str]) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=60)
            self._process = None

    def journal(self, name: str, *, since: float, lines: int) -> tuple[str, ...]:
        return tuple(self._log.read_bytes()[self._begun :].decode(errors="replace").splitlines()[-lines:])

    def _unit(self, name: str) -> Unit:
        if name != "docker.service":
            return Unit(name=name)
        running = self._process is not None and self._process.poll() is None
        return Unit(
            name=name,
            load_state="loaded",
            active_state="active" if running else "inactive",
            file_state="enabled",
            fragment=FRAGMENT,
            main_pid=self._process.pid if running and self._process else 0,
        )

    def _await(self) -> None:
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            if answers_on_unix():
                return
            time.sleep(0.1)
        raise TemporaryError("systemctl restart docker.service failed.")


class QuietProgress:
    """Notes the steps."""

    def __init__(self) -> None:
        self.steps: dict[str, str] = {}

    def report(self, message: str, *, success: bool = False) -> None:
        raise AssertionError("the Docker extension reports steps")

    @contextmanager
    def step(self, name: str, text: str) -> Iterator[QuietStep]:
        yield QuietStep(self, name)


class QuietStep:
    """One noted step."""

    def __init__(self, progress: QuietProgress, name: str) -> None:
        self._progress = progress
        self._name = name

    def say(self, text: str) -> None:
        self._progress.steps[self._name] = text

    def warn(self, text: str) -> None:
        self._progress.steps[self._name] = text

    def checkpoint(self) -> None:
        """Nothing newer comes."""


class Bench:
    """The handler on this namespace's machine, and clients of its engine."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.services = ProcessServices(scratch)
        self.machine = replace(real_machine(log=lambda _: None), services=self.services)
        self.handler = DockerHandler(machine=self.machine, version="1.3.0")
        self.authority = make_authority(scratch)
        self.foreign = make_authority(scratch, "foreign")
        self.server = make_leaf(scratch, "server", authority=self.authority, use="serverAuth")
        self.client = make_leaf(scratch, "client", authority=self.authority, use="clientAuth")

    def apply(
        self,
        *,
        server: Pair | None = None,
        options: Sequence[str] = (),
        port: int = PORT,
        more: Mapping[str, object] | None = None,
    ) -> dict[str, object]:
        """Apply settings; what came of it, and the steps."""
        pair = server or self.server
        certs = {
            "ca": self.authority.certificate.read_text(),
            "cert": pair.certificate.read_text(),
            "key": pair.key.read_text(),
        }
        # Without the right to raise limits, as in most containers, nothing here could start with the defaults' limits.
        own = {"port": str(port), "options": list(options), "defaults": {"ulimits": False}}
        docker = {"docker": {**own, **(more or {})}}
        settings = PlainSettings(
            public=public_settings(docker, document="0.settings"),
            protected=parse_protected(json.dumps({"certs": certs}), document="0.settings"),
        )
        progress = QuietProgress()
        before = self.pid
        try:
            message = self.handler.apply(settings, progress=progress).message
        except GuestError as error:
            message = f"{type(error).__name__} {int(error.exit_code)}: {error.full_text}"
        return {"message": message, "steps": progress.steps, "same_process": self.pid == before}

    @property
    def pid(self) -> int:
        """The engine's process."""
        return self.services.units(["docker.service"])[0].main_pid

    def ask(self, client: Pair | None = None, *, authority: Pair | None = None) -> TlsProbe:
        """Ask the engine over TLS."""
        return self.machine.sockets.get_tls(
            PORT,
            "/version",
            authority=str((authority or self.authority).certificate),
            timeout=20,
            certificate=None if client is None else str(client.certificate),
            key=None if client is None else str(client.key),
        )


def path() -> str:
    """Where the engine's programs are."""
    return f"{PROGRAMS}:{os.environ['PATH']}"


def answers_on_unix() -> bool:
    """Whether the engine answers on its socket."""
    with suppress(GuestError):
        return real_machine(log=lambda _: None).sockets.get_unix(SOCKET, "/_ping", timeout=5).status == 200
    return False


def _lines(path: str, prefix: str) -> list[str]:
    text = Path(path).read_text() if Path(path).exists() else ""
    return [line.removeprefix(prefix) for line in text.splitlines() if line.startswith(prefix)]


def _environment() -> dict[str, str]:
    environment = dict(os.environ, PATH=path())
    for file in _lines(PROXY_DROP_IN, "EnvironmentFile="):
        for line in shlex.split(Path(file).read_text()):
            name, _, value = line.partition("=")
            environment[name] = value
    return environment


def prepare(engine: Path, scratch: Path, *, network: str = "--iptables=false --bridge=none") -> None:
    """Make this namespace look like a machine with the engine's package, with all its folders in memory."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    for folder in ("/etc/docker", "/etc/systemd/system", "/var/lib/dockyard-docker", "/run", PROGRAMS):
        Path(folder).mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
    for part in ("usr/sbin", "usr/bin"):
        for program in (engine / "tree" / part).iterdir():
            Path(PROGRAMS, program.name).unlink(missing_ok=True)
            Path(PROGRAMS, program.name).symlink_to(program)
    arguments = f"-H unix://{SOCKET} --data-root={scratch}/data --exec-root=/run/engine {network}"
    Path(FRAGMENT).write_text(f"[Service]\nExecStart={PROGRAMS}/dockerd {arguments} --pidfile=/run/engine.pid\n")


def docker(*words: str, stdin: bytes | None = None) -> str:
    """Run the engine's own client."""
    argv = [f"{PROGRAMS}/docker", "-H", f"unix://{SOCKET}", *words]
    return subprocess.run(argv, input=stdin, capture_output=True, check=True, timeout=60).stdout.decode().strip()


def container() -> str:
    """Start a container that sleeps, from an image made of one static program."""
    busybox = shutil.which("busybox")
    assert busybox is not None
    root = Path("/run/image/bin")
    root.mkdir(parents=True)
    shutil.copy(busybox, root / "busybox")
    archive = subprocess.run(["tar", "-C", "/run/image", "-c", "."], capture_output=True, check=True).stdout
    docker("import", "-", "busybox:1", stdin=archive)
    return docker("run", "-d", "--network=none", "busybox:1", "/bin/busybox", "sleep", "1000")


def main(engine: Path, scratch: Path) -> dict[str, object]:
    """All that happens, in order; later parts stand on earlier ones."""
    prepare(engine, scratch)
    bench = Bench(scratch)
    seen: dict[str, object] = {}

    def note(name: str, act: Callable[[], object]) -> None:
        seen[name] = act()

    bench.services.restart("docker.service")
    note("first", bench.apply)
    note("modes", lambda: [oct(Path(f"/etc/docker/{name}.pem").stat().st_mode & 0o777) for name in NAMES])
    note("with certificate", lambda: vars(bench.ask(bench.client))["answer"].status)
    note("without certificate", lambda: vars(bench.ask()))
    stranger = make_leaf(scratch, "stranger", authority=bench.foreign, use="clientAuth")
    note("foreign certificate", lambda: vars(bench.ask(stranger)))
    note("own certificate of the server as client", lambda: vars(bench.ask(bench.server)))
    note("again", bench.apply)
    note("refused option", lambda: bench.apply(options=["--bogus -D"]))
    note("unfit value", lambda: bench.apply(options=["--data-root=/proc/nowhere"]))
    note("after the unfit value", lambda: vars(bench.ask(bench.client))["answer"].status)
    note("labels", lambda: bench.apply(options=['--label="a=two words" --label=b=50%$x']))
    note("labels seen", lambda: docker("info", "--format", "{{json .Labels}}"))
    other = make_leaf(scratch, "other", authority=bench.foreign, use="serverAuth")
    note("foreign server", lambda: bench.apply(server=other))
    note("container", container)
    renewed = make_leaf(scratch, "renewed", authority=bench.authority, use="serverAuth")
    note("renewed", lambda: bench.apply(server=renewed))
    note("disabled", bench.handler.disable)
    note("port after disable", lambda: vars(bench.ask(bench.client)))
    note("container after both", lambda: docker("ps", "--no-trunc", "--format", "{{.ID}}"))
    note("enabled again", bench.apply)
    note("uninstalled", bench.handler.uninstall)
    note("files left", lambda: sorted(file.name for file in Path("/etc/docker").iterdir()))
    bench.services.stop(["docker.service"])
    return seen


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2])), default=str))

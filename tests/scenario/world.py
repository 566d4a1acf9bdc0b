"""The doors of a machine that exists in a folder: files are real, everything else plays systemd, apt and dockerd.

Made anew for each command by `kit`. A door that a test has not opened fails the test: undeclared effects are errors.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import GuestError, PermanentError, TemporaryError
from dockyard_guest.handlers.docker.unit_file import program_words, start_command
from dockyard_guest.system.files import SystemFiles
from dockyard_guest.values import (
    Account,
    CertificateFacts,
    Completed,
    Family,
    HttpAnswer,
    Listener,
    OsRelease,
    Repository,
    ScriptOrder,
    TextFile,
    TlsProbe,
    Unit,
)

from .access import PROGRAMS as ACCESS_PROGRAMS
from .access import SERVICE as SSH_SERVICE
from .access import SSHD, Access, play_access
from .containers import Containers, play_compose
from .programs import PlayedDisk, run_program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dockyard_guest.ports import Step

DOCKERD = "/usr/sbin/dockerd"
FRAGMENT = "/usr/lib/systemd/system/docker.service"
PACKAGED_UNIT = """[Unit]
Description=Docker Application Container Engine
[Service]
Type=notify
EnvironmentFile=-/etc/default/docker
ExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS
"""
HARMLESS = (("dockerd", "--version"), ("dockerd", "--validate"), ("openssl", "x509"), ("ss", "-H"), ("df", "-h"))
BROUGHT = ("apparmor", "containerd", "docker-cli", "docker.io", "runc")
DOCKERS = ("apparmor", "containerd.io", "docker-ce", "docker-ce-cli")
OFFERS = {
    "docker.io": ("26.1.5+dfsg1-9",),
    "docker-compose": ("2.26.1-4",),
    "docker-ce": ("5:28.2.0-1~debian.13~trixie", "5:28.1.1-1~debian.13~trixie", "5:27.5.1-1~debian.13~trixie"),
    "docker-ce-cli": ("5:28.2.0-1~debian.13~trixie", "5:28.1.1-1~debian.13~trixie", "5:27.5.1-1~debian.13~trixie"),
}
REPOSITORY = "/etc/apt/sources.list.d/dockyard-docker.sources"
CONFLICTS = (("docker.io", "docker-ce"), ("containerd", "containerd.io"), ("runc", "containerd.io"))
SEAL = b"sealed "


class Killed(BaseException):
    """The process has been killed: nothing it would still have done happens."""


@dataclass(frozen=True)
class Played:
    """How a script goes: what it writes when, and when and how it ends; without an end it runs on."""

    writes: tuple[tuple[float, str, str], ...] = ()
    ends: float | None = 0.0
    code: int = 0


@dataclass
class World:
    """What the doors share while one command runs; `kit` fills it from a state and reads it back."""

    root: Path
    arrivals: dict[float, Callable[[], None]] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    packages: set[str] = field(default_factory=set)
    active: set[str] = field(default_factory=set)
    enabled: set[str] = field(default_factory=set)
    running: Running | None = None
    listeners: dict[int, Listener] = field(default_factory=dict)
    certificate: CertificateFacts | None = None
    network: bool = True
    systemd: bool = True
    validates: bool = True
    serves_anybody: bool = False
    release: OsRelease = field(
        default_factory=lambda: OsRelease(id="debian", pretty_name="Debian GNU/Linux 13", codename="trixie")
    )
    versions: dict[str, str] = field(default_factory=dict)
    offers: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: OFFERS)
    downloads: Mapping[str, bytes] = field(default_factory=dict)
    broken_versions: tuple[str, ...] = ()
    docker_is_known: bool = False
    security: tuple[str, ...] = ("name=apparmor", "name=seccomp,profile=builtin")
    refused_words: tuple[str, ...] = ()
    containers: int = 0
    now: float = 0.0
    firewall: bool = True
    guarded: tuple[str, ...] = ()
    tightened: set[str] = field(default_factory=set)
    programs: frozenset[str] = frozenset()
    disks: dict[str, PlayedDisk] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    tells_reload: bool = True
    reloaded: bool = False
    dies_at: int = 0
    effects: int = 0
    containers_of: Containers = field(default_factory=Containers)
    played: Played = field(default_factory=Played)
    users: Mapping[str, int] = field(default_factory=dict)
    orders: list[ScriptOrder] = field(default_factory=list)
    access: Access | None = None
    masked: set[str] = field(default_factory=set)
    fetched: Mapping[str, list[bytes | GuestError]] = field(default_factory=dict)

    def effect(self) -> None:
        """Note that something in the machine changes now; before the one it is told, the process dies for good."""
        self.effects += 1
        if 0 < self.dies_at <= self.effects:
            raise Killed

    @property
    def engine(self) -> str:
        """Version of the engine's package."""
        names = [name for name in ("docker.io", "docker-ce") if name in self.packages]
        return self.versions.get(names[0], OFFERS[names[0]][0]) if names else OFFERS["docker.io"][0]

    @property
    def live_restore(self) -> bool:
        """Whether the running engine leaves its containers running when it stops."""
        return self.running is not None and self.running.config.get("live-restore") is True

    def path(self, path: str) -> str:
        return f"{self.root}{path}"

    def text(self, path: str) -> str | None:
        file = Path(self.path(path))
        return file.read_text() if file.is_file() else None


@dataclass(frozen=True)
class Running:
    """The engine as it was started: it does not notice later changes of its files."""

    arguments: tuple[str, ...]
    config: Mapping[str, object]
    pid: int = 700

    @property
    def port(self) -> int | None:
        remote = [word for word in self.arguments if word.startswith("tcp://0.0.0.0:")]
        return int(remote[-1].rpartition(":")[2]) if remote else None


class TreeFiles(SystemFiles):
    """The real files door, with every path inside the machine's folder."""

    def __init__(self, world: World) -> None:
        self._world = world

    def read(self, path: str) -> bytes | None:
        return super().read(self._world.path(path))

    def write(self, path: str, content: bytes, *, mode: int) -> None:
        self._world.effect()
        super().write(self._world.path(path), content, mode=mode)

    def append(self, path: str, content: bytes, *, mode: int) -> None:
        super().append(self._world.path(path), content, mode=mode)

    def remove(self, path: str) -> None:
        # The real write calls this one too, with a path that is inside already.
        self._world.effect()
        super().remove(path if path.startswith(f"{self._world.root}/") else self._world.path(path))

    def rename(self, source: str, target: str) -> None:
        super().rename(self._world.path(source), self._world.path(target))

    def read_part(self, path: str, *, start: int, limit: int) -> bytes:
        return super().read_part(self._world.path(path), start=start, limit=limit)

    def give(self, path: str, *, account: Account) -> None:
        self._world.events.append(f"give {path} to {account.name}")

    def size(self, path: str) -> int:
        return super().size(self._world.path(path))

    def mode(self, path: str) -> int | None:
        return super().mode(self._world.path(path))

    def make_folder(self, path: str, *, mode: int) -> None:
        super().make_folder(self._world.path(path), mode=mode)

    def remove_folder(self, path: str) -> None:
        super().remove_folder(self._world.path(path))

    def remove_tree(self, path: str) -> None:
        super().remove_tree(self._world.path(path))

    def names(self, folder: str) -> tuple[str, ...]:
        return super().names(self._world.path(folder))

    def stamp(self, path: str) -> str:
        return super().stamp(self._world.path(path))

    def try_lock(self, path: str) -> AbstractContextManager[None] | None:
        return super().try_lock(self._world.path(path))


class VirtualClock:
    """Time that passes only when somebody waits; what is to arrive meanwhile arrives."""

    def __init__(self, world: World) -> None:
        self._world = world

    def time(self) -> float:
        return 1_750_000_000.0 + self._world.now

    def monotonic(self) -> float:
        return self._world.now

    def sleep(self, seconds: float) -> None:
        self._world.now += seconds
        for moment in sorted(self._world.arrivals):
            if moment <= self._world.now:
                self._world.arrivals.pop(moment)()


class EngineCommands:
    """Finds dockerd where the machine has it, and lets it judge a configuration; nothing else may be started."""

    def __init__(self, world: World) -> None:
        self._world = world

    def find(self, program: str) -> str | None:
        if self._world.access is not None:
            return None if program in self._world.access.lacks else SSHD if program == "sshd" else f"/usr/bin/{program}"
        if program == "augenrules":
            return "/usr/sbin/augenrules" if program in self._world.programs else None
        if program == "bash":
            return "/usr/bin/bash"
        if program in ("docker", "docker-compose"):
            return "/usr/bin/docker" if program == "docker" else None
        assert program == "dockerd", f"nobody said that {program} would be looked for"
        return DOCKERD if self._world.text(DOCKERD) is not None else None

    def run(self, argv: Sequence[str], *, timeout: float, stdin: bytes = b"") -> Completed:
        if self._world.access is not None and argv[0] in ACCESS_PROGRAMS:
            return play_access(self._world, argv, stdin=stdin)
        if tuple(argv[:2]) in HARMLESS:
            return Completed(argv=tuple(argv), exit_code=0, stdout=f"what {argv[0]} tells\n".encode())
        if argv[0] != DOCKERD:
            return run_program(self._world, argv, stdin=stdin)
        assert argv[1] == "--validate", f"nobody said that dockerd would be started with {argv[1]}"
        if not self._world.validates:
            return Completed(argv=tuple(argv), exit_code=1, stderr=b"Status: unknown flag: --validate\n")
        config = self._world.text(argv[2].partition("=")[2])
        assert config is not None
        complaint = complaint_of_dockerd(tuple(argv[3:]), json.loads(config), refused=self._world.refused_words)
        return Completed(argv=tuple(argv), exit_code=1 if complaint else 0, stderr=complaint.encode())

    def stream(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        on_line: Callable[[str], None],
        environment: Mapping[str, str] | None = None,
    ) -> Completed:
        assert tuple(argv[:2]) == ("docker", "compose"), f"nobody said that {argv[0]} would be started"
        code, output = play_compose(self._world, argv, environment or {})
        for line in output.splitlines():
            on_line(line)
        return Completed(argv=tuple(argv), exit_code=code, stdout=output.encode())


def complaint_of_dockerd(arguments: tuple[str, ...], config: Mapping[str, object], *, refused: tuple[str, ...]) -> str:
    """What dockerd says to arguments and a configuration; empty when it starts. Rules and words of 26.1.5."""
    for word in arguments:
        if word in refused:
            return f"Status: unknown flag: {word}\nSee 'dockerd --help'., Code: 125"
        name = word.lstrip("-").partition("=")[0]
        if word.startswith("--") and name in config:
            return f"the following directives are specified both as a flag and in the configuration file: {name}"
    return ""


class EngineServices:
    """systemd with the engine's units. A restart runs the engine with the files that are there, or fails."""

    def __init__(self, world: World) -> None:
        self._world = world

    def is_available(self) -> bool:
        return self._world.systemd

    def units(self, names: Sequence[str]) -> tuple[Unit, ...]:
        return tuple(self._unit(name) for name in names)

    def reload_units(self) -> None:
        self._world.events.append("reload units")

    def enable(self, names: Sequence[str]) -> None:
        self._world.events.append(f"enable {' '.join(names)}")
        self._world.enabled |= set(names)

    def unmask(self, name: str) -> None:
        self._world.events.append(f"unmask {name}")
        self._world.masked.discard(name)

    def start(self, name: str) -> None:
        self._world.events.append(f"start {name}")
        if name.endswith(".mount"):
            self._mount()
        else:
            self._run(name)

    def _mount(self) -> None:
        for path, disk in self._world.disks.items():
            if disk.label == "docker-data":
                self._world.disks[path] = replace(disk, mounted_at="/var/lib/docker")

    def restart(self, name: str) -> None:
        self._world.events.append(f"restart {name}")
        self._run(name)

    def _run(self, name: str) -> None:
        self._world.effect()
        if self._world.access is not None:
            self._world.active.add(name)
            return
        kept = self._world.live_restore
        self._world.running = None
        self._world.active.discard(name)
        arguments, config = self._on_disk()
        broken = self._world.engine in self._world.broken_versions
        if broken or complaint_of_dockerd(arguments, config, refused=self._world.refused_words):
            if not kept:
                self._world.containers = 0
            raise TemporaryError(f"systemctl restart {name} failed.")
        self._world.running = Running(arguments=arguments, config=config)
        if not (kept and self._world.live_restore):
            self._world.containers = 0
        self._world.active.add(name)

    def come_up_after_installation(self) -> None:
        """As the packages' scripts do it: the engine is restarted, and a failure of that is nobody's concern."""
        self._world.active |= {"docker.service", "docker.socket", "containerd.service"}
        if self._world.running is not None:
            with suppress(TemporaryError):
                self._run("docker.service")

    def reload(self, name: str) -> None:
        # As dockerd does: a member that is not there changes nothing.
        self._world.events.append(f"reload {name}")
        if self._world.access is not None:
            return
        self._world.reloaded = self._world.tells_reload
        if self._world.running is None and name in self._world.active:
            self._world.running = Running(*self._on_disk())
        elif self._world.running is not None:
            self._world.running = replace(
                self._world.running, config={**self._world.running.config, **self._on_disk()[1]}
            )

    def stop(self, names: Sequence[str]) -> None:
        self._world.events.append(f"stop {' '.join(names)}")
        if not self._world.live_restore:
            self._world.containers = 0
        self._world.active -= set(names)
        self._world.running = None

    def journal(self, name: str, *, since: float, lines: int) -> tuple[str, ...]:
        arguments, config = self._on_disk()
        complaint = complaint_of_dockerd(arguments, config, refused=self._world.refused_words)
        return (
            "Starting docker.service...",
            *(["Reloaded configuration: {}"] if self._world.reloaded else []),
            *complaint.splitlines(),
            "docker.service: Failed with result 'exit-code'.",
        )

    def _on_disk(self) -> tuple[tuple[str, ...], Mapping[str, object]]:
        drop_in = self._world.text("/etc/systemd/system/docker.service.d/10-docker-extension.conf")
        command = start_command(drop_in or self._world.text(FRAGMENT) or "")
        assert command is not None
        config: Mapping[str, object] = json.loads(self._world.text("/etc/docker/daemon.json") or "{}")
        return program_words(command), config

    def _unit(self, name: str) -> Unit:
        if self._world.access is not None:
            return self._ssh_unit(name)
        if self._world.text(DOCKERD) is None:
            return Unit(name=name)
        folder = f"/etc/systemd/system/{name}.d"
        drop_ins = [f"{folder}/{file.name}" for file in sorted(Path(self._world.path(folder)).glob("*.conf"))]
        return Unit(
            name=name,
            load_state="loaded",
            active_state="active" if name in self._world.active else "inactive",
            file_state="enabled" if name in self._world.enabled else "disabled",
            fragment=FRAGMENT if name == "docker.service" else "",
            drop_ins=tuple(drop_ins),
            main_pid=self._world.running.pid if self._world.running and name == "docker.service" else 0,
        )

    def _ssh_unit(self, name: str) -> Unit:
        return Unit(
            name=name,
            load_state="not-found" if name != SSH_SERVICE else "masked" if name in self._world.masked else "loaded",
            active_state="active" if name in self._world.active else "inactive",
            file_state="enabled" if name in self._world.enabled else "disabled",
        )


class DistributionPackages:
    """The distribution has an engine and Docker's repository another, if there is a network."""

    def __init__(self, world: World) -> None:
        self._world = world

    def is_available(self) -> bool:
        return self._world.release.family is Family.DEBIAN

    def installed(self) -> frozenset[str]:
        return frozenset(self._world.packages)

    def versions(self) -> Mapping[str, str]:
        return {name: self._world.versions.get(name) or self._usual(name) for name in self._world.packages}

    def refresh(self, *, step: Step) -> None:
        step.checkpoint()
        if not self._world.network:
            raise TemporaryError(
                "The packages cannot be had: could not resolve deb.debian.org.", exit_code=ExitCode.MISSING_DEPENDENCY
            )

    def offered(self, name: str) -> tuple[str, ...]:
        known = not name.startswith("docker-ce") or self._world.docker_is_known
        return self._world.offers.get(name, ()) if known or self._world.text(REPOSITORY) else ()

    def is_newer(self, version: str, *, than: str) -> bool:
        return version > than

    def install(
        self,
        names: Sequence[str],
        *,
        if_known: Sequence[str],
        step: Step,
        versions: Mapping[str, str] | None = None,
        replaces: Sequence[str] = (),
    ) -> None:
        self.refresh(step=step)
        exact = versions or {}
        self._world.events.append(
            f"install {' '.join(f'{name}={exact[name]}' if name in exact else name for name in names)}"
        )
        new = {"docker.io": BROUGHT, "docker-ce": DOCKERS}.get(names[0], ())
        for name in dict.fromkeys((*names, *new)):
            self._make_room(name, replaces=replaces)
            self._world.packages.add(name)
            self._world.versions[name] = exact.get(name) or self._world.versions.get(name) or self._usual(name)
        install_engine(self._world.root)
        self._world.enabled |= {"docker.service", "docker.socket", "containerd.service"}
        EngineServices(self._world).come_up_after_installation()

    def remove(self, names: Sequence[str]) -> None:
        self._world.events.append(f"remove {' '.join(names)}")
        self._world.packages -= set(names)

    def repository_files(self, repository: Repository) -> tuple[TextFile, ...]:
        key = TextFile(path="/etc/apt/keyrings/dockyard-docker.asc", text=repository.key)
        return key, TextFile(path=REPOSITORY, text=f"{repository.base} {repository.suite}\n")

    def trust(self, files: Sequence[TextFile]) -> None:
        self._world.events.append(f"trust {len(files)} files")

    def _usual(self, name: str) -> str:
        return self._world.offers.get(name, ("1.0",))[0]

    def _make_room(self, name: str, *, replaces: Sequence[str]) -> None:
        rivals = {one for pair in CONFLICTS if name in pair for one in pair} - {name}
        for rival in rivals & self._world.packages:
            if rival not in replaces:
                raise PermanentError(f"The engine's packages cannot be installed beside {rival}.")
            self._world.packages.discard(rival)
            self._world.versions.pop(rival, None)


class DeclaredDownloads:
    """The files a test says are to be had."""

    def __init__(self, world: World) -> None:
        self._world = world

    def get(self, url: str) -> bytes:
        if url not in self._world.downloads:
            raise TemporaryError(f"{url} cannot be fetched.", exit_code=ExitCode.MISSING_DEPENDENCY)
        return self._world.downloads[url]

    def fetch(self, url: str, path: str, *, mode: int, proxy: str | None = None) -> str:
        self._world.events.append(f"fetch {url}{f' by {proxy}' if proxy else ''}")
        answers = self._world.fetched.get(url, ())
        if not answers:
            raise PermanentError("The server answers 404.", exit_code=ExitCode.MISSING_DEPENDENCY)
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, GuestError):
            raise answer
        TreeFiles(self._world).write(path, answer, mode=mode)
        return hashlib.sha256(answer).hexdigest()


class NotedUploads:
    """Blobs that remember what was put into them; one whose address has no signature refuses."""

    def __init__(self, world: World) -> None:
        self._world = world

    def put(self, url: str, content: bytes) -> None:
        if "?" not in url:
            raise TemporaryError(f"{url} cannot be written: the server answers 403.")
        self._world.events.append(f"put {content.decode()!r} into {url}")


class EngineSockets:
    """The engine as it answers on its sockets."""

    def __init__(self, world: World) -> None:
        self._world = world

    def listener(self, port: int) -> Listener | None:
        running = self._world.running
        if running is not None and running.port == port:
            return Listener(port=port, pid=running.pid, name="dockerd")
        return self._world.listeners.get(port)

    def get_unix(self, socket: str, path: str, *, timeout: float) -> HttpAnswer:
        if self._world.running is None and "docker.service" not in self._world.active:
            raise TemporaryError(f"There is no answer on {socket}.")
        answers = {
            "/version": {"Version": self._world.engine.split(":")[-1].split("-")[0], "ApiVersion": "1.45"},
            "/info": {"SecurityOptions": list(self._world.security), "LiveRestoreEnabled": self._world.live_restore},
        }
        if path.startswith("/containers/json?all=true&filters="):
            project = unquote(path).partition("com.docker.compose.project=")[2].partition('"')[0]
            return HttpAnswer(status=200, body=json.dumps(self._world.containers_of.listed(project)).encode())
        return HttpAnswer(status=200, body=json.dumps(answers[path]).encode())

    def get_tls(
        self,
        port: int,
        path: str,
        *,
        authority: str,
        timeout: float,
        certificate: str | None = None,
        key: str | None = None,
    ) -> TlsProbe:
        running = self._world.running
        if running is None or running.port != port:
            return TlsProbe(unreachable="Connection refused")
        if self._world.serves_anybody:
            return TlsProbe(answer=HttpAnswer(status=200))
        return TlsProbe(refused="TLSV13_ALERT_CERTIFICATE_REQUIRED")


class DeclaredCertificates:
    """Certificates about which the state says what is to be found out."""

    def __init__(self, world: World) -> None:
        self._world = world

    def inspect(self, *, authority: bytes, certificate: bytes, key: bytes) -> CertificateFacts:
        assert self._world.certificate is not None, "nobody said that a certificate would be looked at"
        return self._world.certificate


class SealedEnvelopes:
    """Envelopes that are plaintext after a mark."""

    def __init__(self, world: World) -> None:
        self._world = world

    def open(self, envelope: bytes, *, certificate: str, key: str) -> bytes:
        if not envelope.startswith(SEAL) or self._world.text(key) is None:
            raise PermanentError("The protected settings cannot be decrypted.", exit_code=ExitCode.BAD_CONFIGURATION)
        return envelope[len(SEAL) :]


class NotedBackground:
    """Work that is noted instead of started; a test runs it as the next command."""

    def __init__(self, world: World) -> None:
        self._world = world

    def start(self, *, name: str, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        number = environment["ConfigSequenceNumber"]
        self._world.events.append(f"start the work for {number}")


class PlayedScripts:
    """Scripts that go as a test says."""

    def __init__(self, world: World) -> None:
        self._world = world

    def start(self, order: ScriptOrder) -> PlayedScript:
        self._world.orders.append(order)
        self._world.events.append(f"run {' '.join(order.argv)}")
        files = TreeFiles(self._world)
        for path in (order.stdout, order.stderr):
            files.write(path, b"", mode=0o600)
        files.make_folder(order.record.rpartition("/")[0], mode=0o700)
        files.write(order.record, order.unit.encode(), mode=0o600)
        return PlayedScript(self._world, order)

    def end(self, record: str) -> None:
        if self._world.text(record) is not None:
            self._world.effect()
            self._world.events.append("end the script")
            TreeFiles(self._world).remove(record)


class PlayedScript:
    """One of them that has been started."""

    def __init__(self, world: World, order: ScriptOrder) -> None:
        self._world = world
        self._order = order
        self._begun = world.now
        self._left = list(world.played.writes)

    def exit_code(self) -> int | None:
        passed = self._world.now - self._begun
        files = TreeFiles(self._world)
        while self._left and self._left[0][0] <= passed:
            _, stdout, stderr = self._left.pop(0)
            files.append(self._order.stdout, stdout.encode(), mode=0o600)
            files.append(self._order.stderr, stderr.encode(), mode=0o600)
        ends = self._world.played.ends
        if ends is None or passed < ends:
            return None
        files.remove(self._order.record)
        return self._world.played.code

    def kill(self) -> None:
        PlayedScripts(self._world).end(self._order.record)


class DeclaredSystem:
    """The distribution the state says it is."""

    def __init__(self, world: World) -> None:
        self._world = world

    def release(self) -> OsRelease:
        return self._world.release


def install_engine(root: Path) -> None:
    """Put the engine's program and unit into a machine's folder, as its package does."""
    for path, text in ((DOCKERD, "program"), (FRAGMENT, PACKAGED_UNIT)):
        file = Path(f"{root}{path}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

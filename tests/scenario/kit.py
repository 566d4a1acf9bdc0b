"""Runs one handler command on a machine that exists in a folder: `State` in, `Context.run`, `State` out.

The input is never changed. Commands run through the very composition that runs them in a guest, with the process's
edge, but on the doors of `world`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from dockyard_contract.environment import (
    AgentVariables,
    HandlerEnvironment,
    dump_handler_environment,
)
from dockyard_contract.status import Status, StatusWord, parse_status
from dockyard_guest.composition import run_command
from dockyard_guest.handlers.docker.handler import create
from dockyard_guest.ports import Handler, Machine
from dockyard_guest.runtime.call import read_call
from dockyard_guest.runtime.dispatch import Verb
from dockyard_guest.runtime.log import Log
from dockyard_guest.system.settled import SettledMarker, is_settled
from dockyard_guest.values import CertificateFacts, Listener

from .access import PlayedAccounts
from .doors import (
    SEAL,
    DeclaredCertificates,
    DeclaredDownloads,
    DeclaredSystem,
    NotedBackground,
    NotedUploads,
    PlayedScripts,
    SealedEnvelopes,
    TreeFiles,
    VirtualClock,
)
from .engine import (
    DOCKERD,
    FRAGMENT,
    PACKAGED_UNIT,
    DistributionPackages,
    EngineCommands,
    EngineServices,
    EngineSockets,
)
from .programs import PlayedDisk
from .world import Killed, Running, World

LIB = "/var/lib/waagent"
NAME = "Microsoft.Azure.Extensions.DockerExtension"
VERSION = "1.3.0"
LOG = f"/var/log/azure/{NAME}/docker-extension.log"
THUMBPRINT = "A" * 40
NOW = 1_750_000_000.0
KILLED = 137
SECRET = "canary-4f1d"
CERTS = {
    "ca": "-----BEGIN CERTIFICATE-----\nauthority\n-----END CERTIFICATE-----",
    "cert": "-----BEGIN CERTIFICATE-----\nserver\n-----END CERTIFICATE-----",
    "key": f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----",
}
GOOD_CERTIFICATE = CertificateFacts(
    subject="CN = web",
    names=("web",),
    not_before=NOW - 3600,
    not_after=NOW + 90 * 86400,
    authority_not_before=NOW - 3600,
    authority_not_after=NOW + 1800 * 86400,
    key_matches=True,
    chain_problem="",
    serves=True,
)
KERNEL = {"/proc/sys/kernel/seccomp/actions_avail": "kill_process errno allow\n"}
ENGINE = {**KERNEL, DOCKERD: "program", FRAGMENT: PACKAGED_UNIT}
UNITS = frozenset({"docker.service", "docker.socket", "containerd.service"})


@dataclass(frozen=True)
class State:
    """A machine between two commands."""

    files: Mapping[str, str] = field(default_factory=lambda: KERNEL)
    modes: Mapping[str, int] = field(default_factory=dict)
    packages: frozenset[str] = frozenset({"base-files"})
    versions: Mapping[str, str] = field(default_factory=dict)
    active: frozenset[str] = frozenset()
    enabled: frozenset[str] = frozenset()
    running: Running | None = None
    containers: int = 0
    guarded: tuple[str, ...] = ()
    disks: Mapping[str, PlayedDisk] = field(default_factory=dict)
    listeners: Mapping[int, Listener] = field(default_factory=dict)
    certificate: CertificateFacts | None = GOOD_CERTIFICATE
    world: Mapping[str, object] = field(default_factory=dict)
    held_locks: tuple[str, ...] = ()
    arrivals: Mapping[float, Mapping[str, str]] = field(default_factory=dict)
    exit_code: int = 0
    events: tuple[str, ...] = ()

    def settings(
        self, public: object = None, protected: object = None, *, number: int = 0, version: str = VERSION
    ) -> State:
        """The state with a settings file, as the agent writes it."""
        sealed = None if protected is None else base64.b64encode(SEAL + json.dumps(protected).encode()).decode()
        members = {
            "publicSettings": public,
            "protectedSettings": sealed,
            "protectedSettingsCertThumbprint": None if protected is None else THUMBPRINT,
        }
        text = json.dumps({"runtimeSettings": [{"handlerSettings": members}]})
        return self.file(f"{folder(version)}/config/{number}.settings", text)

    def file(self, path: str, text: str | None) -> State:
        """The state with a file, or without it."""
        files = {name: content for name, content in self.files.items() if name != path}
        return replace(self, files=files if text is None else {**files, path: text})

    def status(self, number: int = 0, *, version: str = VERSION) -> Status:
        """The status of a sequence number."""
        name = f"{number}.status"
        return parse_status(self.files[f"{folder(version)}/status/{name}"], document=name)

    def message(self, number: int = 0) -> str:
        """The main message of a status."""
        message = self.status(number).message
        return "" if message is None else message.message

    def part(self, name: str, number: int = 0) -> tuple[StatusWord, str]:
        """One substatus: its word and its message."""
        for part in self.status(number).substatus:
            if part.name == name:
                return part.status, "" if part.message is None else part.message.message
        raise AssertionError(f"there is no substatus {name}")

    def daemon_config(self) -> dict[str, object]:
        """The daemon's configuration file."""
        config: dict[str, object] = json.loads(self.files["/etc/docker/daemon.json"])
        return config


def folder(version: str = VERSION) -> str:
    """The handler's folder."""
    return f"{LIB}/{NAME}-{version}"


def machine_with_engine() -> State:
    """A machine whose image has the engine, shipped disabled."""
    return State(files=ENGINE, packages=frozenset({"base-files", "docker.io"}))


def machine_with_running_engine() -> State:
    """A machine on which the engine runs as its package starts it."""
    return replace(machine_with_engine(), active=UNITS, enabled=UNITS)


class Context:
    """Runs handler commands on machines in one folder: those of the Docker extension, or of another handler."""

    def __init__(self, root: Path, *, room: str = "docker", create: Callable[[Machine, str], Handler] = create) -> None:
        self.root = root
        self._room = room
        self._create = create

    def run(
        self,
        verb: str,
        state: State,
        *,
        number: int = 0,
        version: str = VERSION,
        target: str = "",
        name: str | None = None,
    ) -> State:
        """Run one command. `target` is the version to end up with, for update; `name` that of a configuration."""
        for part in ("status", "config"):
            Path(f"{self.root}{folder(version)}/{part}").mkdir(parents=True, exist_ok=True)
        world = self._materialise(self._installed(state, version=version))
        variables = AgentVariables(
            folder=folder(version),
            version=version,
            sequence_number=number,
            target_version=target or None,
            extension_name=name,
        )
        with ExitStack() as stack:
            for path in state.held_locks:
                lock = TreeFiles(world).try_lock(path)
                assert lock is not None
                stack.enter_context(lock)
            settled = verb == "enable" and self._settled(world, variables)
            code = 0 if settled else self._run_or_die(verb, variables, world)
        return self._read_back(state, world, exit_code=code)

    def enable(self, state: State, *, number: int = 0, version: str = VERSION, name: str | None = None) -> State:
        """Run enable, and the work that it starts."""
        begun = self.run("enable", state, number=number, version=version, name=name)
        if f"start the work for {number}" not in begun.events:
            return begun
        done = self.run("work", begun, number=number, version=version, name=name)
        return replace(done, events=(*begun.events, *done.events))

    def _run_or_die(self, verb: str, variables: AgentVariables, world: World) -> int:
        try:
            return self._run(verb, variables, world)
        except Killed:
            return KILLED

    def _run(self, verb: str, variables: AgentVariables, world: World) -> int:
        machine = machine_of(world)
        log = Log(files=machine.files, clock=machine.clock)
        call = read_call(handler=self._room, environ=variables.to_environ(), files=machine.files)
        handler = self._create(machine, variables.version)
        return run_command(Verb(verb), call, handler=handler, machine=machine, log=log)

    def _installed(self, state: State, *, version: str) -> State:
        base = folder(version)
        environment = HandlerEnvironment(
            log_folder=f"/var/log/azure/{NAME}",
            config_folder=f"{base}/config",
            status_folder=f"{base}/status",
            heartbeat_file=f"{base}/heartbeat.log",
        )
        agent = {
            f"{base}/HandlerEnvironment.json": dump_handler_environment(environment),
            f"{LIB}/{THUMBPRINT}.prv": "key",
        }
        return replace(state, files={**agent, **state.files})

    def _materialise(self, state: State) -> World:
        self._write_tree(state)
        world = World(
            root=self.root,
            packages=set(state.packages),
            versions=dict(state.versions),
            active=set(state.active),
            enabled=set(state.enabled),
            running=state.running,
            containers=state.containers,
            guarded=state.guarded,
            disks=dict(state.disks),
            listeners=dict(state.listeners),
            certificate=state.certificate,
        )
        for name, value in state.world.items():
            setattr(world, name, value)
        world.arrivals = {moment: self._arrival(world, files) for moment, files in state.arrivals.items()}
        return world

    def _arrival(self, world: World, files: Mapping[str, str]) -> Callable[[], None]:
        def arrive() -> None:
            for path, text in files.items():
                TreeFiles(world).write(path, text.encode(), mode=0o600)

        return arrive

    def _write_tree(self, state: State) -> None:
        # Only what differs is written, so that a file nobody touched stays the same file from command to command.
        for path in self._paths() - set(state.files):
            Path(f"{self.root}{path}").unlink()
        for path, text in state.files.items():
            file = Path(f"{self.root}{path}")
            mode = state.modes.get(path, 0o644)
            if not file.is_file() or file.read_text() != text or file.stat().st_mode & 0o777 != mode:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.unlink(missing_ok=True)
                file.write_text(text)
                file.chmod(mode)

    def _paths(self) -> set[str]:
        return {str(path).removeprefix(str(self.root)) for path in self.root.rglob("*") if path.is_file()}

    def _settled(self, world: World, variables: AgentVariables) -> bool:
        """Ask the real question of `main`, with the marker's paths moved into the machine's folder."""
        marker = world.text(f"{variables.folder}/settled")
        if marker is None:
            return False
        moved = self.root.with_name(f"{self.root.name}-marker")
        moved.mkdir(exist_ok=True)
        (moved / "settled").write_text(marker.replace(" /", f" {self.root}/"))
        number = str(variables.sequence_number)
        return is_settled(
            folder=str(moved), version=variables.version, sequence_number=number, now=VirtualClock(world).time()
        )

    def _read_back(self, state: State, world: World, *, exit_code: int) -> State:
        paths = self._paths()
        files = {path: Path(f"{self.root}{path}") for path in paths}
        return replace(
            state,
            files={path: file.read_text() for path, file in files.items()},
            modes={path: file.stat().st_mode & 0o777 for path, file in files.items()},
            packages=frozenset(world.packages),
            versions=dict(world.versions),
            active=frozenset(world.active),
            enabled=frozenset(world.enabled),
            running=world.running,
            containers=world.containers,
            guarded=world.guarded,
            disks=dict(world.disks),
            exit_code=exit_code,
            events=tuple(world.events),
            arrivals={},
            held_locks=(),
            world={name: value for name, value in state.world.items() if name != "dies_at"},
        )


def machine_of(world: World) -> Machine:
    """All doors of a machine that exists in a folder."""
    files = TreeFiles(world)
    return Machine(
        clock=VirtualClock(world),
        files=files,
        commands=EngineCommands(world),
        services=EngineServices(world),
        packages=DistributionPackages(world),
        sockets=EngineSockets(world),
        certificates=DeclaredCertificates(world),
        envelopes=SealedEnvelopes(world),
        background=NotedBackground(world),
        settled=SettledMarker(files=files),
        system=DeclaredSystem(world),
        downloads=DeclaredDownloads(world),
        uploads=NotedUploads(world),
        scripts=PlayedScripts(world),
        accounts=PlayedAccounts(world),
    )

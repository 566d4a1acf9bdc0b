"""The engine of the played machine: its packages, its program, its units under systemd and its sockets."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError, TemporaryError
from dockyard_guest.handlers.docker.unit_file import program_words, start_command
from dockyard_guest.values import Completed, Family, HttpAnswer, Listener, Repository, TextFile, TlsProbe, Unit

from .access import PROGRAMS as ACCESS_PROGRAMS
from .access import SERVICE as SSH_SERVICE
from .access import SSHD, play_access
from .containers import play_compose
from .programs import run_program
from .world import Running

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dockyard_guest.ports import Step

    from .world import World

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
REPOSITORY = "/etc/apt/sources.list.d/dockyard-docker.sources"
CONFLICTS = (("docker.io", "docker-ce"), ("containerd", "containerd.io"), ("runc", "containerd.io"))


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


def install_engine(root: Path) -> None:
    """Put the engine's program and unit into a machine's folder, as its package does."""
    for path, text in ((DOCKERD, "program"), (FRAGMENT, PACKAGED_UNIT)):
        file = Path(f"{root}{path}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

"""``dockyard doctor``: what this host has and lacks, and what to do about it."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer

from dockyard.cli import options, output
from dockyard.cli.exit_codes import ExitCode
from dockyard.cli.output import Format
from dockyard.cli.session import Session, open_session
from dockyard.client import certificates, docker_endpoint, extensions, processes, virtual_machines, waiting
from dockyard.client.views import MachineView, Phase
from dockyard.config import Paths
from dockyard.model.errors import DockyardError
from dockyard.model.provisioning import PowerState

EXAMPLES = options.examples("dockyard doctor", "dockyard doctor --output json")
_DISK_GIB = 10


class Verdict(StrEnum):
    """What a check found."""

    OK = "ok"
    WARNING = "warning"
    MISSING = "missing"


@dataclass(frozen=True)
class Check:
    """One thing looked at. A ``missing`` one keeps machines from being made; a ``warning`` does not."""

    name: str
    verdict: Verdict
    message: str
    resolution: str = ""


@dataclass(frozen=True)
class _Program:
    name: str
    package: str
    use: str
    needed: bool = True


_PROGRAMS = (
    _Program(
        f"qemu-system-{platform.machine()}",
        f"qemu-system-{'x86' if platform.machine() == 'x86_64' else 'arm'}",
        "runs machines",
    ),
    _Program("qemu-img", "qemu-utils", "makes disks"),
    _Program("mmdebstrap", "mmdebstrap", "builds images"),
    _Program("ssh", "openssh-client", "'dockyard vm ssh'", needed=False),
    _Program("docker", "docker-cli", "Docker contexts and the docker command itself", needed=False),
)


def doctor(form: options.Output = Format.TABLE) -> None:
    """Check this host: programs, disk space, acceleration, the server, and each running machine's Docker endpoint."""
    found = checks()
    if form is Format.JSON:
        output.say_json([asdict(check) for check in found])
    else:
        _print(found, form=form)
    if any(check.verdict is Verdict.MISSING for check in found):
        raise typer.Exit(ExitCode.HOST_LACKS)


def checks() -> list[Check]:
    """Make every check; ``vm diagnose`` puts them into its archive."""
    return [*(_program(program) for program in _PROGRAMS), _disk(Paths.default()), *_of_server()]


def _print(checks: list[Check], *, form: Format) -> None:
    output.say_rows(
        ("VERDICT", "CHECK", "FOUND"), [(check.verdict.value, check.name, check.message) for check in checks], form=form
    )
    for check in checks:
        if check.verdict is not Verdict.OK and check.resolution and form is Format.TABLE:
            output.say(f"\n{check.name}: {check.resolution}")


def _program(program: _Program) -> Check:
    found = processes.find(program.name)
    if found is not None:
        return Check(program.name, Verdict.OK, str(found))
    verdict = Verdict.MISSING if program.needed else Verdict.WARNING
    return Check(
        program.name, verdict, f"not found; {program.use}", f"Install it: on Debian, 'apt install {program.package}'."
    )


def _disk(paths: Paths) -> Check:
    folder = next(folder for folder in (paths.data, *paths.data.parents) if folder.exists())
    free = shutil.disk_usage(folder).free / 2**30
    message = f"{free:.1f} GiB free at {folder}"
    if free >= _DISK_GIB:
        return Check("disk space", Verdict.OK, message)
    return Check(
        "disk space", Verdict.WARNING, message, f"Free at least {_DISK_GIB} GiB, or set DOCKYARD_HOME elsewhere."
    )


def _of_server() -> Iterator[Check]:
    """Ask the server for its checks; without a server, say why and look at /dev/kvm alone."""
    try:
        session = open_session()
        report = session.connection.diagnostics()
    except DockyardError as error:
        yield Check("server", Verdict.MISSING, error.brief, "\n".join(filter(None, (error.details, error.resolution))))
        yield _kvm_device()
        return
    yield Check("server", Verdict.OK, session.connection.credentials.endpoint)
    yield _acceleration(report.get("acceleration") or {})
    known = {program.name for program in _PROGRAMS} | {"disk space"}
    yield from (_reported(item) for item in report.get("checks") or [] if item.get("name") not in known)
    yield from _endpoints(session)


def _acceleration(document: dict[str, Any]) -> Check:
    chosen = str(document.get("chosen") or "")
    why = str(document.get("why", ""))
    if not chosen:
        device = _kvm_device()
        return replace(device, message=why) if device.verdict is Verdict.OK else device
    message = f"{chosen}: {why}" if why else chosen
    if chosen == "kvm":
        return Check("acceleration", Verdict.OK, message)
    return Check(
        "acceleration",
        Verdict.WARNING,
        message,
        "Machines run in software emulation, several times slower. Prefer a host whose /dev/kvm works.",
    )


def _kvm_device() -> Check:
    device = Path("/dev/kvm")
    if not device.exists():
        return Check("acceleration", Verdict.WARNING, "there is no /dev/kvm", "Machines run in software emulation.")
    if not os.access(device, os.R_OK | os.W_OK):
        return Check(
            "acceleration", Verdict.WARNING, "/dev/kvm is not yours to open", "Add yourself to the group 'kvm'."
        )
    return Check("acceleration", Verdict.OK, "/dev/kvm is there; whether a kernel runs under it is not known yet")


def _reported(item: dict[str, Any]) -> Check:
    verdict = Verdict.OK if item.get("ok") is True else Verdict.MISSING
    return Check(str(item.get("name")), verdict, str(item.get("message", "")), str(item.get("resolution") or ""))


def _endpoints(session: Session) -> Iterator[Check]:
    """Prove the Docker endpoint of every running machine whose extension is ready."""
    for view in virtual_machines.list_all(session.connection, resource_group=None):
        docker = view.extension(extensions.DOCKER_EXTENSION)
        if view.power is PowerState.RUNNING and docker is not None and docker.phase is Phase.DONE:
            yield _endpoint(session, view)


def _endpoint(session: Session, view: MachineView) -> Check:
    name = f"docker of {view.id.name}"
    folder = certificates.folder_of(session.paths, view.id)
    port = view.docker_port or 0
    try:
        expires = certificates.require(folder, view.id, now=waiting.now())
        engine = docker_endpoint.ask(port=port, folder=folder)
    except DockyardError as error:
        return Check(name, Verdict.WARNING, error.brief, error.resolution)
    if not docker_endpoint.refuses_strangers(port=port, folder=folder):
        return Check(
            name,
            Verdict.WARNING,
            "it answers requests without a client certificate",
            f"Stop it ('dockyard vm stop {view.id.name}') and check the extension's settings.",
        )
    days = (expires - waiting.now()).days
    return Check(name, Verdict.OK, f"Docker {engine.version}, strangers are refused, certificates for {days} days")

"""What is printed of machines: a line in a list, a readable summary, the closing words of a creation.

Pure: values in, rows and documents out. Used by the ``vm`` commands.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dockyard.cli.creation import Finished
from dockyard.client import docker_endpoint
from dockyard.client.extensions import DOCKER_EXTENSION
from dockyard.client.names import DEFAULT_GROUP
from dockyard.client.views import ExtensionView, MachineView, Phase, StageReport

LIST_HEADERS = ("NAME", "GROUP", "STATE", "DOCKER", "ENDPOINT", "SSH", "IMAGE", "SIZE", "CERTIFICATES")
Fields = Sequence[tuple[str, str]]


def list_row(view: MachineView, *, expires: datetime | None, now: datetime) -> tuple[str, ...]:
    """Return a machine's line of ``vm list``."""
    docker = view.extension(DOCKER_EXTENSION)
    has_docker = docker is not None and view.docker_port is not None
    return (
        view.id.name,
        view.id.resource_group,
        view.state,
        docker_state(docker),
        docker_endpoint.url(view.docker_port) if has_docker and view.docker_port else "",
        str(view.ssh_port or ""),
        view.image,
        view.size,
        remaining(expires, now=now),
    )


def docker_state(docker: ExtensionView | None) -> str:
    """Return one or two words about the Docker extension; empty without one."""
    if docker is None:
        return ""
    words = {
        None: "waiting",
        Phase.RUNNING: "installing",
        Phase.DONE: "ready",
        Phase.WARNING: "warning",
        Phase.FAILED: "failed",
    }
    return words[docker.phase]


def remaining(expires: datetime | None, *, now: datetime) -> str:
    """Return how many days certificates have left; empty without any."""
    if expires is None:
        return ""
    days = (expires - now).days
    return f"{days} days" if days >= 0 else "expired"


def fields(view: MachineView, *, expires: datetime | None, now: datetime) -> Fields:
    """Return a machine's summary for ``vm show``."""
    docker = view.extension(DOCKER_EXTENSION)
    return [
        ("Name", view.id.name),
        ("Group", "" if view.id.resource_group == DEFAULT_GROUP else view.id.resource_group),
        ("State", view.state),
        ("Failure", view.failure),
        ("Agent", view.agent),
        ("Image", view.image),
        ("Size", view.size),
        ("Disk", f"{view.disk_gib} GiB" if view.disk_gib else ""),
        ("Administrator", view.admin_username),
        ("SSH port", str(view.ssh_port or "")),
        ("Open ports", open_ports(view)),
        ("Docker", docker_endpoint.url(view.docker_port) if docker and view.docker_port else ""),
        (
            "Certificates",
            f"{remaining(expires, now=now)} left" if expires and expires > now else remaining(expires, now=now),
        ),
        ("Created", f"{view.created_at:%Y-%m-%d %H:%M:%S %Z}" if view.created_at else ""),
        *_extension_fields(view.extensions),
    ]


def open_ports(view: MachineView) -> str:
    """Return where the ports beside ssh and Docker are reached; empty without any."""
    return ", ".join(_led(text) for text in view.forwards)


def _led(forward: str) -> str:
    host, _, guest = forward.partition(":")
    return f"127.0.0.1:{host}" if host == guest else f"127.0.0.1:{host} (in the machine {guest})"


def finished_document(done: Finished) -> dict[str, Any]:
    """Return what ``vm create --output json`` prints."""
    document: dict[str, Any] = {
        "id": done.view.document.get("id"),
        "name": done.view.id.name,
        "resourceGroup": done.view.id.resource_group,
        "ssh": {"host": "127.0.0.1", "port": done.view.ssh_port, "user": done.view.admin_username},
        "steps": [
            {
                "name": line.key,
                "text": line.text,
                "seconds": round(line.seconds(now=line.ended_at or line.started_at), 1),
            }
            for line in done.steps
        ],
        "seconds": round(done.seconds, 1),
    }
    if done.docker is not None:
        document["docker"] = {
            "endpoint": docker_endpoint.url(done.docker.port),
            "version": done.docker.engine.version,
            "apiVersion": done.docker.engine.api_version,
            "context": done.docker.context.name if done.docker.context.outcome.is_usable else None,
            "certificates": str(done.docker.folder.path),
            "certificatesExpireAt": done.docker.certificates_expire_at.isoformat(),
        }
    return document


def finished_fields(done: Finished) -> Fields:
    """Return the summary a creation ends with."""
    found: list[tuple[str, str]] = []
    if done.docker is not None:
        context = done.docker.context
        found = [
            ("Endpoint", docker_endpoint.url(done.docker.port)),
            ("Engine", f"Docker {done.docker.engine.version} (API {done.docker.engine.api_version})"),
            ("Context", context.name if context.outcome.is_usable else ""),
            ("Certificates", f"{done.docker.folder.path} (until {done.docker.certificates_expire_at:%Y-%m-%d})"),
        ]
    ssh = f"{done.view.admin_username}@127.0.0.1 port {done.view.ssh_port}"
    return [*found, ("SSH", ssh), ("Ready after", f"{done.seconds:.1f} s")]


def step_rows(done: Finished) -> list[tuple[str, str]]:
    """Return the steps with their seconds, parts of a step indented."""
    rows = [
        ("· " * line.depth + line.text, f"{line.seconds(now=line.ended_at or line.started_at):.1f}")
        for line in done.steps
    ]
    return [*rows, ("total", f"{done.seconds:.1f}")]


def next_commands(done: Finished) -> list[str]:
    """Return the commands a user is likely to want now."""
    name = done.view.id.name
    if done.docker is None:
        return [f"dockyard vm ssh {name}", f"dockyard vm show {name}", f"dockyard vm delete {name}"]
    context = done.docker.context
    first = f"docker --context {context.name} info" if context.outcome.is_usable else f"eval $(dockyard env {name})"
    return [
        first,
        f"eval $(dockyard env {name})" if context.outcome.is_usable else "docker info",
        f"dockyard vm ssh {name}",
    ]


def stages(extension: ExtensionView) -> list[tuple[str, str]]:
    """Return an extension's steps: name, and state, duration when its reporter said it, message."""
    return [(stage.name, f"{stage.phase.value}{_took(stage)} {stage.message}".rstrip()) for stage in extension.stages]


def _took(stage: StageReport) -> str:
    return "" if stage.seconds is None else f" ({stage.seconds:.1f} s)"


def _extension_fields(extensions: Sequence[ExtensionView]) -> list[tuple[str, str]]:
    found = []
    for extension in extensions:
        state = extension.phase.value if extension.phase else "waiting"
        version = f" {extension.version}" if extension.version else ""
        lines = [f"{state}{version} {extension.message}".rstrip()]
        lines += [f"  {name}: {text}" for name, text in stages(extension)]
        found.append((extension.name, "\n".join(lines)))
    return found

"""How a machine is created, followed and finished: the flow behind ``vm create``, ``vm wait`` and ``vm docker renew``.

Plans first (``Plan``, a value), then acts in steps that a board shows. Knows the client, not how options are spelt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockyard.cli import output
from dockyard.cli.display import Display, displayed
from dockyard.cli.session import Session
from dockyard.client import (
    certificates,
    docker_context,
    docker_endpoint,
    extensions,
    following,
    text,
    virtual_machines,
    waiting,
)
from dockyard.client.docker_context import ContextResult
from dockyard.client.following import Job
from dockyard.client.names import MachineName
from dockyard.client.progress import StepBoard, StepLine
from dockyard.client.views import MachineView
from dockyard.client.virtual_machines import MachineRequest
from dockyard.model.errors import Conflict, DockyardError

if TYPE_CHECKING:
    from dockyard.client.certificates import Bundle, Folder
    from dockyard.client.docker_endpoint import Engine

_CONSOLE_LINES = 12
_ENDPOINT_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A machine to be created. ``docker`` of False leaves the Docker extension out."""

    request: MachineRequest
    docker: bool
    certificate_folder: Path | None

    @property
    def name(self) -> MachineName:
        """The machine."""
        return self.request.id


@dataclass(frozen=True, kw_only=True)
class Docker:
    """A proven Docker endpoint and how the user reaches it."""

    port: int
    engine: Engine
    folder: Folder
    context: ContextResult
    certificates_expire_at: Any


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A machine that is ready. ``docker`` is None for a machine without the Docker extension."""

    view: MachineView
    steps: tuple[StepLine, ...]
    seconds: float
    docker: Docker | None = None


@dataclass
class Creation:
    """One creation. ``begun`` tells whether the server has taken it on, which decides what Ctrl-C means."""

    session: Session
    plan: Plan
    board: StepBoard = field(default_factory=lambda: StepBoard(clock=waiting.now))
    begun: bool = False

    def run(self, *, deadline: float) -> Finished:
        """Create the machine and wait until it is ready.

        Raises:
            DockyardError: with the step that failed and the guest's last console lines in the details.
        """
        with displayed(self.board) as display:
            try:
                job = self.submit()
                view = following.follow(
                    self.session.connection, job, board=self.board, show=display.show, deadline=deadline
                )
                return finish(self.session, view, board=self.board, display=display, docker=self.plan.docker)
            except DockyardError as error:
                if not self.begun:
                    self.board.fail_current()
                    raise
                self._forget_when_taken_back()
                raise explained(self.session, self.plan.name, error, board=self.board) from error

    def submit(self) -> Job:
        """Hand machine and extension to the server. Certificates are written once the machine's name is ours."""
        connection, name = self.session.connection, self.plan.name
        bundle = self._certificates() if self.plan.docker else None
        self.board.begin("submit", "Request")
        machine = virtual_machines.create(connection, self.plan.request)
        self.begun = True
        if bundle is None:
            self.board.finish("submit")
            return Job(name=name, machine=machine, extension=None)
        bundle.write(certificates.folder_of(self.session.paths, name))
        settings = {"docker": {"port": str(extensions.DOCKER_GUEST_PORT)}}
        request = extensions.docker_request(name, settings=settings, protected=bundle.protected_settings())
        extension = extensions.put(connection, request)
        self.board.finish("submit")
        return Job(name=name, machine=machine, extension=extension)

    def _certificates(self) -> Bundle:
        self.board.begin("certificates", "Certificates")
        bundle = certificates.issue(self.session.paths, self.plan.name, own=self.plan.certificate_folder)
        self.board.finish("certificates")
        return bundle

    def _forget_when_taken_back(self) -> None:
        """Remove the certificate folder when the server has taken the whole machine back."""
        if self.begun and _is_gone(self.session, self.plan.name):
            certificates.remove(certificates.folder_of(self.session.paths, self.plan.name))


def resume(session: Session, name: MachineName, *, deadline: float) -> Finished:
    """Follow a creation somebody else began, or find it done, and finish it. Raises DockyardError."""
    board = StepBoard(clock=waiting.now)
    view = virtual_machines.get(session.connection, name)
    docker = has_docker(session, name)
    machine = following.machine_work(session.connection, name)
    extension = following.extension_work(session.connection, name) if docker else None
    job = Job(name=view.id, machine=machine, extension=extension)
    with displayed(board) as display:
        try:
            last = following.follow(session.connection, job, board=board, show=display.show, deadline=deadline)
            return finish(session, last, board=board, display=display, docker=docker)
        except DockyardError as error:
            raise explained(session, name, error, board=board) from error


def finish(session: Session, view: MachineView, *, board: StepBoard, display: Display, docker: bool) -> Finished:
    """Prove the endpoint and make the context. Raises DockyardError when Docker does not answer."""
    proven = _docker(session, view, board=board, display=display) if docker else None
    return Finished(view=view, steps=board.lines, seconds=board.seconds, docker=proven)


def has_docker(session: Session, name: MachineName) -> bool:
    """Whether the machine has the Docker extension."""
    documents = extensions.list_all(session.connection, name)
    types = [str((document.get("properties") or {}).get("type", "")) for document in documents]
    return extensions.DOCKER_EXTENSION.lower() in (handler.lower() for handler in types)


def explained(session: Session, name: MachineName, error: DockyardError, *, board: StepBoard) -> DockyardError:
    """Return the error with the step it happened in, the guest's last words, and what to do next."""
    line = board.give_up() if error.temporary else board.fail_current(error.brief)
    word = "had not ended" if error.temporary else "failed"
    details = [f"The step '{line.text}' {word} after {line.seconds(now=board.now):.1f} s."] if line else []
    console = _console(session, name)
    details += [part for part in (error.details, console) if part]
    resolution = error.resolution or _next_step(session, name)
    return type(error)(
        error.brief, details="\n".join(details), resolution=resolution, code=error.code, temporary=error.temporary
    )


def _docker(session: Session, view: MachineView, *, board: StepBoard, display: Display) -> Docker:
    if view.docker_port is None:
        raise Conflict(f"{view.id} has no port that leads to Docker", code="OperationNotAllowed")
    folder = certificates.folder_of(session.paths, view.id)
    expires = certificates.require(folder, view.id, now=waiting.now())
    board.begin("endpoint", "Docker endpoint")
    display.show()
    engine = docker_endpoint.wait(port=view.docker_port, folder=folder, deadline=_ENDPOINT_SECONDS)
    board.finish("endpoint", message=f"Docker {engine.version}, API {engine.api_version}")
    board.begin("context", "Docker context")
    context = docker_context.put(view.id, port=view.docker_port, folder=folder)
    board.finish("context", message=f"{context.name} {context.outcome.value}")
    return Docker(port=view.docker_port, engine=engine, folder=folder, context=context, certificates_expire_at=expires)


def _console(session: Session, name: MachineName) -> str:
    """Return the guest's last console lines; empty when there is no guest or nothing can be asked any more."""
    try:
        lines = text.last_lines(virtual_machines.console_log(session.connection, name), count=_CONSOLE_LINES)
    except DockyardError:
        return ""
    return "\n".join(["Last lines of the machine's console:", *(f"| {line}" for line in lines)]) if lines else ""


def _is_gone(session: Session, name: MachineName) -> bool:
    try:
        return virtual_machines.find(session.connection, name) is None
    except DockyardError:
        return False


def _next_step(session: Session, name: MachineName) -> str:
    if _is_gone(session, name):
        return "Nothing is left of the machine. 'dockyard doctor' checks this host."
    return (
        f"The machine still exists: 'dockyard vm console {name.name}' shows its console, "
        f"'dockyard vm docker renew {name.name}' tries Docker again, 'dockyard vm delete {name.name}' removes it."
    )


def warn_unless_context_usable(context: ContextResult) -> None:
    """Tell the user what to do about a context that could not be made."""
    if not context.outcome.is_usable and context.note:
        output.warn(context.note)

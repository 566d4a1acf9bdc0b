"""Follows a machine while the server works on it: asks for its instance view and fills a step board, to the end.

Used by ``vm create``, ``vm wait`` and ``vm docker renew``. Ends when the work ends, fails, or a deadline passes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dockyard.client import extensions, views, virtual_machines, waiting
from dockyard.client.names import MachineName
from dockyard.client.progress import StepBoard
from dockyard.client.views import Document, ExtensionView, MachineView, Phase
from dockyard.model.errors import DeadlineExceeded, OperationFailed

if TYPE_CHECKING:
    from dockyard.client.connection import Connection

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.05, 0.5  # what is quick is shown quickly, what is slow is not asked about often
EXTENSION_STEP = "extension"


class Work(Protocol):
    """Something under way on the server."""

    @property
    def is_done(self) -> bool:
        """Whether it has ended, well or not."""

    def check(self) -> None:
        """Raise its error when it has ended in one."""


class ResourceWork:
    """Work somebody else began, judged by the provisioning state of the resource it is done to."""

    def __init__(
        self,
        *,
        read: Callable[[], Document],
        reason: Callable[[Document], str],
        what: str,
        is_settled: Callable[[Document], bool] = lambda _document: True,
    ) -> None:
        self._read = read
        self._reason = reason
        self._what = what
        self._is_settled = is_settled

    @property
    def is_done(self) -> bool:
        """Whether the resource is in a final state, and nothing of it is under way again."""
        document = self._read()
        return _state(document) in ("Succeeded", "Failed") and self._is_settled(document)

    def check(self) -> None:
        """Raise OperationFailed when the resource's state is Failed."""
        document = self._read()
        if _state(document) == "Failed":
            details = self._reason(document)
            raise OperationFailed(f"{self._what} has failed", details=details, code="ProvisioningFailed")


def _state(document: Document) -> str:
    return str((document.get("properties") or {}).get("provisioningState", ""))


def _handler(document: Document) -> ExtensionView:
    return views.extension((document.get("properties") or {}).get("instanceView") or {})


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is followed: the machine's own work and, when there is one, its Docker extension's."""

    name: MachineName
    machine: Work | None
    extension: Work | None


def machine_work(connection: Connection, name: MachineName) -> ResourceWork:
    """Return the machine's own work as its provisioning state tells of it."""
    return ResourceWork(
        read=lambda: virtual_machines.get(connection, name).document,
        reason=lambda document: views.machine(document).failure,
        what=f"The creation of {name}",
    )


def extension_work(connection: Connection, name: MachineName) -> ResourceWork:
    """Return the Docker extension's work as its provisioning state tells of it.

    After a boot the agent runs the handler again while the state stays what it was: then the handler's word counts.
    """
    return ResourceWork(
        read=lambda: extensions.get(connection, name, name=extensions.DOCKER_EXTENSION),
        reason=lambda document: _handler(document).message,
        is_settled=lambda document: _handler(document).phase is not Phase.RUNNING,
        what=f"The Docker extension of {name}",
    )


def follow(
    connection: Connection, job: Job, *, board: StepBoard, show: Callable[[], None], deadline: float
) -> MachineView:
    """Fill ``board`` until the job is done; ``show`` is called after each look. Return the machine's last view.

    Raises:
        DockyardError: what the machine's or the extension's work failed with.
        DeadlineExceeded: ``deadline`` seconds went by; the step that was at work is named.
    """
    begun = waiting.seconds()
    while True:
        finished = _is_done(job)
        view = virtual_machines.find(connection, job.name)
        _fill(board, view, job)
        show()
        _check(job)
        if finished and view is not None:
            _end(board, view)
            show()
            return view
        if waiting.seconds() - begun >= deadline:
            raise _too_late(board, job, deadline)
        waiting.pause(min(_LONGEST_PAUSE, _SHORTEST_PAUSE + (waiting.seconds() - begun) / 20))


def _is_done(job: Job) -> bool:
    """Ask before the view is read, so that the last view shows the end."""
    return all(work is None or work.is_done for work in (job.machine, job.extension))


def _check(job: Job) -> None:
    """Raise what went wrong, the cause before its consequence: an extension ends with the machine it was meant for."""
    for work in (job.machine, job.extension):
        if work is None:
            continue
        if not work.is_done:
            return
        work.check()


def _fill(board: StepBoard, view: MachineView | None, job: Job) -> None:
    if view is None:
        return
    if job.machine is not None:
        board.absorb(view)
    if job.extension is None:
        return
    report = view.extension(extensions.DOCKER_EXTENSION)
    begun = any(line.key == EXTENSION_STEP for line in board.lines)
    if not begun and (view.agent == "Ready" or (report is not None and report.stages)):
        board.begin(EXTENSION_STEP, "Docker extension")
    board.absorb_extension(report, key=EXTENSION_STEP)


def _end(board: StepBoard, view: MachineView) -> None:
    report = view.extension(extensions.DOCKER_EXTENSION)
    phase = Phase.WARNING if report is not None and report.phase is Phase.WARNING else Phase.DONE
    board.finish(EXTENSION_STEP, message=report.message if report else "", phase=phase)


def _too_late(board: StepBoard, job: Job, deadline: float) -> DeadlineExceeded:
    current = board.current()
    step = f"step '{current.text}'" if current else "the server to begin"
    return DeadlineExceeded(
        f"{job.name} was not ready after {deadline:g} s; it waits for {step}",
        details=current.message if current else "",
        resolution=f"The work goes on: 'dockyard vm wait {job.name.name}' follows it, "
        f"'dockyard vm delete {job.name.name}' ends it.",
        temporary=True,
    )

"""How a start, a restart and a shut-down are shown while they go on: the flow behind ``vm start|restart|stop|…``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dockyard.cli import creation, output
from dockyard.cli.display import displayed
from dockyard.cli.session import Session, open_session
from dockyard.client import following, waiting
from dockyard.client.following import Job
from dockyard.client.names import MachineName
from dockyard.client.operations import Operation
from dockyard.client.progress import StepBoard
from dockyard.model.errors import DockyardError

if TYPE_CHECKING:
    from dockyard.client.connection import Connection


Begin = Callable[["Connection", MachineName], Operation]


def boot(*, group: str, name: str, begin: Begin, wait: bool, deadline: float, done: str) -> None:
    """Begin what ends in a machine that runs; follow it with ``wait``, and say that it is ``done``."""
    machine = MachineName.checked(resource_group=group, name=name)
    session = open_session()
    operation = begin(session.connection, machine)
    if wait:
        follow_boot(session, machine, operation, deadline=deadline)
        output.note(f"{machine} is {done}.")


def shutdown(*, group: str, name: str, begin: Begin, wait: bool, deadline: float, done: str) -> None:
    """Begin what ends in a machine that is off; follow it with ``wait``, and say that it is ``done``."""
    machine = MachineName.checked(resource_group=group, name=name)
    operation = begin(open_session().connection, machine)
    if wait:
        follow_shutdown(operation, deadline=deadline)
        output.note(f"{machine} is {done}.")


def follow_boot(session: Session, name: MachineName, operation: Operation, *, deadline: float) -> None:
    """Show the machine's steps until its agent is ready. Raises DockyardError with the console's last lines."""
    board = StepBoard(clock=waiting.now)
    job = Job(name=name, machine=operation, extension=None)
    with displayed(board) as display:
        try:
            following.follow(session.connection, job, board=board, show=display.show, deadline=deadline)
        except DockyardError as error:
            raise creation.explained(session, name, error, board=board) from error


def follow_shutdown(operation: Operation, *, deadline: float) -> None:
    """Show one step until the machine is off. Raises DockyardError."""
    board = StepBoard(clock=waiting.now)
    board.begin("stop", "Shutdown")
    with displayed(board) as display:
        display.show()
        try:
            operation.wait(deadline=deadline)
        except DockyardError:
            board.fail_current()
            raise
        board.finish("stop")

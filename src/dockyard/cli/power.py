"""How a start, a restart and a shut-down are shown while they go on: the flow behind ``vm start|restart|stop``."""

from __future__ import annotations

from dockyard.cli import creation
from dockyard.cli.display import displayed
from dockyard.cli.session import Session
from dockyard.client import following, waiting
from dockyard.client.following import Job
from dockyard.client.names import MachineName
from dockyard.client.operations import Operation
from dockyard.client.progress import StepBoard
from dockyard.model.errors import DockyardError


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

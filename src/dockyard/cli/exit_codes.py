"""What the shell is told: one exit code for each sort of failure, so that scripts need not read messages.

Documented for users in ``docs/reference/cli.md``; a test compares the two.
"""

from __future__ import annotations

from enum import IntEnum

from dockyard.model.errors import (
    Conflict,
    DeadlineExceeded,
    DockyardError,
    Exhausted,
    InvalidRequest,
    NotFound,
    PreconditionFailed,
    Unauthenticated,
)


class ExitCode(IntEnum):
    """The codes; the shell's own convention adds 130 for Ctrl-C."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    CONFLICT = 4
    HOST_LACKS = 5
    DEADLINE = 6
    NOT_ALLOWED = 7
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """Return what the code tells a script."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "it worked",
    ExitCode.FAILED: "the operation failed",
    ExitCode.USAGE: "wrong usage or bad input; nothing was sent",
    ExitCode.NOT_FOUND: "what was named does not exist",
    ExitCode.CONFLICT: "it exists already, is busy, or a port is in use",
    ExitCode.HOST_LACKS: "this host lacks something: disk space, a program, acceleration",
    ExitCode.DEADLINE: "a deadline passed; the work may go on",
    ExitCode.NOT_ALLOWED: "not allowed, or not authenticated",
    ExitCode.INTERRUPTED: "interrupted with Ctrl-C or SIGTERM",
}

_BY_ERROR: tuple[tuple[type[DockyardError], ExitCode], ...] = (
    (InvalidRequest, ExitCode.USAGE),
    (NotFound, ExitCode.NOT_FOUND),
    (Conflict, ExitCode.CONFLICT),
    (PreconditionFailed, ExitCode.CONFLICT),
    (Exhausted, ExitCode.HOST_LACKS),
    (DeadlineExceeded, ExitCode.DEADLINE),
    (Unauthenticated, ExitCode.NOT_ALLOWED),
)


def exit_code(error: DockyardError) -> ExitCode:
    """Return the exit code a failure ends the program with; a port in use is a conflict, whoever found it."""
    if error.code == "PortInUse":
        return ExitCode.CONFLICT
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), ExitCode.FAILED)

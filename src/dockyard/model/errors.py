"""The host's exception tree; every foreseen failure a user can meet is one of these.

    DockyardError                 brief, details, resolution; an ARM code; a kind; temporary or not
    ├── InvalidRequest            the request is wrong and will stay wrong
    ├── NotFound                  what was named does not exist
    ├── Conflict                  it exists already, is busy, or its state forbids the request
    ├── Unauthenticated           no token, or one that is not ours
    ├── Forbidden                 a principal of ours, whose roles do not grant it
    ├── TooManyRequests           a principal that asks too often
    ├── Exhausted                 the host lacks something: disk space, a port, a program
    ├── DeadlineExceeded          a named wait took longer than its deadline
    └── OperationFailed           the work was done as asked and did not succeed

Raised in every room; turned into ARM error bodies by ``dockyard.arm.errors`` and into exit codes by the CLI.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ErrorKind(Enum):
    """What sort of failure it is; the value is the HTTP status ARM answers with. Never a 5xx: clients retry those."""

    INVALID = 400
    UNAUTHENTICATED = 401
    FORBIDDEN = 403
    NOT_FOUND = 404
    CONFLICT = 409
    PRECONDITION_FAILED = 412
    FAILED = 422
    TOO_MANY_REQUESTS = 429


@dataclass(frozen=True)
class ErrorRecord:
    """A failure as data: what the journal keeps and ARM shows. ``message`` is brief, details and resolution joined."""

    code: str
    message: str


class DockyardError(Exception):
    """Base of all foreseen failures.

    Args:
        brief: what went wrong, one sentence without a final full stop.
        details: evidence: the path, the limit, the last lines of an output. Never a secret.
        resolution: what the user can do next.
        code: the ARM error code, for example ``PlatformImageNotFound``.
        temporary: whether the same request may succeed later without a change.
    """

    kind = ErrorKind.FAILED
    default_code = "OperationFailed"

    def __init__(
        self, brief: str, *, details: str = "", resolution: str = "", code: str = "", temporary: bool = False
    ) -> None:
        super().__init__(brief)
        self.brief = brief
        self.details = details
        self.resolution = resolution
        self.code = code or self.default_code
        self.temporary = temporary

    def record(self) -> ErrorRecord:
        """Return the failure as a value; paragraphs are parted by line feeds."""
        parts = [f"{self.brief.rstrip('.')}.", self.details, self.resolution]
        return ErrorRecord(code=self.code, message="\n".join(part for part in parts if part))

    def __str__(self) -> str:
        return self.record().message


class InvalidRequest(DockyardError):
    """The request is malformed or names something impossible."""

    kind = ErrorKind.INVALID
    default_code = "InvalidParameter"


class Unauthenticated(DockyardError):
    """No credential, or one this server did not issue."""

    kind = ErrorKind.UNAUTHENTICATED
    default_code = "AuthenticationFailed"


class Forbidden(DockyardError):
    """The caller's roles do not grant the action."""

    kind = ErrorKind.FORBIDDEN
    default_code = "AuthorizationFailed"


class TooManyRequests(DockyardError):
    """The caller's bucket of requests is empty; it fills by itself."""

    kind = ErrorKind.TOO_MANY_REQUESTS
    default_code = "TooManyRequests"

    def __init__(self, brief: str, *, resolution: str) -> None:
        super().__init__(brief, resolution=resolution, temporary=True)


class NotFound(DockyardError):
    """The named thing does not exist."""

    kind = ErrorKind.NOT_FOUND
    default_code = "ResourceNotFound"


class Conflict(DockyardError):
    """The named thing exists already, is busy, or is in a state that forbids the request."""

    kind = ErrorKind.CONFLICT
    default_code = "Conflict"


class PreconditionFailed(DockyardError):
    """An If-Match or If-None-Match header did not hold."""

    kind = ErrorKind.PRECONDITION_FAILED
    default_code = "PreconditionFailed"


class Exhausted(DockyardError):
    """The host lacks what the request needs: disk space, a free port, a program."""

    kind = ErrorKind.CONFLICT
    default_code = "AllocationFailed"


class DeadlineExceeded(DockyardError):
    """A named wait took longer than its deadline."""

    default_code = "OperationTimedOut"


class OperationFailed(DockyardError):
    """The work was done as asked and did not succeed."""

"""Maps every exception of the Azure SDK to Dockyard's own tree, in one place.

Used by ``connection`` around each call of the SDK; nothing of ``azure.core.exceptions`` leaves the client.

    answer or exception                          becomes
    code names a lack of the host                Exhausted
    code names a passed deadline                 DeadlineExceeded
    400                                          InvalidRequest
    401, 403                                     Unauthenticated
    404                                          NotFound
    409                                          Conflict
    412                                          PreconditionFailed
    no connection, no answer                     OperationFailed (ServerUnreachable, temporary)
    anything else, a failed operation by code    OperationFailed
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    DeserializationError,
    HttpResponseError,
    SerializationError,
    ServiceRequestError,
    ServiceResponseError,
)

from dockyard.model.errors import (
    Conflict,
    DeadlineExceeded,
    DockyardError,
    Exhausted,
    InvalidRequest,
    NotFound,
    OperationFailed,
    PreconditionFailed,
    Unauthenticated,
)

_BY_CODE: dict[str, type[DockyardError]] = {
    "AllocationFailed": Exhausted,
    "InsufficientDiskSpace": Exhausted,
    "PortInUse": Conflict,
    "ImageInUse": Conflict,
    "Conflict": Conflict,
    "OperationNotAllowed": Conflict,
    "OperationTimedOut": DeadlineExceeded,
    "VMAgentStatusTimeout": DeadlineExceeded,
    "VMExtensionProvisioningTimeout": DeadlineExceeded,
    "PlatformImageNotFound": NotFound,
    "ResourceNotFound": NotFound,
    "ResourceGroupNotFound": NotFound,
    "VMExtensionImageNotFound": NotFound,
    "AuthenticationFailed": Unauthenticated,
}
_BY_STATUS: dict[int, type[DockyardError]] = {
    400: InvalidRequest,
    401: Unauthenticated,
    403: Unauthenticated,
    404: NotFound,
    409: Conflict,
    412: PreconditionFailed,
}


@contextmanager
def mapped() -> Iterator[None]:
    """Turn what the SDK raises inside into one of Dockyard's errors, the original kept as its cause."""
    try:
        yield
    except (AzureError, SerializationError, DeserializationError) as error:
        raise own(error) from error


def own(error: Exception) -> DockyardError:
    """Return Dockyard's error for one of the SDK's."""
    if _is_unreachable(error) or _is_unreachable(error.__cause__):
        return OperationFailed(
            "The Dockyard server cannot be reached",
            details=str(error),
            resolution="'dockyard doctor' shows whether it runs; the next command starts it when it does not.",
            code="ServerUnreachable",
            temporary=True,
        )
    if isinstance(error, ClientAuthenticationError):
        return _not_authenticated(error)
    if isinstance(error, HttpResponseError) and not isinstance(error, DecodeError):
        return _of_answer(error)
    return OperationFailed(
        "The server's answer was not understood",
        details=f"{type(error).__name__}: {error}",
        resolution="Make sure that the client and the server are of the same version: 'dockyard serve --stop' "
        "ends the running server, and the next command starts the installed one.",
        code="UnexpectedAnswer",
    )


def _is_unreachable(error: BaseException | None) -> bool:
    """Whether there was no connection; azure-identity calls that a failed authentication and keeps the cause."""
    return isinstance(error, ServiceRequestError | ServiceResponseError)


def from_record(*, code: str, message: str, status: int | None = None) -> DockyardError:
    """Return the error for an ARM code and message; the first line of the message is the brief."""
    brief, _, rest = message.partition("\n")
    chosen = _BY_CODE.get(code) or _BY_STATUS.get(status or 0) or OperationFailed
    return chosen(brief.strip() or code, details=rest.strip(), code=code)


def _not_authenticated(error: ClientAuthenticationError) -> Unauthenticated:
    """Map a refusal of the token or of the credentials; what azure-identity says of the latter can be very long."""
    return Unauthenticated(
        "The server does not accept this user's credentials",
        details=(error.error.message or "") if error.error else error.message.partition("\n")[0][:300],
        resolution="Run 'dockyard serve --stop' and repeat the command: a starting server renews them.",
        code=(error.error.code if error.error else None) or "AuthenticationFailed",
    )


def _of_answer(error: HttpResponseError) -> DockyardError:
    if error.error is None:
        status = error.status_code or 0
        return from_record(code=f"HTTP{status}", message=f"The server answered {error.reason}", status=status)
    return from_record(
        code=error.error.code or "OperationFailed",
        message=error.error.message or "The operation failed",
        status=error.status_code,
    )

"""Failures as ARM words them: ``{"error": {"code", "message"}}`` with a fitting status, never a 5xx.

Azure's clients repeat a request on 500, 502, 503 and 504 and then lose our text, so a fault of ours is a 400, too.
"""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dockyard.model.errors import DockyardError, ErrorKind
from dockyard_contract.errors import MalformedDocument

_log = logging.getLogger(__name__)


def error_response(*, status: int, code: str, message: str) -> JSONResponse:
    """Return an error as ARM words it."""
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)


def on_dockyard_error(_request: Request, error: Exception) -> Response:
    """Answer a foreseen failure."""
    if not isinstance(error, DockyardError):
        raise error
    record = error.record()
    # A failure of work (422 is no word of ARM's) can only surface here from a request that was carried out at once.
    status = ErrorKind.CONFLICT if error.kind is ErrorKind.FAILED else error.kind
    return error_response(status=status.value, code=record.code, message=record.message)


def on_malformed(_request: Request, error: Exception) -> Response:
    """Answer a body that is not what the API takes."""
    return error_response(status=400, code="InvalidRequestContent", message=f"The request body is wrong: {error}.")


def on_fault(request: Request, error: Exception) -> Response:
    """Answer a fault of ours; its traceback goes into the log alone."""
    _log.error("%s %s failed unexpectedly", request.method, request.url.path, exc_info=error)
    message = "An unforeseen fault ended the request; the server's log has it."
    return error_response(status=400, code="InternalError", message=message)


HANDLERS = {
    DockyardError: on_dockyard_error,
    MalformedDocument: on_malformed,
}

"""Answers to requests that take a while, as Azure's compute provider gives them.

PUT: 201 or 200, the resource, ``Azure-AsyncOperation``. POST and DELETE: 202, no body, ``Azure-AsyncOperation`` and
``Location``. Both with ``Retry-After`` and ``retry-after-ms``, without which Azure's clients sleep 30 s a poll.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dockyard.arm import schemas
from dockyard.arm.authorization.check import check_may
from dockyard.arm.bodies import check_subscription
from dockyard.arm.context import LOCATION, context_of
from dockyard.arm.describe import describe
from dockyard.model.operation import Operation

_API_VERSION = "2026-04-01"
PACE = {"Retry-After": "1", "retry-after-ms": "200"}


def put_response(
    request: Request, *, operation: Operation | None, document: Mapping[str, Any], created: bool
) -> Response:
    """Answer a PUT or PATCH."""
    headers = {} if operation is None else {"Azure-AsyncOperation": _status_url(request, operation), **PACE}
    return JSONResponse(document, status_code=201 if created else 200, headers=headers)


def accepted_response(request: Request, *, operation: Operation | None) -> Response:
    """Answer a POST or DELETE; 204 when there was nothing to do."""
    if operation is None:
        return Response(status_code=204)
    url = _status_url(request, operation)
    return Response(status_code=202, headers={"Azure-AsyncOperation": url, "Location": f"{url}&monitor=true", **PACE})


@describe(answer=schemas.OPERATION, query=("monitor",))
async def get_operation(request: Request) -> Response:
    """Serve an operation's URL; with ``monitor=true`` the way ``Location`` is polled."""
    check_subscription(request)
    operation = context_of(request).fabric.operations.get(operation_id=request.path_params["operation"])
    if operation.result is not None:  # what a script printed is no secret of the address alone
        check_may(request, action=f"{operation.target.type}/read", scope=str(operation.target))
    if request.query_params.get("monitor") == "true":
        if operation.is_final:
            return _ended_response(operation)
        return accepted_response(request, operation=operation)
    return JSONResponse(operation_document(operation), headers={} if operation.is_final else PACE)


def operation_document(operation: Operation) -> dict[str, Any]:
    """Return an operation as ARM shows it."""
    document: dict[str, Any] = {
        "name": operation.id,
        "status": operation.status.value,
        "startTime": operation.started_at.isoformat(),
        "properties": {"step": operation.step},
    }
    if operation.result is not None:
        document["properties"]["output"] = json.loads(operation.result)
    if operation.ended_at is not None:
        document["endTime"] = operation.ended_at.isoformat()
    if operation.error is not None:
        document["error"] = {"code": operation.error.code, "message": operation.error.message}
    return document


def _ended_response(operation: Operation) -> Response:
    """Answer at the ``Location`` of an operation that has ended: its result, or nothing."""
    if operation.result is None:
        return Response(status_code=200)
    return JSONResponse(json.loads(operation.result))


def _status_url(request: Request, operation: Operation) -> str:
    context = context_of(request)
    path = f"/subscriptions/{context.subscription_id}/providers/Microsoft.Compute/locations/{LOCATION}/operations"
    return f"{context.endpoint}{path}/{operation.id}?api-version={_API_VERSION}"

"""The route of what the server knows of one machine, for the archive that ``dockyard vm diagnose`` writes.

Dockyard's own; Azure has ``retrieveBootDiagnosticsData`` alone. An action, so that a role that only reads lacks it.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.bodies import resource_id
from dockyard.arm.context import context_of
from dockyard.arm.describe import describe
from dockyard.arm.long_running import operation_document
from dockyard.fabric.diagnostics import Diagnosis
from dockyard.model.operation import Operation
from dockyard.model.resource_id import VIRTUAL_MACHINES
from dockyard_contract.aggregate_status import dump_aggregate_status

_DIAGNOSIS = schemas.an_object(
    *("operations", "goalState", "reports", "hypervisorLog", "serverLog"),
    operations=schemas.an_array(schemas.OPERATION),
    goalState=schemas.an_object("incarnation", "documents", documents=schemas.OBJECT),
    reports=schemas.an_array(schemas.an_object("receivedAt", "report", receivedAt=schemas.TEXT, report=schemas.OBJECT)),
    hypervisorLog=schemas.TEXT,
    serverLog=schemas.TEXT,
)


@describe(answer=_DIAGNOSIS)
async def retrieve(request: Request) -> Response:
    """Give what the server knows of a machine: operations, goal state, the agent's reports, logs; no secrets."""
    found = context_of(request).diagnostics.of(id=resource_id(request, type=VIRTUAL_MACHINES))
    return JSONResponse(_document(found))


def _document(found: Diagnosis) -> dict[str, Any]:
    return {
        "operations": [_operation(operation) for operation in found.operations],
        "goalState": {"incarnation": found.incarnation, "documents": dict(found.goal_documents)},
        "reports": [
            {"receivedAt": report.at.isoformat(), "report": json.loads(dump_aggregate_status(report.status))}
            for report in found.reports
        ],
        "hypervisorLog": found.hypervisor_log,
        "serverLog": found.server_log,
    }


def _operation(operation: Operation) -> dict[str, Any]:
    """Return an operation without its result, which is what a script printed."""
    document = operation_document(operation)
    document["properties"].pop("output", None)
    return {**document, "kind": operation.kind.value, "target": str(operation.target)}


ROUTES = [
    Route(
        "/subscriptions/{subscription}/resourcegroups/{group}/providers/microsoft.compute/virtualmachines/{name}"
        "/retrievediagnosticsdata",
        retrieve,
        methods=["POST"],
    )
]

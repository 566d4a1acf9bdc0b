"""Deployments, their operations and what-if changes as ARM documents. Pure: values of the model in, JSON out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from dockyard.arm.context import LOCATION
from dockyard.fabric.foreseeing import Change, PropertyChange
from dockyard.model.deployment import DEPLOYMENTS, Deployment, DeploymentState, DeploymentStep
from dockyard.model.errors import ErrorRecord
from dockyard.model.resource_id import ResourceId
from dockyard.templates.planning import Plan

_STATUS_CODES = {"NotFound": "NotFound", "ResourceNotFound": "NotFound", "Conflict": "Conflict"}


def deployment(found: Deployment) -> dict[str, Any]:
    """Return a deployment; secure parameters and outputs have no value."""
    properties: dict[str, Any] = {
        "templateHash": found.template_hash,
        "parameters": dict(found.parameters),
        "mode": found.mode.value,
        "provisioningState": found.state.value,
        "timestamp": (found.ended_at or found.started_at).isoformat(),
        "duration": _duration(found.started_at, found.ended_at),
        "correlationId": found.operation_id,
        "providers": _providers(found.resources),
        "dependencies": [
            {**_named(each.target), "dependsOn": [_named(before) for before in each.after]}
            for each in found.dependencies
        ],
    }
    if found.state is DeploymentState.SUCCEEDED:
        properties["outputs"] = dict(found.outputs)
        properties["outputResources"] = [{"id": str(id)} for id in found.resources]
    if found.error is not None:
        properties["error"] = error_with_details(found)
    return {
        "id": str(found.id),
        "name": found.id.name,
        "type": DEPLOYMENTS,
        "tags": dict(found.tags),
        "properties": properties,
    }


def validated(plan: Plan, *, id: ResourceId, mode: str, template_hash: str) -> dict[str, Any]:
    """Return the answer to a validation that found nothing wrong."""
    ids = [resource.id for resource in plan.resources if not resource.existing]
    properties = {
        "templateHash": template_hash,
        "parameters": dict(plan.given.shown),
        "mode": mode,
        "provisioningState": DeploymentState.SUCCEEDED.value,
        "providers": _providers(ids),
        "dependencies": [],
        "validatedResources": [{"id": str(each)} for each in ids],
    }
    return {"id": str(id), "name": id.name, "type": DEPLOYMENTS, "properties": properties}


def operation(found: Deployment, step: DeploymentStep) -> dict[str, Any]:
    """Return one step as ARM's deployment operation."""
    properties: dict[str, Any] = {
        "provisioningOperation": step.kind.value,
        "provisioningState": step.state.value,
        "timestamp": (step.ended_at or step.started_at).isoformat(),
        "duration": _duration(step.started_at, step.ended_at),
        "trackingId": step.id,
        "statusCode": "OK",
        "targetResource": _named(step.target),
    }
    if step.error is not None:
        properties["statusCode"] = _STATUS_CODES.get(step.error.code, "BadRequest")
        properties["statusMessage"] = {"error": _error(step.error)}
    return {"id": f"{found.id}/operations/{step.id}", "operationId": step.id, "properties": properties}


def status(found: Deployment) -> dict[str, Any]:
    """Return what the operation's URL shows."""
    document: dict[str, Any] = {"name": found.operation_id, "status": found.state.value}
    return {**document, "error": error_with_details(found)} if found.error is not None else document


def error_with_details(found: Deployment) -> dict[str, Any]:
    """Return why a deployment failed, with the reason of each step that did."""
    if found.error is None:
        return {}
    details = [{**_error(step.error), "target": str(step.target)} for step in found.failures if step.error is not None]
    return {**_error(found.error), **({"details": details} if details else {})}


def what_if(changes: Sequence[Change], *, ids_only: bool) -> dict[str, Any]:
    """Return the answer to a what-if."""
    return {"status": "Succeeded", "properties": {"changes": [_change(each, ids_only=ids_only) for each in changes]}}


def _change(change: Change, *, ids_only: bool) -> dict[str, Any]:
    document: dict[str, Any] = {"resourceId": str(change.id), "changeType": change.kind.value}
    if ids_only:
        return document
    for name, content in (("before", change.before), ("after", change.after)):
        if content is not None:
            document[name] = dict(content)
    if change.delta:
        document["delta"] = [_property_change(each) for each in change.delta]
    return document


def _property_change(change: PropertyChange) -> dict[str, Any]:
    document = {"path": change.path, "propertyChangeType": change.kind.value, "after": change.after}
    return document if change.before is None else {**document, "before": change.before}


def _error(error: ErrorRecord) -> dict[str, Any]:
    return {"code": error.code, "message": error.message}


def _named(id: ResourceId) -> dict[str, str]:
    return {"id": str(id), "resourceType": id.type, "resourceName": "/".join(id.names)}


def _providers(ids: Iterable[ResourceId]) -> list[dict[str, Any]]:
    kinds: dict[str, list[str]] = {}
    for id in ids:
        namespace, _, kind = id.type.partition("/")
        found = kinds.setdefault(namespace, [])
        if kind not in found:
            found.append(kind)
    return [
        {"namespace": namespace, "resourceTypes": [{"resourceType": kind, "locations": [LOCATION]} for kind in found]}
        for namespace, found in kinds.items()
    ]


def _duration(since: datetime, until: datetime | None) -> str:
    return f"PT{(until - since).total_seconds():.3f}S" if until is not None else "PT0S"

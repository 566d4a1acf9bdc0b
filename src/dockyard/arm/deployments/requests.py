"""Reading the bodies of deployments: not always JSON, and never fetched from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from dockyard.arm.bodies import read_bytes, read_tags, resource_id
from dockyard.arm.context import TENANT_ID, context_of
from dockyard.fabric.deployments import DeploymentRequest
from dockyard.model.deployment import DEPLOYMENTS, DeploymentMode
from dockyard.model.errors import InvalidRequest
from dockyard.model.resource_id import ResourceId
from dockyard.templates.json_text import read
from dockyard.templates.places import Source
from dockyard.templates.secrets import without_secrets
from dockyard.templates.template import read_template
from dockyard_contract.documents import JsonObject, JsonValue

_TEMPLATE = ("properties", "template")


@dataclass(frozen=True)
class WhatIfRequest:
    """A deployment to be foreseen; ``ids_only`` leaves the contents of resources out of the answer."""

    deployment: DeploymentRequest
    ids_only: bool


def deployment_id(request: Request) -> ResourceId:
    """Return the id of the deployment a path names. Raises NotFound for a foreign subscription."""
    return resource_id(request, type=DEPLOYMENTS)


async def deployment_request(request: Request) -> DeploymentRequest:
    """Read the body of a deployment's PUT or validate. Raises what ``what_if_request`` raises."""
    return (await what_if_request(request)).deployment


async def what_if_request(request: Request) -> WhatIfRequest:
    """Read the body of a deployment.

    Raises:
        MalformedDocument: a member is missing or of a wrong type.
        TemplateError: the text is not JSON even by ARM's rules, or the template has a wrong shape.
        InvalidRequest: it asks for what is not offered.
    """
    document = read(await read_bytes(request))
    body = JsonValue(document="body", path="", raw=document.value).object()
    properties = body.object("properties")
    _check_offered(properties)
    template = properties.object("template")
    deployment = DeploymentRequest(
        id=deployment_id(request),
        mode=_mode(properties),
        template=read_template(dict(template.members), source=Source(document, _TEMPLATE)),
        kept=None if _is_evaluated_outside(properties) else without_secrets(template.members),
        supplied=_parameters(properties),
        tenant_id=TENANT_ID,
        endpoint=context_of(request).endpoint,
        tags=read_tags(body),
    )
    settings = properties.optional_object("whatIfSettings")
    result = settings.optional_string("resultFormat") if settings else None
    return WhatIfRequest(deployment, ids_only=(result or "").lower() == "resourceidonly")


def _check_offered(properties: JsonObject) -> None:
    for name in ("templateLink", "parametersLink"):
        if properties.optional(name) is not None:
            raise InvalidRequest(
                f"A deployment with '{name}' is not offered: this server fetches nothing",
                resolution="Give the content itself, in 'template' and 'parameters' ('--template-file' with az).",
                code="InvalidContentLink",
            )
    if properties.optional("onErrorDeployment") is not None:
        raise InvalidRequest("Going back to another deployment on errors is not offered", code="OnErrorNotSupported")


def _mode(properties: JsonObject) -> DeploymentMode:
    word = properties.optional_string("mode") or DeploymentMode.INCREMENTAL.value
    for mode in DeploymentMode:
        if mode.value.lower() == word.lower():
            return mode
    raise InvalidRequest(
        "The deployment's mode is not known", resolution="Use Incremental or Complete.", code="InvalidDeploymentMode"
    )


def _parameters(properties: JsonObject) -> dict[str, Any]:
    """Return the parameters; a whole parameter file, sent as it is, is taken for its content."""
    found = properties.optional_object("parameters")
    if found is None:
        return {}
    if "$schema" in found.members and "parameters" in found.members:
        found = found.object("parameters")
    return {name: found.object(name).members for name in found.names()}


def _is_evaluated_outside(properties: JsonObject) -> bool:
    options = properties.optional_object("expressionEvaluationOptions")
    return options is not None and (options.optional_string("scope") or "").lower() == "outer"

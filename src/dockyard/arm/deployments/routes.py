"""Routes of deployments into a resource group."""

from __future__ import annotations

import urllib.parse
from typing import NoReturn

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.bodies import check_subscription
from dockyard.arm.context import caller_of, context_of
from dockyard.arm.deployments import documents
from dockyard.arm.deployments.client import AppResources
from dockyard.arm.deployments.requests import deployment_id, deployment_request, what_if_request
from dockyard.arm.describe import describe
from dockyard.arm.long_running import PACE
from dockyard.fabric.deployments import Deployments, template_hash
from dockyard.fabric.foreseeing import foresee
from dockyard.model.deployment import Deployment
from dockyard.model.errors import InvalidRequest, NotFound
from dockyard.model.resource_id import ResourceId

_API_VERSION = "2025-04-01"
_STATE_FILTER = "provisioningstate eq "
_DEPLOYMENT = schemas.an_object(
    "properties",
    tags=schemas.TAGS,
    properties=schemas.an_object(
        "template", template=schemas.OBJECT, mode=schemas.MAYBE_TEXT, parameters=schemas.MAYBE_OBJECT
    ),
)


def _use_case(request: Request) -> Deployments:
    return context_of(request).fabric.deployments


def _client(request: Request) -> AppResources:
    context = context_of(request)
    clock = context.fabric.rooms.clock
    return AppResources(app=request.app, context=context, caller=caller_of(request), clock=clock)


@describe(answer=schemas.RESOURCES, query=("$filter", "$top"))
async def list_deployments(request: Request) -> Response:
    """List the deployments of a group, newest first."""
    check_subscription(request)
    listed = _use_case(request).list(resource_group=request.path_params["group"])
    found = [each for each in listed if _wanted(request, each)]
    top = request.query_params.get("$top", "")
    shown = found[: int(top)] if top.isascii() and top.isdigit() else found
    return JSONResponse({"value": [documents.deployment(each) for each in shown]})


@describe(body=_DEPLOYMENT, answer=schemas.RESOURCE)
async def deployment(request: Request) -> Response:
    """Show, probe, begin or forget one deployment."""
    id = deployment_id(request)
    if request.method == "PUT":
        return await _put(request)
    if request.method == "HEAD":
        return Response(status_code=204 if _exists(request, id) else 404)
    if request.method == "DELETE":
        _use_case(request).delete(id=id)
        return Response(status_code=204)
    return JSONResponse(documents.deployment(_use_case(request).get(id=id)))


@describe(body=_DEPLOYMENT, answer=schemas.OBJECT)
async def validate(request: Request) -> Response:
    """Say what is wrong with a deployment without beginning it."""
    asked = await deployment_request(request)
    plan = _use_case(request).plan(request=asked, client=_client(request))
    document = documents.validated(plan, id=asked.id, mode=asked.mode.value, template_hash=template_hash(asked.kept))
    return JSONResponse(document)


@describe(body=_DEPLOYMENT, answer=schemas.OBJECT)
async def what_if(request: Request) -> Response:
    """Say what a deployment would change."""
    asked = await what_if_request(request)
    client = _client(request)
    plan, masked = (
        _use_case(request).plan(request=asked.deployment, client=client, masked=each) for each in (False, True)
    )
    changes = await foresee(plan=plan, masked=masked, client=client, mode=asked.deployment.mode)
    return JSONResponse(documents.what_if(changes, ids_only=asked.ids_only))


@describe()
async def cancel(request: Request) -> Response:
    """End a deployment under way."""
    await _use_case(request).cancel(id=deployment_id(request))
    return Response(status_code=204)


@describe(answer=schemas.an_object("template", template=schemas.OBJECT))
async def export(request: Request) -> Response:
    """Give a deployment's template back."""
    found = _use_case(request).get(id=deployment_id(request))
    if found.template is None:
        raise InvalidRequest(
            f"The template of the nested deployment '{found.id.name}' is not kept",
            details="Its expressions were evaluated outside, so it may have held what is secret there.",
            resolution="Export the deployment it is nested in.",
            code="TemplateNotKept",
        )
    return JSONResponse({"template": found.template})


@describe(answer=schemas.a_list(schemas.OBJECT))
async def operations(request: Request) -> Response:
    """List the steps of a deployment."""
    found = _use_case(request).get(id=deployment_id(request))
    return JSONResponse({"value": [documents.operation(found, step) for step in found.steps]})


@describe(answer=schemas.OBJECT)
async def operation(request: Request) -> Response:
    """Show one step of a deployment."""
    found = _use_case(request).get(id=deployment_id(request))
    wanted = request.path_params["step"]
    for step in found.steps:
        if step.id == wanted:
            return JSONResponse(documents.operation(found, step))
    raise NotFound(f"The deployment '{found.id.name}' has no operation '{wanted}'", code="DeploymentOperationNotFound")


@describe(answer=schemas.an_object("status", status=schemas.TEXT))
async def status(request: Request) -> Response:
    """Serve the URL a client polls."""
    found = _use_case(request).get(id=deployment_id(request))
    return JSONResponse(documents.status(found), headers={} if found.state.is_final else PACE)


@describe()
async def elsewhere(_request: Request) -> NoReturn:
    """Refuse deployments to a whole subscription."""
    raise InvalidRequest(
        "Deployments at the scope of a subscription are not offered",
        resolution="Deploy into a resource group ('az deployment group create').",
        code="DeploymentScopeNotSupported",
    )


async def _put(request: Request) -> Response:
    id = deployment_id(request)
    existed = _exists(request, id)
    made = _use_case(request).start(request=await deployment_request(request), client=_client(request))
    path = urllib.parse.quote(f"{made.id}/operationStatuses/{made.operation_id}")
    url = f"{context_of(request).endpoint}{path}?api-version={_API_VERSION}"
    headers = {"Azure-AsyncOperation": url, **PACE}
    return JSONResponse(documents.deployment(made), status_code=200 if existed else 201, headers=headers)


def _exists(request: Request, id: ResourceId) -> bool:
    try:
        _use_case(request).get(id=id)
    except NotFound:
        return False
    return True


def _wanted(request: Request, found: Deployment) -> bool:
    asked = request.query_params.get("$filter", "").strip().lower()
    if not asked.startswith(_STATE_FILTER):
        return True
    return asked.removeprefix(_STATE_FILTER).strip(" '") == found.state.value.lower()


_GROUP = "/subscriptions/{subscription}/resourcegroups/{group}"
_ALL = f"{_GROUP}/providers/microsoft.resources/deployments"
_ONE = f"{_ALL}/{{name}}"
_SHORT = f"{_GROUP}/deployments/{{name}}"  # az asks for operations here
_ELSEWHERE = "/subscriptions/{subscription}/providers/microsoft.resources/deployments"
_METHODS = ["GET", "PUT", "POST", "DELETE"]
ROUTES = [
    Route(_ALL, list_deployments),
    Route(_ONE, deployment, methods=["GET", "HEAD", "PUT", "DELETE"]),
    Route(f"{_ONE}/validate", validate, methods=["POST"]),
    Route(f"{_ONE}/whatif", what_if, methods=["POST"]),
    Route(f"{_ONE}/cancel", cancel, methods=["POST"]),
    Route(f"{_ONE}/exporttemplate", export, methods=["POST"]),
    Route(f"{_ONE}/operations", operations),
    Route(f"{_ONE}/operations/{{step}}", operation),
    Route(f"{_SHORT}/operations", operations),
    Route(f"{_SHORT}/operations/{{step}}", operation),
    Route(f"{_ONE}/operationstatuses/{{operation}}", status),
    Route(_ELSEWHERE, elsewhere, methods=_METHODS, include_in_schema=False),
    Route(f"{_ELSEWHERE}/{{name}}", elsewhere, methods=_METHODS, include_in_schema=False),
    Route(f"{_ELSEWHERE}/{{name}}/{{action}}", elsewhere, methods=_METHODS, include_in_schema=False),
]

"""Routes of network resources: the same few for every kind of the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.authorization.check import check_may
from dockyard.arm.bodies import check_subscription, read_body, read_tags, resource_id
from dockyard.arm.context import LOCATION, context_of
from dockyard.arm.describe import Endpoint, describe
from dockyard.arm.network.kinds import KINDS, Child, Kind
from dockyard.arm.preconditions import etag_of
from dockyard.fabric.networks import NetworkRequest, Networks
from dockyard.fabric.topology import Topology
from dockyard.model.errors import NotFound
from dockyard.model.network import NetworkResource, references
from dockyard_contract.documents import JsonObject

_PART = schemas.an_object("id", "name", id=schemas.TEXT, name=schemas.TEXT, properties=schemas.OBJECT)


def _use_case(request: Request) -> Networks:
    return context_of(request).fabric.networks


def routes_of(kind: Kind) -> list[Route]:
    """Return the routes of one kind of resource and of its parts."""
    word = kind.type.partition("/")[2]
    provider = "providers/microsoft.network"
    all_groups = f"/subscriptions/{{subscription}}/{provider}/{word.lower()}"
    in_group = f"/subscriptions/{{subscription}}/resourcegroups/{{group}}/{provider}/{word.lower()}"
    listed, one = _list(kind), _resource(kind)
    found = [
        Route(all_groups, listed, name=f"list {word}"),
        Route(in_group, listed, name=f"list {word} of a group"),
        Route(f"{in_group}/{{name}}", one, name=word, methods=["GET", "PUT", "PATCH", "DELETE"]),
    ]
    if kind.child is not None:
        below = f"{in_group}/{{name}}/{kind.child.collection.lower()}"
        children, child = _children(kind, kind.child), _child(kind, kind.child)
        found += [
            Route(below, children, name=f"list {kind.child.collection}"),
            Route(f"{below}/{{child}}", child, name=kind.child.collection, methods=["GET", "PUT", "DELETE"]),
        ]
    return found


def _list(kind: Kind) -> Endpoint:
    async def listed(request: Request) -> Response:
        check_subscription(request)
        group = request.path_params.get("group")
        if group is not None:
            context_of(request).fabric.resource_groups.get(name=group)
        topology = _use_case(request).topology()
        found = _use_case(request).list(type=kind.type, resource_group=group)
        return JSONResponse({"value": [document(kind, each, topology) for each in found]})

    return _described(listed, f"List each {kind.title} of a group or of the subscription.", answer=schemas.RESOURCES)


def _resource(kind: Kind) -> Endpoint:
    async def resource(request: Request) -> Response:
        id, use_case = resource_id(request, type=kind.type), _use_case(request)
        status = 200
        if request.method == "DELETE":
            return Response(status_code=200 if await use_case.delete(id=id) else 204)
        if request.method == "PATCH":
            use_case.set_tags(id=id, tags=read_tags(await read_body(request)))
        if request.method == "PUT":
            wanted = _read(kind, await read_body(request), request=request)
            status = 201 if await use_case.put(request=wanted) else 200
        return JSONResponse(document(kind, use_case.get(id=id), use_case.topology()), status_code=status)

    text = f"Show, create, change or delete one {kind.title}."
    return _described(resource, text, body=kind.body, patch=schemas.TAGS_ALONE, answer=schemas.RESOURCE)


def _children(kind: Kind, child: Child) -> Endpoint:
    async def children(request: Request) -> Response:
        parent, topology = _parent(request, kind), _use_case(request).topology()
        shown = [child.show(parent, each, topology) for each in parent.children(child.collection)]
        return JSONResponse({"value": [_tagged(each) for each in shown]})

    return _described(children, f"List each {child.title} of a {kind.title}.", answer=schemas.a_list(_PART))


def _child(kind: Kind, child: Child) -> Endpoint:
    async def part(request: Request) -> Response:
        id, use_case = resource_id(request, type=f"{kind.type}/{child.collection}"), _use_case(request)
        status = 200
        if request.method == "DELETE":
            gone = await use_case.delete_child(id=id, collection=child.collection)
            return Response(status_code=200 if gone else 204)
        if request.method == "PUT":
            properties = child.read((await read_body(request)).object("properties"))
            _check_joins(request, [properties.get("networkSecurityGroup")])
            new = await use_case.put_child(id=id, collection=child.collection, properties=properties)
            status = 201 if new else 200
        parent = _parent(request, kind)
        found = parent.child(child.collection, id.name)
        if found is None:
            raise NotFound(f"Resource {id} not found", code="NotFound")
        return JSONResponse(child.show(parent, found, use_case.topology()), status_code=status)

    return _described(part, f"Show, create, change or delete one {child.title}.", body=child.body, answer=_PART)


def document(kind: Kind, resource: NetworkResource, topology: Topology) -> dict[str, Any]:
    """Return a resource as ARM shows it."""
    shown = {
        "id": str(resource.id),
        "name": resource.id.name,
        "type": kind.type,
        "location": resource.location,
        "tags": dict(resource.tags),
        "properties": {
            **kind.show(resource, topology),
            "provisioningState": "Succeeded",
            "resourceGuid": resource.guid,
        },
    }
    if kind.has_sku:
        shown["sku"] = dict(resource.sku) or {"name": "Basic", "tier": "Regional"}
    return _tagged(shown)


def _tagged(shown: dict[str, Any]) -> dict[str, Any]:
    return {**shown, "etag": f"W/{etag_of(shown)}"}


def _read(kind: Kind, body: JsonObject, *, request: Request) -> NetworkRequest:
    id = resource_id(request, type=kind.type)
    sku = body.optional_object("sku") if kind.has_sku else None
    wanted = NetworkRequest(
        id=id,
        location=body.optional_string("location") or LOCATION,
        properties=kind.read(body.optional_object("properties") or _nothing(body)),
        sku=_sku(sku) if sku else {},
        tags=read_tags(body),
    )
    named = NetworkResource(id=id, location="", guid="", properties=wanted.properties)
    _check_joins(request, [{"id": reference.target} for reference in references(named)])
    return wanted


def _nothing(body: JsonObject) -> JsonObject:
    return JsonObject(document=body.document, path="properties", members={})


def _sku(sku: JsonObject) -> dict[str, str]:
    return {"name": sku.optional_string("name") or "Basic", "tier": sku.optional_string("tier") or "Regional"}


def _check_joins(request: Request, links: list[Mapping[str, Any] | None]) -> None:
    """Whoever joins a resource to another needs a right there, too. Raises Forbidden."""
    for link in links:
        if link:
            check_join(request, str(link["id"]))


def check_join(request: Request, id: str) -> None:
    """Check that the caller may let another resource use the one with this id. Raises Forbidden."""
    parts = id.partition("/providers/")[2].split("/")
    check_may(request, action="/".join([*parts[:1], *parts[1::2], "join", "action"]), scope=id)


def _parent(request: Request, kind: Kind) -> NetworkResource:
    id = resource_id(request, type=kind.type)
    return _use_case(request).get(id=replace(id, names=id.names[:1]))


def _described(endpoint: Endpoint, text: str, **said: Any) -> Endpoint:
    endpoint.__doc__ = text
    return describe(**said)(endpoint)


ROUTES = [route for kind in KINDS for route in routes_of(kind)]

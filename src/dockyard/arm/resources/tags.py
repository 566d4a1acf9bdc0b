"""Routes of tags: of any scope, whatever it is, and the names in use in the subscription.

A resource's tags are read from its own document and changed by a PATCH of its own, through the application and as the
caller: so every type that takes a PATCH has them. The subscription's are kept beside it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.answers import Answer, Exchange
from dockyard.arm.bodies import check_subscription, read_body, read_tags
from dockyard.arm.context import context_of, may
from dockyard.arm.describe import describe
from dockyard.arm.resources.scopes import CHILD, SCOPES, SUBSCRIPTION, scope_of
from dockyard.arm.tagging import OPERATIONS, Tags, check_tags
from dockyard.model.errors import InvalidRequest

_TYPE = "Microsoft.Resources/tags"
_READ_GROUP = "Microsoft.Resources/subscriptions/resourceGroups/read"
_PROPERTIES = schemas.an_object("properties", properties=schemas.an_object(tags=schemas.TAGS))
_PATCH = schemas.an_object(
    "operation", "properties", operation=schemas.TEXT, properties=schemas.an_object(tags=schemas.TAGS)
)


@describe(body=_PROPERTIES, patch=_PATCH, answer=schemas.RESOURCE)
async def tags(request: Request) -> Response:
    """Show, replace, merge or delete the tags of a scope."""
    scope = scope_of(request)
    change = await _change(request)
    found = await _look(request, scope)
    if found.status != 200:
        return _passed_on(found)
    present: Mapping[str, str] = json.loads(found.body).get("tags") or {}
    if change is None:
        return JSONResponse(_document(scope, present))
    operation, given = change
    wanted = check_tags(OPERATIONS[operation](present, given))
    changed = await _write(request, scope, wanted)
    if changed.status >= 400:
        return _passed_on(changed)
    if request.method == "DELETE":
        return Response(status_code=200)
    return JSONResponse(_document(scope, json.loads(changed.body).get("tags") or {}))


async def _change(request: Request) -> tuple[str, Tags] | None:
    """Return which operation with which tags a request asks for; None for a look."""
    if request.method == "DELETE":
        return "replace", {}
    if request.method not in ("PUT", "PATCH"):
        return None
    body = await read_body(request)
    given = read_tags(body.object("properties"))
    word = "replace" if request.method == "PUT" else body.string("operation")
    if word.lower() not in OPERATIONS:
        raise InvalidRequest(
            f"The operation '{word[:40]}' is not one on tags",
            resolution="Use Merge, Replace or Delete.",
            code="InvalidTagsPatchOperation",
        )
    return word.lower(), given


async def _look(request: Request, scope: str) -> Answer:
    return await _ask(request, "GET", scope)


async def _write(request: Request, scope: str, wanted: Tags) -> Answer:
    body = json.dumps({"tags": dict(wanted)}).encode()
    if "group" in request.path_params:
        return await _ask(request, "PATCH", scope, content=body)
    context_of(request).fabric.rooms.store.put_scope_tags(scope=scope, tags=wanted)
    return Answer(200, {}, body)


async def _ask(request: Request, method: str, path: str, *, content: bytes = b"") -> Answer:
    """Make a request as the caller of this one, with its token and its ``api-version``."""
    kept = [(name, value) for name, value in request.scope["headers"] if name == b"authorization"]
    scope = {
        **{name: request.scope[name] for name in ("type", "http_version", "scheme", "query_string")},
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "headers": [*kept, (b"content-type", b"application/json")],
    }
    return await Exchange(content).ask(request.app, scope)


def _passed_on(answer: Answer) -> Response:
    return Response(answer.body, status_code=answer.status, media_type="application/json")


def _document(scope: str, found: Tags) -> dict[str, Any]:
    return {
        "id": f"{scope}/providers/{_TYPE}/default",
        "name": "default",
        "type": _TYPE,
        "properties": {"tags": dict(found)},
    }


@describe(answer=schemas.a_list(schemas.an_object("id", "tagName", id=schemas.TEXT, tagName=schemas.TEXT)))
async def tag_names(request: Request) -> Response:
    """List the names and values of tags in use, on what the caller may read, and how often."""
    check_subscription(request)
    base = f"/subscriptions/{context_of(request).subscription_id}/tagNames"
    uses: dict[str, Counter[str]] = {}
    for found in _tags_in_use(request):
        for name, value in found.items():
            uses.setdefault(name, Counter())[value] += 1
    shown = [
        {
            "id": f"{base}/{name}",
            "tagName": name,
            "count": _count(values.total()),
            "values": [
                {"id": f"{base}/{name}/tagValues/{value}", "tagValue": value, "count": _count(number)}
                for value, number in sorted(values.items())
            ],
        }
        for name, values in sorted(uses.items())
    ]
    return JSONResponse({"value": shown})


def _tags_in_use(request: Request) -> Sequence[Tags]:
    fabric = context_of(request).fabric
    resources = [each for each in fabric.resources.list() if _may_read(request, f"{each.id.type}/read", str(each.id))]
    groups = [
        dict(group.tags)
        for group in fabric.resource_groups.list()
        if _may_read(request, _READ_GROUP, f"/subscriptions/{group.subscription_id}/resourceGroups/{group.name}")
    ]
    return [*groups, *(each.tags for each in resources)]


def _may_read(request: Request, action: str, scope: str) -> bool:
    return may(request, action=action, scope=scope)


def _count(number: int) -> dict[str, Any]:
    return {"type": "Total", "value": number}


def _at(scope: str) -> Route:
    path = f"{scope}/providers/microsoft.resources/tags/default"
    told = scope != CHILD  # what is said of resources holds for their children
    return Route(path, tags, methods=["GET", "PUT", "PATCH", "DELETE"], include_in_schema=told)


ROUTES = [*(_at(scope) for scope in SCOPES), Route(f"{SUBSCRIPTION}/tagnames", tag_names)]

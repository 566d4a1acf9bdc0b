"""Reading requests: bodies as typed JSON, and the names in a path as resource ids."""

from __future__ import annotations

from starlette.requests import Request

from dockyard.arm.context import context_of
from dockyard.arm.tagging import check_tags
from dockyard.model.errors import InvalidRequest, NotFound
from dockyard.model.resource_id import ResourceId
from dockyard_contract.documents import JsonObject, parse_json

MAX_BODY_BYTES = 4 * 1024 * 1024


async def read_body(request: Request) -> JsonObject:
    """Return the request's JSON object; every wrong member met later names its path.

    Raises:
        MalformedDocument: not JSON, or not an object.
        InvalidRequest: over 4 MiB.
    """
    return parse_json(await read_bytes(request), document="body").object()


async def read_bytes(request: Request) -> bytes:
    """Return the request's body as it came. Raises InvalidRequest over 4 MiB."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise InvalidRequest("The request body is larger than 4 MiB", code="RequestContentTooLarge")
        chunks.append(chunk)
    return b"".join(chunks)


def read_tags(body: JsonObject) -> dict[str, str]:
    """Return the resource's tags. Raises MalformedDocument, and InvalidRequest where Azure would not take them."""
    tags = body.optional_object("tags")
    return {} if tags is None else check_tags({name: tags.string(name) for name in tags.names()})


def resource_id(request: Request, *, type: str) -> ResourceId:
    """Return the id of the resource a path names. Raises NotFound for a foreign subscription."""
    check_subscription(request)
    names = (request.path_params[key] for key in ("name", "child") if key in request.path_params)
    return ResourceId(context_of(request).subscription_id, request.path_params["group"], type, tuple(names))


def check_subscription(request: Request) -> None:
    """Raise NotFound (code SubscriptionNotFound) when the path is not of this server's subscription."""
    asked = str(request.path_params["subscription"])
    if asked.lower() != context_of(request).subscription_id:
        raise NotFound(f"The subscription '{asked}' could not be found", code="SubscriptionNotFound")

"""Routes of storage accounts. They have no keys and no data plane."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.bodies import check_subscription, read_body, read_tags, resource_id
from dockyard.arm.context import LOCATION, context_of
from dockyard.arm.describe import describe
from dockyard.fabric.storage_accounts import StorageAccounts
from dockyard.model.storage_account import STORAGE_ACCOUNTS, StorageAccount

_SERVICES = ("blob", "file", "queue", "table")
_ACCOUNT = schemas.an_object(
    location=schemas.MAYBE_TEXT,
    tags=schemas.TAGS,
    kind=schemas.MAYBE_TEXT,
    sku=schemas.maybe(schemas.an_object("name", name=schemas.TEXT)),
    properties=schemas.maybe(schemas.an_object(accountType=schemas.MAYBE_TEXT)),
)


def _use_case(request: Request) -> StorageAccounts:
    return context_of(request).fabric.storage_accounts


@describe(answer=schemas.RESOURCES)
async def list_accounts(request: Request) -> Response:
    """List the accounts of a group or of the subscription."""
    check_subscription(request)
    found = _use_case(request).list(resource_group=request.path_params.get("group"))
    return JSONResponse({"value": [_document(account) for account in found]})


@describe(body=_ACCOUNT, patch=schemas.TAGS_ALONE, answer=schemas.RESOURCE)
async def account(request: Request) -> Response:
    """Show, create, change or delete one account."""
    id = resource_id(request, type=STORAGE_ACCOUNTS)
    if request.method == "PUT":
        return await _put(request)
    if request.method == "PATCH":
        return await _patch(request)
    if request.method == "DELETE":
        return Response(status_code=200 if _use_case(request).delete(id=id) else 204)
    return JSONResponse(_document(_use_case(request).get(id=id)))


async def _put(request: Request) -> Response:
    body = await read_body(request)
    sku, properties = body.optional_object("sku"), body.optional_object("properties")
    old = properties.optional_string("accountType") if properties else None  # where the versions of 2015 have it
    made = _use_case(request).put(
        id=resource_id(request, type=STORAGE_ACCOUNTS),
        location=body.optional_string("location") or LOCATION,
        sku=(sku.string("name") if sku else old) or "Standard_LRS",
        kind=body.optional_string("kind") or "StorageV2",
        tags=read_tags(body),
    )
    return JSONResponse(_document(made))


async def _patch(request: Request) -> Response:
    body = await read_body(request)
    id = resource_id(request, type=STORAGE_ACCOUNTS)
    tags = read_tags(body) if body.optional("tags") is not None else _use_case(request).get(id=id).tags
    return JSONResponse(_document(_use_case(request).set_tags(id=id, tags=tags)))


def _document(found: StorageAccount) -> dict[str, Any]:
    endpoints = {service: f"https://{found.id.name}.{service}.core.windows.net/" for service in _SERVICES}
    return {
        "id": str(found.id),
        "name": found.id.name,
        "type": STORAGE_ACCOUNTS,
        "location": found.location,
        "kind": found.kind,
        "sku": {"name": found.sku, "tier": found.sku.partition("_")[0]},
        "tags": dict(found.tags),
        "properties": {
            "provisioningState": "Succeeded",
            "accountType": found.sku,
            "creationTime": found.created_at.isoformat(),
            "primaryLocation": found.location,
            "primaryEndpoints": endpoints,
        },
    }


_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = f"{_SUBSCRIPTION}/resourcegroups/{{group}}/providers/microsoft.storage/storageaccounts"
ROUTES = [
    Route(f"{_SUBSCRIPTION}/providers/microsoft.storage/storageaccounts", list_accounts),
    Route(_GROUP, list_accounts),
    Route(f"{_GROUP}/{{name}}", account, methods=["GET", "PUT", "PATCH", "DELETE"]),
]

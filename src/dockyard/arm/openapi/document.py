"""The document: one operation for each method of each route, from its path, its docstring and its description.

Pure. What ARM does for every request alike (token, ``api-version``, errors, conditions) is written here once; what one
endpoint takes and answers stands above the endpoint (``describe``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.routing import BaseRoute, Route

from dockyard.arm import schemas
from dockyard.arm.authorization.actions import spelled
from dockyard.arm.describe import Description, Schema, description_of, summary_of
from dockyard.arm.identity.guard import is_public
from dockyard.arm.versions import PATTERN, SUPPORTED, is_versioned

_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
_ERROR = {"$ref": "#/components/responses/Error"}
_REFERENCES = {"If-Match": "IfMatch", "If-None-Match": "IfNoneMatch", "api-version": "ApiVersion"}
# Where anything may be answered: an endpoint nobody has described.
_UNDESCRIBED = Description(answer=schemas.ANYTHING, body=schemas.ANYTHING)


def openapi(routes: Iterable[BaseRoute], *, version: str, endpoint: str, subscription_id: str) -> dict[str, Any]:
    """Return the document (OpenAPI 3.1) of an application's routes."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if isinstance(route, Route) and route.include_in_schema:
            path = spelled(_PARAMETER.sub(r"{\1}", route.path))
            item = paths.setdefault(path, {"parameters": _path_parameters(route.path, subscription_id)})
            methods = sorted((route.methods or set()) - {"HEAD"})  # served wherever GET is, and told by it
            item.update({method.lower(): _operation(route, path, method) for method in methods})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Dockyard",
            "version": version,
            "description": "Azure Resource Manager, as far as this server speaks it.",
        },
        "servers": [{"url": endpoint}],
        "security": [{"token": []}],
        "paths": paths,
        "components": _components(endpoint),
    }


def _operation(route: Route, path: str, method: str) -> dict[str, Any]:
    described = description_of(route) or _UNDESCRIBED
    operation: dict[str, Any] = {
        "summary": summary_of(route),
        "operationId": _operation_id(path, method),
        "parameters": _query(described, route.path) + _conditions(path, method),
        "responses": _responses(described, route, method),
    }
    body = described.takes(method)
    if body is not None:
        media = described.body_media or ("application/x-www-form-urlencoded" if described.form else "application/json")
        operation["requestBody"] = {"required": method != "POST", "content": {media: {"schema": body}}}
    if is_public(route.path):
        operation["security"] = []
    return operation


def _responses(described: Description, route: Route, method: str) -> dict[str, Any]:
    errors = {"4XX": _ERROR} if not is_public(route.path) else {"4XX": {"description": "Refused."}}
    if method == "DELETE":
        return {"200": {"description": "It is gone."}, **_begun(), **errors}
    if method == "POST":
        return {**_done(described.answer, described.media), **_begun(), **errors}
    answered = _content(described.answer, described.media)
    found = {"200": {"description": "It is there.", **answered}}
    if method == "PUT":
        found["201"] = {"description": "It is made, or being made.", **answered}
    if method == "GET":
        found["304"] = {"description": "It is what If-None-Match names."}
        found["202"] = {"description": "It is still under way."}
    return {**found, **errors}


def _done(answer: Schema | None, media: str) -> dict[str, Any]:
    return {"200": {"description": "It is done.", **_content(answer, media)}}


def _begun() -> dict[str, Any]:
    return {
        "202": {"description": "It has begun; Azure-AsyncOperation and Location are to be followed."},
        "204": {"description": "There was nothing to do."},
    }


def _content(answer: Schema | None, media: str) -> dict[str, Any]:
    return {} if answer is None else {"content": {media: {"schema": answer}}}


def _path_parameters(path: str, subscription_id: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"enum": [subscription_id]} if name == "subscription" else {"type": "string", "minLength": 1},
        }
        for name in _PARAMETER.findall(path)
    ]


def _query(described: Description, path: str) -> list[dict[str, Any]]:
    own = [{"name": name, "in": "query", "schema": schemas.TEXT} for name in described.query]
    return [_reference("api-version"), *own] if is_versioned(path) else own


def _conditions(path: str, method: str) -> list[dict[str, Any]]:
    if not path.startswith("/subscriptions/") or not path.endswith("}"):
        return []
    if method in ("PUT", "PATCH", "DELETE"):
        return [_reference("If-Match"), _reference("If-None-Match")]
    return [_reference("If-None-Match")] if method == "GET" else []


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/parameters/{_REFERENCES[name]}"}


def _operation_id(path: str, method: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", path)
    return method.lower() + "".join(word[0].upper() + word[1:] for word in words)


def _components(endpoint: str) -> Mapping[str, Any]:
    condition = {"in": "header", "required": False, "schema": schemas.TEXT}
    flow = {"tokenUrl": f"{endpoint}/adfs/oauth2/token", "scopes": {}}
    return {
        "securitySchemes": {"token": {"type": "oauth2", "flows": {"clientCredentials": flow}}},
        "parameters": {
            "ApiVersion": {
                "name": "api-version",
                "in": "query",
                "required": True,
                "description": "Any date is served; what Azure's clients ask for today: " + ", ".join(SUPPORTED),
                "schema": {"type": "string", "pattern": PATTERN},
                "example": SUPPORTED[0],
            },
            "IfMatch": {"name": "If-Match", **condition},
            "IfNoneMatch": {"name": "If-None-Match", **condition},
        },
        "responses": {"Error": {"description": "Refused.", "content": {"application/json": {"schema": schemas.ERROR}}}},
    }

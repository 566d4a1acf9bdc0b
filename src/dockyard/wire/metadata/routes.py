"""What instance metadata answers, by Azure's rules: a header that browsers and proxies do not send, and a version.

The header keeps a program in the machine that can be talked into fetching URLs from fetching these.
"""

from __future__ import annotations

import json
import re

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dockyard.wire import http
from dockyard.wire.metadata import documents

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}")


async def versions(request: Request) -> Response:
    """``GET /metadata/versions``."""
    _demand_header(request)
    return Response(http.guest_of(request).document(documents.versions), media_type="application/json")


async def instance(request: Request) -> Response:
    """``GET /metadata/instance[/<path>]?api-version=``: the document or a part of it; single values as text."""
    _demand_header(request)
    version = request.query_params.get("api-version", "")
    if not _VERSION.fullmatch(version):
        raise HTTPException(400, "Bad request. api-version is invalid or was not specified in the request.")
    whole = documents.in_version(json.loads(http.guest_of(request).document(documents.instance)), version=version)
    path = [name for name in request.path_params.get("path", "").split("/") if name]
    found = _follow(whole, path)
    if isinstance(found, str) and request.query_params.get("format", "").lower() == "text":
        return PlainTextResponse(found)
    return Response(json.dumps(found), media_type="application/json")


ROUTES = (
    Route("/metadata/versions", versions),
    Route("/metadata/instance", instance),
    Route("/metadata/instance/{path:path}", instance),
)


def _demand_header(request: Request) -> None:
    if request.headers.get("metadata", "").lower() != "true" or "x-forwarded-for" in request.headers:
        raise HTTPException(400, "Bad request. Required metadata header not specified.")


def _follow(value: object, path: list[str]) -> object:
    for name in path:
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isascii() and name.isdigit() and int(name[:9]) < len(value):
            value = value[int(name[:9])]
        else:
            raise HTTPException(404)
    return value

"""ETags: every single resource has one, and If-Match and If-None-Match are kept for all of them alike.

An ETag is the hash of what a resource's document says was asked for; what changes by itself (states, views, children)
does not change it. The body of a conditional request is read first, so that nothing comes between the look at the
present ETag and the change. An ASGI layer right before the routes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dockyard.arm.answers import Exchange, refuse
from dockyard.arm.bodies import read_bytes
from dockyard.arm.paths import keyword_positions
from dockyard.model.errors import DockyardError, PreconditionFailed

_CHANGES = ("PUT", "PATCH", "DELETE")
_CONDITIONS = (b"if-match", b"if-none-match")
_VOLATILE = frozenset({"provisioningState", "instanceView", "timeCreated", "clientSecret"})


def etag_of(document: Mapping[str, Any]) -> str:
    """Return the ETag of a resource, quoted; the document's own when it has one."""
    own = document.get("etag")
    if isinstance(own, str) and own:
        return own if own.startswith(('"', "W/")) else f'"{own}"'
    kept = {name: value for name, value in document.items() if name != "resources"}
    properties = document.get("properties")
    if isinstance(properties, Mapping):
        kept["properties"] = {name: value for name, value in properties.items() if name not in _VOLATILE}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"))
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


class Preconditions:
    """The ASGI layer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check what the request insists on, then pass on; mark the answer."""
        if scope["type"] != "http" or not _names_a_resource(scope["path"]):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["method"] in _CHANGES and any(name.decode() in headers for name in _CONDITIONS):
            try:
                content = Exchange(await read_bytes(Request(scope, receive)))
                _check(headers, present=await self._present(scope))
            except DockyardError as error:
                await refuse(error, scope, receive, send)
                return
            receive = content.receive
        tagging = _Tagging(scope, send)
        await self._app(scope, receive, tagging.send)

    async def _present(self, scope: Scope) -> str | None:
        """Return the present ETag, None when there is no such resource."""
        headers = [(name, value) for name, value in scope["headers"] if name not in _CONDITIONS]
        answer = await Exchange().ask(self._app, {**scope, "method": "GET", "headers": headers})
        document = json.loads(answer.body) if answer.status == 200 and answer.body else None
        return etag_of(document) if isinstance(document, dict) else None


class _Tagging:
    """Adds the ETag to an answer that is one resource; 304 when the client has it already."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._start: Message | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _may_be_a_resource(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            await self._tagged(self._start, message)
            self._start = None

    async def _tagged(self, start: Message, message: Message) -> None:
        document = None if message.get("more_body") else json.loads(message["body"])
        if not isinstance(document, dict) or "id" not in document:
            await self._send(start)
            await self._send(message)
            return
        tag = etag_of(document)
        if self._scope["method"] == "GET" and _matches(Headers(scope=self._scope).get("if-none-match", ""), tag):
            await self._send({**start, "status": 304, "headers": [(b"etag", tag.encode())]})
            await self._send({"type": "http.response.body", "body": b""})
            return
        body = _with_etag(document, tag) if _is_shown(self._scope["path"]) else message["body"]
        kept = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        added = [(b"content-length", str(len(body)).encode()), (b"etag", tag.encode())]
        await self._send({**start, "headers": [*kept, *added]})
        await self._send({**message, "body": body})


def _check(headers: Headers, *, present: str | None) -> None:
    wanted, unwanted = headers.get("if-match", "").strip(), headers.get("if-none-match", "").strip()
    if wanted and (present is None or not _matches(wanted, present)):
        raise PreconditionFailed(
            "The resource is not the one that If-Match asks for: "
            + ("it does not exist" if present is None else "it was changed"),
            details="" if present is None else f"Its ETag is {present}.",
            resolution="Read it again, and repeat the request with its present ETag.",
        )
    if unwanted and present is not None and _matches(unwanted, present):
        raise PreconditionFailed(
            "The resource already exists, which If-None-Match forbids",
            resolution="Choose another name, or leave If-None-Match out to change it.",
        )


def _matches(condition: str, tag: str) -> bool:
    if condition.strip() == "*":
        return True
    return tag.removeprefix("W/") in [each.strip().removeprefix("W/") for each in condition.split(",")]


def _names_a_resource(path: str) -> bool:
    segments = path.strip("/").split("/")
    return segments[0] == "subscriptions" and len(segments) > 2 and len(segments) - 1 not in keyword_positions(segments)


def _may_be_a_resource(message: Message) -> bool:
    kind = dict(message["headers"]).get(b"content-type", b"")
    return message["status"] in (200, 201) and kind.startswith(b"application/json")


def _is_shown(path: str) -> bool:
    """Tell whether Azure's documents of this type have the ETag as a member, too."""
    namespace, _, rest = path.rpartition("/providers/")[2].partition("/")
    return namespace == "microsoft.network" or (rest.startswith("virtualmachines/") and rest.count("/") == 1)


def _with_etag(document: dict[str, Any], tag: str) -> bytes:
    shown = {**document, "etag": tag}
    return json.dumps(shown, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()

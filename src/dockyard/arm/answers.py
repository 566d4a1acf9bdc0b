"""Answers as ASGI messages: given in place of the application's, and looked at or marked on their way out.

Used by the layers every request passes: ``identity.guard``, ``throttling``, ``versions``, ``authorization.check`` and
``preconditions``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dockyard.arm.errors import error_response
from dockyard.model.errors import DockyardError


@dataclass(frozen=True)
class Answer:
    """A whole answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Exchange:
    """One request made inside the process, and its answer. ``content`` is the request's whole body."""

    def __init__(self, content: bytes = b"") -> None:
        self._content = content
        self._status = 0
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    async def receive(self) -> Message:
        """Give the request's body."""
        return {"type": "http.request", "body": self._content, "more_body": False}

    async def send(self, message: Message) -> None:
        """Take a part of the answer."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")

    async def ask(self, app: ASGIApp, scope: Scope) -> Answer:
        """Make the request and return its answer."""
        await app(scope, self.receive, self.send)
        return Answer(self._status, self._headers, bytes(self._body))


async def refuse(
    error: DockyardError, scope: Scope, receive: Receive, send: Send, *, headers: Mapping[str, str] | None = None
) -> None:
    """Answer with an error in place of the application."""
    record = error.record()
    response = error_response(status=error.kind.value, code=record.code, message=record.message)
    response.headers.update(headers or {})
    await response(scope, receive, send)


def marking(send: Send, **headers: str) -> Send:
    """Return a ``send`` that adds headers to the answer; ``_`` in a name stands for ``-``."""
    added = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *added]}
        await send(message)

    return marked

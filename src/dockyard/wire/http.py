"""What the three endpoints share: whose request it is, bodies within bounds, and answers to what is wrong.

Used by the routes of each endpoint and by ``machine``. WALinuxAgent 2.12 repeats a request that was answered with 5xx
for minutes, and does nothing else meanwhile. A report nobody can read is therefore answered 400, what is not there 404.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from dockyard.model.errors import NotFound
from dockyard.wire.guest import Guest
from dockyard.wire.link.cable import bind
from dockyard.wire.link.stack import BACKLOG
from dockyard_contract.errors import MalformedDocument

REPORT_LIMIT = 2 * 1024 * 1024
"""Bytes of the largest body that is read: a status report with the agent's 128 KiB from each of a dozen handlers."""

_GRACE_SECONDS = 1.0
_DISCARD_LIMIT = 256 * 1024 * 1024
_log = logging.getLogger(__name__)


def application(routes: Sequence[Route]) -> uvicorn.Config:
    """Make one endpoint out of its routes; all machines share it, and each has its own sockets."""
    app = Starlette(
        routes=routes,
        exception_handlers={
            MalformedDocument: _malformed,
            NotFound: _not_found,
            ClientDisconnect: _gone,
        },
    )
    app.router.redirect_slashes = False
    config = uvicorn.Config(
        app, http="h11", ws="none", lifespan="off", interface="asgi3", log_config=None, access_log=False,
        server_header=False, proxy_headers=False,
    )  # fmt: skip
    config.load()
    return config


class Listener:
    """One endpoint of one machine: a UNIX stream socket and the connections made to it."""

    def __init__(self, *, path: Path, server: asyncio.Server, state: ServerState) -> None:
        self._path = path
        self._server = server
        self._state = state

    @classmethod
    async def open(cls, *, path: Path, config: uvicorn.Config, guest: Guest, accepted: Callable[[], None]) -> Listener:
        """Listen at ``path`` on the guest's behalf; ``accepted`` is called for each connection. Raises Exhausted."""
        state = ServerState()
        protocol = functools.partial(H11Protocol, config=config, server_state=state, app_state={"guest": guest})

        def connect() -> asyncio.Protocol:
            accepted()
            return protocol()

        end = bind(path=path, kind=socket.SOCK_STREAM)
        server = await asyncio.get_running_loop().create_unix_server(connect, sock=end, backlog=BACKLOG)
        return cls(path=path, server=server, state=state)

    async def close(self) -> None:
        """Stop listening, drop the connections, remove the socket. Held answers must have been released before."""
        self._server.close()
        for connection in tuple(self._state.connections):
            if isinstance(connection, H11Protocol):
                connection.transport.abort()
        tasks = tuple(self._state.tasks)
        if tasks:
            _, unfinished = await asyncio.wait(tasks, timeout=_GRACE_SECONDS)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)
        self._path.unlink(missing_ok=True)


def guest_of(request: Request) -> Guest:
    """Whose request it is: the guest the socket belongs to."""
    guest = request.state.guest
    assert isinstance(guest, Guest)  # noqa: S101 - for the type checker; set by Listener.open alone
    return guest


async def body(request: Request) -> bytes:
    """Read a report's body, up to `REPORT_LIMIT`; a larger one is answered 413."""
    return b"".join([chunk async for chunk in _chunks(request, limit=REPORT_LIMIT)])


async def discard(request: Request) -> None:
    """Read a body nobody wants, so that the guest can finish sending it."""
    async for _ in _chunks(request, limit=_DISCARD_LIMIT):
        pass


def xml(content: bytes | str) -> Response:
    """An XML document."""
    return Response(content, media_type="text/xml; charset=utf-8")


async def _chunks(request: Request, *, limit: int) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise HTTPException(413, f"The body has more than {limit} bytes.")
        yield chunk


async def _malformed(request: Request, error: Exception) -> Response:
    _log.warning("guest %s: %s %s: %s", guest_of(request).vm_id, request.method, request.url.path, error)
    return PlainTextResponse(f"{error}\n", 400)


async def _not_found(request: Request, error: Exception) -> Response:
    _log.info("guest %s: %s %s: %s", guest_of(request).vm_id, request.method, request.url.path, error)
    return PlainTextResponse("There is no such resource.\n", 404)


async def _gone(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("The request was not complete.\n", 400)

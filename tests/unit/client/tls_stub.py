"""HTTP over TLS in a thread of the test's own process, and a Docker endpoint that wants a client certificate."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What goes back: bytes as they are, anything else as JSON, None as no body."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


class ClosedSocket(ssl.SSLSocket):
    """One that is closed when its peer is found gone while it is made; CPython's leaves it to the garbage collector."""

    def recv(self, *arguments: Any) -> bytes:
        try:
            return super().recv(*arguments)
        except OSError:
            self.close()
            raise


class TlsServer(ThreadingHTTPServer):
    """HTTP over TLS on a socket that listens already; the handshake happens in the connection's own thread."""

    def __init__(self, listener: socket.socket, context: ssl.SSLContext, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(listener.getsockname(), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        listener.setblocking(False)  # an accept that finds nobody must not keep the server from ending
        self._context = context
        self._context.sslsocket_class = ClosedSocket
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = self.socket.accept()
        try:
            connection.settimeout(10)
            wrapped = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        except OSError:
            connection.close()
            raise
        self._connections.append(wrapped)
        return wrapped, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A handshake that fails is what some tests are about."""

    def end(self) -> None:
        self.shutdown()
        self._thread.join()
        for connection in self._connections:
            with suppress(OSError):  # ended already
                socket.socket.shutdown(connection, socket.SHUT_RDWR)  # whoever reads from it stops
        self.server_close()


class _DockerHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        send(self, Answer(200, {"Version": "28.0.1", "ApiVersion": "1.48"}))

    def log_message(self, *arguments: Any) -> None:
        """Be quiet."""


def docker_server(listener: socket.socket, certs: dict[str, str], folder: Path) -> TlsServer:
    """Serve Docker's version with the certificates an extension was given; strangers are turned away."""
    pem = {name: base64.b64decode(value) for name, value in certs.items()}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(written(folder / f"docker-{uuid.uuid4()}.pem", pem["cert"] + pem["key"]))
    context.load_verify_locations(cadata=pem["ca"].decode())
    context.verify_mode = ssl.CERT_REQUIRED
    return TlsServer(listener.dup(), context, _DockerHandler)


@contextmanager
def docker_endpoint(certs: dict[str, str], folder: Path) -> Iterator[int]:
    """A Docker endpoint alone; yields its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = docker_server(listener, certs, folder)
    try:
        yield listener.getsockname()[1]
    finally:
        server.end()
        listener.close()


def send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
    handler.send_response(answer.status)
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    if answer.body is not None:
        handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body) if answer.body is not None else 0))
    handler.end_headers()
    if answer.body is not None:
        handler.wfile.write(body)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path

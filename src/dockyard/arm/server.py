"""The API on a socket: TLS by its own authority, the loopback address alone.

Used by the composition. The authority's key stays in the user's data folder; a new server certificate is made at
every start.
"""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from dockyard import files
from dockyard.model.errors import Exhausted
from dockyard.pki import certificates
from dockyard.pki.certificates import KeyPair

ADDRESS = "127.0.0.1"
_AUTHORITY_DAYS = 3650
_SERVER_DAYS = 397  # the longest life that common clients accept
_BACKLOG = 512


def listen(*, port: int | None, remembered: Path) -> socket.socket:
    """Bind the API's port: the one asked for, else the one of last time, else a free one, which is remembered.

    Raises:
        Exhausted: (code PortInUse) the port asked for, or the one clients know, is taken.
    """
    wanted = port if port is not None else _last_port(remembered)
    # With the protocol named, asyncio turns Nagle's algorithm off; else each answer waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((ADDRESS, wanted))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise Exhausted(
            f"Port {wanted} of {ADDRESS} cannot be listened on",
            details=error.strerror or "",
            resolution="End the program that uses it, or choose another one with 'dockyard serve --port'.",
            code="PortInUse",
        ) from error
    files.write(remembered, json.dumps({"port": listener.getsockname()[1]}).encode(), mode=files.PUBLIC)
    return listener


def write_certificates(*, authority: Path, authority_key: Path, certificate: Path, key: Path) -> None:
    """Make the authority when there is none, and a fresh server certificate."""
    signer = _authority(authority, authority_key)
    leaf = certificates.server_certificate(
        authority=signer,
        common_name="localhost",
        dns_names=["localhost"],
        ip_addresses=[ADDRESS],
        days=_SERVER_DAYS,
    )
    files.write(key, leaf.key_pem, mode=files.SECRET)
    files.write(certificate, leaf.certificate_pem, mode=files.PUBLIC)


class Server(uvicorn.Server):
    """Ends gently on SIGINT and SIGTERM, and returns.

    uvicorn's own raises them again, which kills the process before the caller has closed what is open.
    """

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Serve inside this; a signal asks the loop to end."""
        loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, self._end)
        try:
            yield
        finally:
            for each in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(each)

    def _end(self) -> None:
        self.should_exit = True


def build_server(app: ASGIApp, *, certificate: Path, key: Path) -> Server:
    """Return the HTTP server; run it with ``serve(sockets=[...])``."""
    config = uvicorn.Config(
        app,
        ssl_certfile=str(certificate),
        ssl_keyfile=str(key),
        http="h11",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    return Server(config)


def settle() -> None:
    """Take what is loaded by now out of the garbage collector's sight; call once, right before serving.

    Programs are not garbage. Looking through them again and again stops every request for a tenth of a second while a
    long list is made.
    """
    gc.collect()
    gc.freeze()


def _authority(path: Path, key_path: Path) -> KeyPair:
    if path.exists() and key_path.exists():
        return certificates.load(certificate=path.read_bytes(), key=key_path.read_bytes())
    made = certificates.certificate_authority(common_name="Dockyard API", days=_AUTHORITY_DAYS)
    files.write(key_path, made.key_pem, mode=files.SECRET)
    files.write(path, made.certificate_pem, mode=files.PUBLIC)
    return made


def _last_port(remembered: Path) -> int:
    try:
        return int(json.loads(remembered.read_text("utf-8"))["port"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return 0

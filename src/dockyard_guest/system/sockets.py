"""The one door for network endpoints: who listens on a port, and two small HTTP clients that prove an answer.

HTTP is spoken over plain sockets, as the library's client costs more to import than the whole exchange; an answer is
read to its end or to a limit, whichever comes first.
"""
# Why not pathlib: /proc is read here, and pathlib is slow to import.
# ruff: noqa: PTH115, PTH123, PTH208

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING

from dockyard_guest.errors import TemporaryError
from dockyard_guest.values import HttpAnswer, Listener, TlsProbe

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

_LIMIT = 1024 * 1024
_LISTEN = "0A"
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")


class SystemSockets:
    """Network endpoints of this machine."""

    def listener(self, port: int) -> Listener | None:
        """Who listens on a TCP port."""
        inodes = {inode for table in _TABLES for inode in listening_inodes(_text(table), port=port)}
        if not inodes:
            return None
        for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
            if inodes & set(_socket_inodes(pid)):
                return Listener(port=port, pid=pid, name=_text(f"/proc/{pid}/comm").strip() or None)
        return Listener(port=port)

    def get_unix(self, socket: str, path: str, *, timeout: float) -> HttpAnswer:
        """Ask an HTTP server on a unix socket; see `ports.Sockets`."""
        try:
            return _ask_unix(socket, path, timeout=timeout)
        except (OSError, ValueError) as error:
            raise TemporaryError(f"There is no answer on {socket}.", details=_reason(error)) from error

    def get_tls(
        self,
        port: int,
        path: str,
        *,
        authority: str,
        timeout: float,
        certificate: str | None = None,
        key: str | None = None,
    ) -> TlsProbe:
        """Send one HTTPS request to this machine; see `ports.Sockets`."""
        import ssl  # noqa: PLC0415 - only the background work needs it, and it is slow to import

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # The certificate names the machine as its users call it, not 127.0.0.1; that it is by the authority is checked.
        context.check_hostname = False
        try:
            context.load_verify_locations(cafile=authority)
            if certificate is not None:
                context.load_cert_chain(certificate, key)
            plain = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        except OSError as error:
            return TlsProbe(unreachable=_reason(error))
        with plain:
            return _ask_tls(context, plain, path)


def listening_inodes(table: str, *, port: int) -> Iterator[str]:
    """Inodes of the sockets that listen on a port, from the text of ``/proc/net/tcp`` (proc(5))."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 9 and fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
            yield fields[9]


def parse_answer(text: bytes) -> HttpAnswer:
    """Read an HTTP answer whose end is the end of the connection.

    Raises:
        ValueError: The text is no HTTP answer.
    """
    head, _, body = text.partition(b"\r\n\r\n")
    words = head.split(None, 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
        raise ValueError("no HTTP answer")
    return HttpAnswer(status=int(words[1]), body=body)


def _ask_unix(path: str, resource: str, *, timeout: float) -> HttpAnswer:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        connection.connect(path)
        return parse_answer(_exchange(connection, resource))


def _ask_tls(context: ssl.SSLContext, plain: socket.socket, path: str) -> TlsProbe:
    import ssl  # noqa: PLC0415 - as above

    try:
        with context.wrap_socket(plain) as connection:
            return TlsProbe(answer=parse_answer(_exchange(connection, path)))
    except ssl.SSLCertVerificationError as error:
        return TlsProbe(unreachable=f"the server's certificate does not hold: {error.verify_message}")
    except socket.timeout:
        return TlsProbe(unreachable="no answer in time")
    except (OSError, ValueError) as error:
        # With TLS 1.3 the refusal arrives after the handshake, as an alert or as the end of the connection.
        return TlsProbe(refused=_reason(error))


def _exchange(connection: socket.socket, path: str) -> bytes:
    # HTTP/1.0 has the server end the connection, and forbids it to answer in chunks.
    connection.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
    received = bytearray()
    while len(received) < _LIMIT:
        chunk = connection.recv(65536)
        if not chunk:
            break
        received += chunk
    return bytes(received)


def _reason(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _socket_inodes(pid: int) -> Iterator[str]:
    folder = f"/proc/{pid}/fd"
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            with contextlib.suppress(OSError):
                target = os.readlink(f"{folder}/{name}")
                if target.startswith("socket:["):
                    yield target[8:-1]

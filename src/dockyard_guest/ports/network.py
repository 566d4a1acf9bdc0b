"""What comes from the network or is found on it: downloads, uploads, endpoints of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dockyard_guest.values import HttpAnswer, Listener, TlsProbe


class Downloads(Protocol):
    """Small files from the network."""

    def get(self, url: str) -> bytes:
        """The content of a file at an https address.

        Raises:
            TemporaryError: It cannot be fetched.
            PermanentError: The address is not, or leads away from, an https address.
        """

    def fetch(self, url: str, path: str, *, mode: int, proxy: str | None = None) -> str:
        """Put the content of an http or https address into a new file; answers its SHA-256 in hexadecimal.

        No error holds the query of the address, which may be a signature.

        Raises:
            TemporaryError: It cannot be fetched now: no connection, or the server says so (408, 429, 500, 502-504).
            PermanentError: The server refuses, the address is none, or the file cannot be written.
        """


class Uploads(Protocol):
    """Text into blobs."""

    def put(self, url: str, content: bytes) -> None:
        """Replace a block blob at an http or https address that carries its own signature.

        Raises:
            TemporaryError: It cannot be written; the error does not hold the query of the address.
        """


class Sockets(Protocol):
    """Network endpoints of this machine."""

    def listener(self, port: int) -> Listener | None:
        """Who listens on a TCP port."""

    def get_unix(self, socket: str, path: str, *, timeout: float) -> HttpAnswer:
        """Ask an HTTP server on a unix socket.

        Raises:
            TemporaryError: There was no HTTP answer in time.
        """

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
        """Send one HTTPS request to this machine and read the answer, or find out why there is none.

        A request is needed: under TLS 1.3 the client's handshake succeeds even when its certificate is refused.
        """

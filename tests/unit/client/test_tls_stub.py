"""The stub itself: a peer that goes before it is accepted leaves no socket behind."""

from __future__ import annotations

import socket
import ssl
import struct
import warnings

import pytest

from tests.unit.client.tls_stub import ClosedSocket


def test_a_peer_gone_before_its_connection_is_wrapped_leaves_no_socket() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslsocket_class = ClosedSocket
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        accepted, _ = listener.accept()
        client.close()
        with warnings.catch_warnings(), pytest.raises(OSError):
            warnings.simplefilter("error", ResourceWarning)
            context.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
        accepted.close()

"""The network door: who listens, answers on a unix socket, and a refusal that is told apart from silence."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from dockyard_guest.errors import TemporaryError
from dockyard_guest.system.sockets import SystemSockets, listening_inodes, parse_answer
from tests.support.openssl_pki import Pair, make_authority, make_leaf

SOCKETS = SystemSockets()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nOK"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Pair:
    return make_authority(folder)


@pytest.fixture(scope="module")
def server(folder: Path, authority: Pair) -> Pair:
    return make_leaf(folder, "server", authority=authority, use="serverAuth")


@contextmanager
def serving(listener: socket.socket, talk: Callable[[socket.socket], None]) -> Iterator[None]:
    """Talk to one client in the background."""

    def serve() -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                talk(connection)

    listener.listen()
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def answer(connection: socket.socket, text: bytes = ANSWER) -> None:
    connection.recv(4096)
    connection.sendall(text)


def tls(server: Pair, authority: Pair, *, mutual: bool) -> Callable[[socket.socket], None]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.certificate, server.key)
    context.load_verify_locations(authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED if mutual else ssl.CERT_NONE

    def talk(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            answer(secured)

    return talk


def bound() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    return listener


def test_the_listener_of_a_port_is_named() -> None:
    with bound() as listener:
        listener.listen()
        port = listener.getsockname()[1]
        found = SOCKETS.listener(port)
    assert found is not None
    assert found.pid == os.getpid()
    assert str(os.getpid()) in str(found)
    assert SOCKETS.listener(port) is None


def test_a_port_that_is_only_connected_has_no_listener() -> None:
    table = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 00000000:0948 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1\n"
        "   1: 0100007F:0948 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 222 1\n"
        "   2: 00000000:0949 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1\n"
    )
    assert list(listening_inodes(table, port=2376)) == ["111"]


def test_a_unix_socket_answers(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    with serving(listener, answer):
        found = SOCKETS.get_unix(path, "/_ping", timeout=10)
    assert (found.status, found.body) == (200, b"OK")


@pytest.mark.parametrize("text", [b"", b"garbage", b"HTTP/1.1", b"HTTP/1.1 abc\r\n\r\n"])
def test_a_unix_socket_without_an_http_answer_is_no_answer(tmp_path: Path, text: bytes) -> None:
    path = str(tmp_path / "s")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    with serving(listener, lambda connection: answer(connection, text)), pytest.raises(TemporaryError):
        SOCKETS.get_unix(path, "/_ping", timeout=10)


def test_a_unix_socket_that_is_not_there_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(TemporaryError, match="There is no answer on"):
        SOCKETS.get_unix(str(tmp_path / "nope"), "/_ping", timeout=10)


def test_a_server_that_wants_a_certificate_refuses_a_client_without(server: Pair, authority: Pair) -> None:
    listener = bound()
    with serving(listener, tls(server, authority, mutual=True)):
        probe = SOCKETS.get_tls(listener.getsockname()[1], "/_ping", authority=str(authority.certificate), timeout=10)
    assert probe.answer is None
    assert probe.refused
    assert not probe.unreachable


def test_a_server_that_takes_anybody_answers(server: Pair, authority: Pair) -> None:
    listener = bound()
    with serving(listener, tls(server, authority, mutual=False)):
        probe = SOCKETS.get_tls(listener.getsockname()[1], "/_ping", authority=str(authority.certificate), timeout=10)
    assert probe.answer is not None
    assert probe.answer.status == 200


def test_a_client_with_its_certificate_is_answered(folder: Path, server: Pair, authority: Pair) -> None:
    client = make_leaf(folder, "client", authority=authority, use="clientAuth")
    listener = bound()
    with serving(listener, tls(server, authority, mutual=True)):
        probe = SOCKETS.get_tls(
            listener.getsockname()[1],
            "/_ping",
            authority=str(authority.certificate),
            timeout=10,
            certificate=str(client.certificate),
            key=str(client.key),
        )
    assert probe.answer is not None


def test_a_server_of_a_foreign_authority_is_no_refusal(folder: Path, server: Pair, authority: Pair) -> None:
    foreign = make_authority(folder, "foreign")
    listener = bound()
    with serving(listener, tls(server, authority, mutual=True)):
        probe = SOCKETS.get_tls(listener.getsockname()[1], "/", authority=str(foreign.certificate), timeout=10)
    assert "certificate does not hold" in probe.unreachable
    assert not probe.refused


def test_silence_is_no_refusal(authority: Pair) -> None:
    with bound() as listener:
        listener.listen()
        probe = SOCKETS.get_tls(listener.getsockname()[1], "/", authority=str(authority.certificate), timeout=0.3)
    assert probe.unreachable == "no answer in time"


def test_a_closed_port_is_no_refusal(authority: Pair) -> None:
    with bound() as listener:
        port = listener.getsockname()[1]
    probe = SOCKETS.get_tls(port, "/", authority=str(authority.certificate), timeout=5)
    assert "refused" in probe.unreachable
    assert not probe.refused


def test_an_answer_has_a_status_and_a_body() -> None:
    assert parse_answer(b"HTTP/1.0 404 Not Found\r\nA: b\r\n\r\nx\r\n\r\ny").body == b"x\r\n\r\ny"

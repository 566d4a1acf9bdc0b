"""Docker's endpoint proven by whole requests over real mutual TLS."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dockyard.client import certificates, docker_endpoint
from dockyard.client.certificates import Folder
from dockyard.client.docker_endpoint import Engine
from dockyard.client.names import MachineName
from dockyard.config import Paths
from dockyard.model.errors import DeadlineExceeded, OperationFailed
from tests.unit.client import tls_stub
from tests.unit.client.arm_stub import ArmStub

WEB = MachineName("dockyard", "web")


@pytest.fixture
def folder(paths: Paths, tmp_path: Path) -> Iterator[tuple[Folder, int]]:
    """A machine's certificates and the port of an engine that has their other half."""
    bundle = certificates.issue(paths, WEB, own=None)
    made = certificates.folder_of(paths, WEB)
    bundle.write(made)
    with tls_stub.docker_endpoint(dict(bundle.protected_settings()["certs"]), tmp_path) as port:
        yield made, port


def test_engine_tells_its_versions(folder: tuple[Folder, int]) -> None:
    certs, port = folder
    assert docker_endpoint.ask(port=port, folder=certs) == Engine("28.0.1", "1.48")


def test_stranger_is_refused(folder: tuple[Folder, int]) -> None:
    certs, port = folder
    assert docker_endpoint.refuses_strangers(port=port, folder=certs)


def test_endpoint_that_answers_anybody_is_found_out(arm: ArmStub, folder: tuple[Folder, int]) -> None:
    certs, _ = folder
    certs.authority.write_bytes(arm.ca.read_bytes())
    port = int(arm.endpoint.rpartition(":")[2])
    assert not docker_endpoint.refuses_strangers(port=port, folder=certs)


def test_another_machines_certificate_is_not_believed(folder: tuple[Folder, int], tmp_path: Path, paths: Paths) -> None:
    _, port = folder
    other = certificates.issue(paths, MachineName("dockyard", "db"), own=tmp_path / "own")
    strange = Folder(tmp_path / "strange")
    other.write(strange)
    with pytest.raises(OperationFailed) as caught:
        docker_endpoint.wait(port=port, folder=strange, deadline=30)
    assert (caught.value.code, caught.value.temporary) == ("EndpointNotVerified", False)


def test_client_the_engine_does_not_know_is_told_so_at_once(folder: tuple[Folder, int], tmp_path: Path) -> None:
    certs, port = folder
    mixed = certificates.issue(Paths.from_environ({"DOCKYARD_HOME": str(tmp_path / "x")}), WEB, own=None)
    strange = Folder(tmp_path / "strange")
    mixed.write(strange)
    strange.authority.write_bytes(certs.authority.read_bytes())
    with pytest.raises(OperationFailed) as caught:
        docker_endpoint.wait(port=port, folder=strange, deadline=30)
    assert caught.value.code == "ClientCertificateRefused"


def test_wait_names_the_endpoint_and_the_last_reason(folder: tuple[Folder, int]) -> None:
    certs, _ = folder
    with (
        closed_port() as port,
        pytest.raises(DeadlineExceeded, match=f"Docker to answer at tcp://127.0.0.1:{port}") as it,
    ):
        docker_endpoint.wait(port=port, folder=certs, deadline=0.6)
    assert "Connection refused" in it.value.details


def test_wait_outlives_connections_cut_before_the_engine_is_up(folder: tuple[Folder, int]) -> None:
    certs, port = folder
    with cutting_door(port, cuts=2) as door:
        assert docker_endpoint.wait(port=door, folder=certs, deadline=20).version == "28.0.1"


@contextmanager
def closed_port() -> Iterator[int]:
    """A port nobody listens on, kept from others while the test runs."""
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


@contextmanager
def cutting_door(port: int, *, cuts: int) -> Iterator[int]:
    """A forward, as a hypervisor's: accepts always, cuts the first connections for nobody listens behind it yet."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for _ in range(cuts):
                listener.accept()[0].close()
            client, _ = listener.accept()
            with client, socket.create_connection(("127.0.0.1", port)) as engine:
                back = threading.Thread(target=pour, args=(engine, client))
                back.start()
                pour(client, engine)
                back.join()

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def pour(source: socket.socket, target: socket.socket) -> None:
    try:
        while chunk := source.recv(65536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return

"""One server, whoever asks first; adopted when it runs, started when not, explained when it does not come up."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockyard.client import processes, serve, waiting
from dockyard.config import Paths
from dockyard.model.errors import DeadlineExceeded, OperationFailed
from tests.unit.client.arm_stub import ArmStub

ROOT = Path(__file__).parents[3]
SERVER = """
import json, os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from dockyard.client import processes
from dockyard.config import Paths
from tests.unit.client.arm_stub import ArmStub

paths = Paths.from_environ({"DOCKYARD_HOME": sys.argv[2]})
with (paths.state / "starts").open("a") as starts:
    starts.write("x")
record = {"pid": os.getpid(), "start_time": processes.start_time(os.getpid()), "endpoint": "https://stub"}
paths.server_record.write_text(json.dumps(record))
stub = ArmStub(paths.state)
stub.write_credentials(paths)
signal.pause()
"""


@pytest.fixture
def command(paths: Paths, tmp_path: Path) -> Iterator[list[str]]:
    """A server program that works; ended after the test."""
    yield [sys.executable, "-c", SERVER, str(ROOT), str(tmp_path / "home")]
    serve.stop(paths)


def ignore(_message: str) -> None:
    """Nobody listens."""


def test_running_server_is_adopted(arm: ArmStub, paths: Paths) -> None:
    found = serve.ensure(paths, command=["/nonexistent"], notify=ignore)
    assert found.endpoint == arm.endpoint


def test_server_is_started_apart_when_none_answers(paths: Paths, command: list[str]) -> None:
    found = serve.ensure(paths, command=command, notify=ignore)
    server = serve.running(paths)
    assert found.endpoint.startswith("https://127.0.0.1:")
    assert server is not None
    assert os.getsid(server.identity.pid) == server.identity.pid
    assert paths.server_log.stat().st_mode & 0o777 == 0o600


def test_two_that_start_at_once_end_with_one_server(paths: Paths, command: list[str]) -> None:
    found: list[str] = []

    def start() -> None:
        found.append(serve.ensure(paths, command=command, notify=ignore).endpoint)

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), len(set(found))) == (3, 1)
    assert (paths.state / "starts").read_text() == "x"


def test_server_that_ends_is_explained_by_its_last_lines(paths: Paths) -> None:
    paths.make()
    paths.server_log.write_text("an older failure\n")
    script = "import sys; print('no such port'); sys.exit(3)"
    with pytest.raises(OperationFailed, match="ended with code 3") as caught:
        serve.ensure(paths, command=[sys.executable, "-c", script], notify=ignore)
    assert caught.value.details == "no such port"


def test_server_that_never_answers_meets_a_deadline_and_is_ended(paths: Paths) -> None:
    told: list[str] = []
    script = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    with pytest.raises(DeadlineExceeded, match="the Dockyard server to answer") as caught:
        serve.ensure(paths, command=[sys.executable, "-c", script], notify=told.append, deadline=1.5)
    assert told == ["Waiting for the Dockyard server to start"]
    pid = int(caught.value.details)
    waiting.until(lambda: processes.start_time(pid) is None or None, what="the server to end", deadline=5)


def test_server_with_a_foreign_certificate_is_not_believed(arm: ArmStub, paths: Paths, tmp_path: Path) -> None:
    other = ArmStub(tmp_path / "home")
    arm.write_credentials(paths, ca=str(other.ca))
    other.close()
    assert serve.answering(paths) is None


def test_stop_ends_the_server_by_its_identity(paths: Paths, command: list[str]) -> None:
    serve.ensure(paths, command=command, notify=ignore)
    ended = serve.stop(paths)
    assert ended is not None
    assert not processes.is_alive(ended.identity)
    assert serve.stop(paths) is None


def test_stop_spares_a_later_process_with_the_same_number(paths: Paths) -> None:
    paths.make()
    paths.server_record.write_text(f'{{"pid": {os.getpid()}, "start_time": 1, "endpoint": "x"}}')
    assert serve.stop(paths) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pid": "x"}'])
def test_record_that_is_not_one_counts_as_no_server(paths: Paths, text: str) -> None:
    paths.make()
    paths.server_record.write_text(text)
    assert serve.running(paths) is None

"""The doors for scripts: how a program is started and found again, files from a server, and blobs."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dockyard_guest.errors import PermanentError, TemporaryError
from dockyard_guest.system.downloads import SystemDownloads, SystemUploads, without_query
from dockyard_guest.system.files import SystemFiles
from dockyard_guest.system.processes import descendants, started_at
from dockyard_guest.system.scripts import SystemScripts, argv_of
from dockyard_guest.system.services import SystemServices
from dockyard_guest.values import Account, Completed, ScriptOrder
from tests.unit.guest.test_system import Programs

CONTENT = b"text\n" * 1000
SECRET = "sig=canary-3c1f"


@pytest.fixture
def order(tmp_path: Path) -> ScriptOrder:
    return ScriptOrder(
        unit="dockyard-test-0",
        record=str(tmp_path / "running"),
        argv=("/bin/sh", "-c", "echo out; echo err >&2; exit 3"),
        environment={"PATH": os.environ["PATH"], "KEY": SECRET},
        folder=str(tmp_path),
        stdout=str(tmp_path / "stdout"),
        stderr=str(tmp_path / "stderr"),
    )


def scripts(programs: Programs) -> SystemScripts:
    files = SystemFiles()
    return SystemScripts(commands=programs, services=SystemServices(commands=programs), files=files, log=lambda _: None)


def test_a_program_is_a_scope_of_its_own_where_systemd_runs(order: ScriptOrder) -> None:
    assert argv_of(order, in_scope=True) == [
        *("systemd-run", "--scope", "--quiet", "--collect", "--unit=dockyard-test-0", "--"),
        *order.argv,
    ]


def test_another_user_gets_its_own_groups_and_no_others(order: ScriptOrder) -> None:
    account = Account(name="bob", uid=1000, gid=1001, home="/home/bob")
    argv = argv_of(replace(order, account=account), in_scope=False)
    assert argv == ["setpriv", "--reuid=1000", "--regid=1001", "--init-groups", "--", *order.argv]


def test_an_order_does_not_show_what_may_be_secret(order: ScriptOrder) -> None:
    assert SECRET not in repr(order)
    assert SECRET not in str(argv_of(order, in_scope=True))


def test_the_script_of_a_record_is_ended_with_its_whole_scope(tmp_path: Path) -> None:
    programs = Programs()
    record = tmp_path / "running"
    record.write_text("unit dockyard-test-0.scope")
    scripts(programs).end(str(record))
    assert programs.ran == [
        ["systemctl", "kill", "--signal=KILL", "--", "dockyard-test-0.scope"],
        ["systemctl", "stop", "--", "dockyard-test-0.scope"],
    ]
    assert not record.exists()


def test_a_record_of_a_process_that_is_another_by_now_ends_nothing(tmp_path: Path) -> None:
    record = tmp_path / "running"
    record.write_text(f"process {os.getpid()} 1")
    scripts(Programs()).end(str(record))
    assert not record.exists()


def test_no_record_is_no_script(tmp_path: Path) -> None:
    programs = Programs(Completed(argv=(), exit_code=0))
    scripts(programs).end(str(tmp_path / "running"))
    assert programs.ran == []


def test_a_process_is_known_by_its_number_and_its_begin() -> None:
    assert started_at(os.getpid()).isdigit()
    assert started_at(2**22 + 1) == ""
    assert os.getpid() in descendants({os.getppid()})


# ---------------------------------------------------------------- files and blobs


class Server(BaseHTTPRequestHandler):
    """Serves one file, a short one under a long name, refusals, and takes one blob."""

    blobs: dict[str, bytes] = {}  # noqa: RUF012 - of this test's server alone

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        code = int(path[1:]) if path[1:].isdigit() else 200
        self.send_response(code)
        self.send_header("Content-Length", str(len(CONTENT) + (1 if path == "/short" else 0)))
        self.end_headers()
        self.wfile.write(CONTENT)

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        is_good = self.headers["x-ms-blob-type"] == "BlockBlob" and SECRET in self.path
        Server.blobs[self.path] = content
        self.send_response(201 if is_good else 403)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def server() -> Iterator[str]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()
    thread.join()


def test_a_file_is_kept_whole_with_its_mode_and_its_checksum_told(server: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    found = SystemDownloads().fetch(f"{server}/file?{SECRET}", str(path), mode=0o500)
    assert found == hashlib.sha256(CONTENT).hexdigest()
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (CONTENT, 0o500)


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_a_server_that_may_answer_later_is_a_temporary_error(server: str, tmp_path: Path, code: int) -> None:
    with pytest.raises(TemporaryError, match=f"the server answers {code}") as caught:
        SystemDownloads().fetch(f"{server}/{code}?{SECRET}", str(tmp_path / "file"), mode=0o500)
    assert SECRET not in str(caught.value)


def test_a_server_that_refuses_is_a_permanent_error(server: str, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="the server answers 404"):
        SystemDownloads().fetch(f"{server}/404", str(tmp_path / "file"), mode=0o500)


def test_a_file_without_its_end_is_no_file(server: str, tmp_path: Path) -> None:
    with pytest.raises(TemporaryError, match="broke off"):
        SystemDownloads().fetch(f"{server}/short", str(tmp_path / "file"), mode=0o500)


@pytest.mark.parametrize("url", ["file:///etc/shadow", "ftp://a.example/b"])
def test_only_the_network_is_fetched_from(tmp_path: Path, url: str) -> None:
    with pytest.raises(PermanentError, match="is not an http or https address"):
        SystemDownloads().fetch(url, str(tmp_path / "file"), mode=0o500)


def test_nobody_there_is_a_temporary_error(tmp_path: Path) -> None:
    with pytest.raises(TemporaryError, match="cannot be fetched"):
        SystemDownloads().fetch(f"http://127.0.0.1:1/file?{SECRET}", str(tmp_path / "file"), mode=0o500)


def test_a_file_goes_by_its_proxy(server: str, tmp_path: Path) -> None:
    SystemDownloads().fetch("http://files.example/file", str(tmp_path / "file"), mode=0o500, proxy=server)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_blob_takes_what_its_signature_lets_in(server: str) -> None:
    SystemUploads().put(f"{server}/out?{SECRET}", b"output")
    assert Server.blobs[f"/out?{SECRET}"] == b"output"
    with pytest.raises(PermanentError, match="cannot be written: the server answers 403"):
        SystemUploads().put(f"{server}/out", b"output")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@a.example/b/c?sig=x#y", "https://a.example/b/c"),
        ("http://a.example", "http://a.example"),
        ("http://a.example?sig=x", "http://a.example"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert without_query(url) == shown

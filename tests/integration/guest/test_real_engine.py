"""The Docker handler against real engines: what Debian 12 and Debian 13 ship, in namespaces of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.guest.engine_files import engine_of

ROOT = Path(__file__).parents[3]
INSIDE = Path(__file__).with_name("inside.py")
pytestmark = [
    pytest.mark.privileged,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces"),
    pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt to fetch an engine"),
]
Seen = dict[str, Any]


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """What happened inside, once for each engine."""
    engine = engine_of(request.param, cache=Path(request.config.cache.mkdir("engines")))
    scratch = tmp_path_factory.mktemp(request.param)
    namespaces = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    done = subprocess.run(
        [*namespaces, sys.executable, str(INSIDE), str(engine), str(scratch)],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    answer: Seen = json.loads(done.stdout)
    return {**answer, "suite": request.param}


def test_settings_are_applied_and_the_endpoint_proved(seen: Seen) -> None:
    assert "is ready on TCP port 2376 with mutual TLS." in seen["first"]["message"]
    assert "refuses a client without a certificate" in seen["first"]["steps"]["endpoint"]


def test_certificates_have_their_final_modes(seen: Seen) -> None:
    assert seen["modes"] == ["0o444", "0o444", "0o400"]


def test_a_client_with_its_certificate_is_answered(seen: Seen) -> None:
    assert seen["with certificate"] == 200


@pytest.mark.parametrize(
    "client", ["without certificate", "foreign certificate", "own certificate of the server as client"]
)
def test_every_other_client_is_refused(seen: Seen, client: str) -> None:
    assert seen[client]["answer"] is None
    assert seen[client]["refused"]
    assert not seen[client]["unreachable"]


def test_the_same_settings_again_restart_nothing(seen: Seen) -> None:
    assert seen["again"]["same_process"]
    assert "nothing to do" in seen["again"]["steps"]["configuration"]


def test_a_refused_option_is_told_in_dockerds_words(seen: Seen) -> None:
    assert seen["refused option"]["message"].startswith("PermanentError 53: ")
    assert "unknown flag: --bogus" in seen["refused option"]["message"]


def test_an_engine_that_can_judge_is_not_restarted_for_a_refused_option(seen: Seen) -> None:
    can_judge = seen["suite"] != "bookworm"
    assert seen["refused option"]["same_process"] is can_judge


def test_an_engine_that_does_not_come_up_is_rolled_back(seen: Seen) -> None:
    message = seen["unfit value"]["message"]
    assert message.startswith("PermanentError 53: The engine does not start: ")
    assert "The configuration before is back, and the engine runs with it." in message
    assert seen["after the unfit value"] == 200


def test_options_arrive_word_by_word_and_letter_by_letter(seen: Seen) -> None:
    assert sorted(json.loads(seen["labels seen"])) == ["a=two words", "b=50%$x"]  # the engine tells them in any order


def test_a_server_certificate_by_somebody_else_never_reaches_the_engine(seen: Seen) -> None:
    assert "does not lead to the authority" in seen["foreign server"]["message"]
    assert seen["foreign server"]["same_process"]


def test_new_certificates_and_disable_leave_containers_running(seen: Seen) -> None:
    assert "is ready" in seen["renewed"]["message"]
    assert not seen["renewed"]["same_process"]
    assert "closed" in seen["disabled"]
    assert seen["container after both"] == seen["container"]


def test_disable_closes_the_port(seen: Seen) -> None:
    assert seen["port after disable"]["unreachable"]


def test_the_same_settings_after_disable_open_the_port_again(seen: Seen) -> None:
    assert "is ready on TCP port 2376" in seen["enabled again"]["message"]


def test_uninstall_leaves_none_of_our_files(seen: Seen) -> None:
    assert seen["files left"] in ([], ["key.json"])

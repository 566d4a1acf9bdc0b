"""Safe defaults and the guard on real engines: what containers reach, and what the engine says about itself."""

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
INSIDE = Path(__file__).with_name("inside_daemon.py")
pytestmark = [
    pytest.mark.privileged,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces"),
    pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt to fetch an engine"),
    pytest.mark.skipif(shutil.which("iptables") is None, reason="needs iptables for the engine's bridge"),
]
Seen = dict[str, Any]
REACHED_BY_ALL = ["168.63.129.16:53", "203.0.113.7:80"]
EVERYTHING = ["168.63.129.16:80", "168.63.129.16:32526", "168.63.129.16:443", "169.254.169.254:80", *REACHED_BY_ALL]


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


def test_containers_of_a_stock_engine_reach_the_platform(seen: Seen) -> None:
    assert seen["stock: bridge"] == EVERYTHING


@pytest.mark.parametrize(
    "when", ["bridge", "own", "bridge after a restart", "bridge after rules were lost"], ids=lambda when: when
)
def test_containers_of_ours_reach_name_resolution_alone(seen: Seen, when: str) -> None:
    assert seen[f"ours: {when}"] == REACHED_BY_ALL


def test_the_machine_itself_reaches_the_platform(seen: Seen) -> None:
    assert seen["ours: machine"] == EVERYTHING


def test_lost_rules_come_back_with_the_next_start_and_not_before(seen: Seen) -> None:
    assert seen["rules lost"] == EVERYTHING


def test_neighbours_on_the_default_bridge_hear_each_other_only_when_linked(seen: Seen) -> None:
    assert seen["stock: neighbour"]
    assert not seen["ours: neighbour"]
    assert seen["ours: linked"]


def test_neighbours_on_a_network_of_their_own_hear_each_other(seen: Seen) -> None:
    assert seen["ours: neighbour on an own network"]


def test_the_engine_says_that_it_has_the_safe_defaults(seen: Seen) -> None:
    ours = seen["ours: described"]
    assert seen["suite"] == "bookworm" or "name=no-new-privileges" in ours["security"]  # older ones do not tell
    assert ours["live restore"] is True
    assert ours["log"] == {"Type": "json-file", "Config": {"max-file": "5", "max-size": "10m"}}
    assert ours["proxies"] == 0


def test_a_containers_process_has_no_new_privileges_and_a_profile_of_system_calls(seen: Seen) -> None:
    assert seen["stock: described"]["process"][:2] == ["NoNewPrivs:", "0"]
    assert seen["ours: described"]["process"] == ["NoNewPrivs:", "1", "Seccomp:", "2"]


def test_containers_of_ours_open_no_socket_of_the_kernels_cryptography(seen: Seen) -> None:
    assert seen["stock: sockets"][2] != "EPERM"  # it has one, or the kernel has none
    assert seen["ours: sockets"] == ["open", "open", "EPERM"]


def test_published_ports_are_reached_without_the_proxy(seen: Seen) -> None:
    assert seen["stock: described"]["proxies"] > 0
    assert seen["ours: published"] == [True, True]


def test_the_platforms_own_probe_of_a_container_is_answered(seen: Seen) -> None:
    assert seen["ours: probe"] == "hello"


@pytest.mark.parametrize("member", ["wrong member", "unknown member"])
def test_a_member_that_the_engine_refuses_is_rolled_back(seen: Seen, member: str) -> None:
    message = seen[member]["message"]
    assert message.startswith("PermanentError 53: ")
    assert "is back" in message or "nothing has been changed" in message
    assert seen["configuration kept"]


def test_mirrors_and_labels_are_taken_over_by_the_running_engine(seen: Seen) -> None:
    can_judge = seen["suite"] != "bookworm"
    assert seen["reloaded"]["same_process"] is can_judge
    assert seen["after reload"] == '["https://mirror.invalid/"] ["a=b"]'


def test_the_proxy_arrives(seen: Seen) -> None:
    assert seen["proxy"] == "http://proxy.invalid:3128"


def test_uninstall_leaves_neither_rules_nor_files(seen: Seen) -> None:
    assert seen["left: bridge"] == EVERYTHING
    assert "PLATFORM-GUARD" not in seen["left: rules"]
    assert seen["left: files"] == []

"""The real package in a real handler folder, driven in the agent's way, around a real dockerd; and what goes wrong.

Which rule of the agent's protocol is proved where stands in docs/reference/agent-rules.md.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from dockyard.gallery.archive import handler_archive
from tests.integration.guest.engine_files import engine_of
from tests.integration.guest.life_inside import CERTS, FILES, STATE_FOLDER, STEPS
from tests.integration.guest.namespace import enter

INSIDE = Path(__file__).with_name("life_inside.py")
SILENCE = 1.5
pytestmark = [
    pytest.mark.privileged,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces"),
    pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt to fetch an engine"),
]
Seen = dict[str, Any]


@pytest.fixture(scope="module")
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """What happened inside."""
    engine = engine_of("trixie", cache=Path(request.config.cache.mkdir("engines")))
    scratch = tmp_path_factory.mktemp("life")
    package = scratch / "package.zip"
    package.write_bytes(handler_archive(handler="docker"))
    told: Seen = enter(INSIDE, str(engine), str(package), str(scratch))
    return told


def message(status: Seen) -> str:
    """The main message of a status."""
    text: str = status["formattedMessage"]["message"]
    return text


def part(status: Seen, name: str) -> Seen:
    """One substatus."""
    (found,) = (part for part in status["substatus"] if part["name"] == name)
    return {"status": found["status"], "text": found["formattedMessage"]["message"]}


# ---------------------------------------------------------------- the life cycle


def test_install_then_enable_end_in_a_proven_endpoint(seen: Seen) -> None:
    assert seen["first_time"]["codes"] == [0, 0]
    assert "is ready on TCP port 2376 with mutual TLS." in message(seen["first_time"]["final"])
    assert seen["first_time"]["client"] == 200


def test_a_status_is_there_before_enable_returns(seen: Seen) -> None:
    assert seen["first_time"]["status when enable ended"] == "transitioning"
    assert seen["first_time"]["status file"] == "0o600"


def test_mrseq_lies_in_the_handlers_folder(seen: Seen) -> None:
    assert seen["first_time"]["mrseq"] == "0\n"


def test_enable_again_with_the_same_number_starts_nothing_and_writes_nothing(seen: Seen) -> None:
    assert seen["again"] == {"codes": [0, 0, 0], "status untouched": True, "works started": 0}


@pytest.mark.parametrize("story", ["rotation", "engine_restart", "settings_change", "disable_and_enable"])
def test_a_container_counts_on_through_every_change(seen: Seen, story: str) -> None:
    told = seen[story]
    assert told["pid"] == seen["rotation"]["pid"]
    assert told["restarts"] == 0
    assert told["longest silence"] < SILENCE


def test_rotation_is_new_settings_and_one_restart_of_the_engine(seen: Seen) -> None:
    assert seen["rotation"]["final"]["status"] == "success"
    assert "renewed" in part(seen["rotation"]["final"], "certificates")["text"]
    assert not seen["rotation"]["same engine"]
    assert seen["rotation"]["client"] == 200


def test_changed_settings_reach_the_engine(seen: Seen) -> None:
    assert json.loads(seen["settings_change"]["labels"]) == ["changed=yes"]


def test_disable_closes_the_port_and_enable_with_the_same_number_opens_it(seen: Seen) -> None:
    told = seen["disable_and_enable"]
    assert (told["code"], told["closed"], told["open"]) == (0, 0, 200)


def test_a_number_that_goes_down_is_applied(seen: Seen) -> None:
    told = seen["number_down"]
    assert told["from"] > 0
    assert told["final"]["status"] == "success", message(told["final"])
    assert json.loads(told["labels"]) == ["down=yes"]
    assert told["mrseq"] == "0\n"


def test_the_worker_outlives_the_agents_process_group(seen: Seen) -> None:
    assert seen["agent_restart"]["final"]["status"] == "success"


def test_null_members_and_an_empty_settings_file_close_the_port_and_keep_the_engine(seen: Seen) -> None:
    told = seen["null_members"]
    assert "there is no TCP port" in message(told["nulls"])
    assert "there is no TCP port" in message(told["empty"])
    assert told["client"] == 0
    assert told["again"]["status"] == "success"


@pytest.mark.parametrize("change", ["1.3.0 to 1.4.0", "1.4.0 to 1.3.0"])
def test_a_version_change_either_way_keeps_the_engine_and_its_containers(seen: Seen, change: str) -> None:
    told = seen["versions"][change]
    assert told["codes"] == [0, 0, 0]
    assert (told["closed"], told["final"]["status"], told["client"]) == (0, "success", 200)
    assert told["pid"] == seen["rotation"]["pid"]
    assert told["longest silence"] < SILENCE


def test_the_report_for_support_tells_of_the_engine_and_holds_no_secret(seen: Seen) -> None:
    told = seen["report"]
    assert (told["code"], told["error"]) == (0, "")
    assert "==== dockerd --validate\nexit code 0: configuration OK" in told["text"]
    assert "/etc/docker/cert.pem: subject=CN = renewed; issuer=CN = ca; notBefore=" in told["text"]
    assert "docker.service: loaded, active" in told["text"]
    assert ":2376" in told["text"]
    assert "http_proxy=http://(left out)@proxy password=(left out)" in told["text"]
    assert told["key"] not in told["text"]
    assert "canary-4d2e" not in told["text"]


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize("place", [*(f"step {name}" for name in STEPS), *(f"file {path}" for path in FILES)])
def test_a_worker_killed_anywhere_is_followed_by_one_that_succeeds(seen: Seen, place: str) -> None:
    assert seen["kills"][place] == {"stale": "transitioning", "final": "success", "client": 200}


def test_a_dead_engine_is_noticed_by_a_plain_enable_and_its_containers_live(seen: Seen) -> None:
    told = seen["dead_engine"]
    assert told["final"]["status"] == "success", message(told["final"])
    assert "started" in part(told["final"], "service")["text"]
    assert told["client"] == 200
    assert told["pid"] == seen["rotation"]["pid"]


def test_a_port_in_use_is_named_with_its_holder_and_taken_once_it_is_free(seen: Seen) -> None:
    told = seen["port_conflict"]
    assert told["refused"]["code"] == 53
    assert message(told["refused"]).startswith("Port 2399 is in use by python")
    assert told["same engine"]
    assert told["client"] == 200
    assert told["later"]["status"] == "success"
    assert told["moved"] == 200


def test_an_expired_certificate_is_an_error_and_the_one_before_stays_in_use(seen: Seen) -> None:
    told = seen["expiry"]
    assert told["expired"]["code"] == 53
    assert "`certs.cert` has expired at " in message(told["expired"])
    assert told["kept"] == [True, 200]


def test_a_certificate_that_ends_in_ten_days_is_a_warning(seen: Seen) -> None:
    soon = seen["expiry"]["soon"]
    assert soon["status"] == "success"
    assert part(soon, "certificates")["status"] == "warning"


def test_a_wrong_option_is_told_in_dockerds_words_and_changes_nothing(seen: Seen) -> None:
    told = seen["wrong_option"]
    assert told["refused"]["code"] == 53
    assert "unknown flag: --no-such-option" in message(told["refused"])
    assert told["same engine"]
    assert told["client"] == 200


@pytest.mark.parametrize("folder", [STATE_FOLDER, CERTS])
def test_a_full_disk_is_an_error_that_says_so_and_the_engine_goes_on(seen: Seen, folder: str) -> None:
    told = seen["full_disk"][folder]
    assert told["failed"]["status"] == "error"
    assert "No space left on device" in message(told["failed"])
    assert "Free some space on the disk." in message(told["failed"])
    assert told["kept"][1] == 200
    assert told["later"]["status"] == "success"


def test_enable_on_a_full_disk_tells_the_agent_on_standard_error(seen: Seen) -> None:
    code, error = seen["full_handler_disk"]["at once"]
    assert code != 0
    assert "No space left on device" in error
    assert "Traceback" not in error


def test_a_worker_whose_status_finds_no_room_tells_it_when_there_is_room(seen: Seen) -> None:
    told = seen["full_handler_disk"]
    assert told["meanwhile"] == "transitioning"
    assert told["told"]["status"] == "error"
    assert "No space left on device" in message(told["told"])
    assert told["later"]["status"] == "success"


def test_the_holder_of_the_package_managers_lock_is_named_and_waited_for(seen: Seen) -> None:
    told = seen["package_lock"]
    assert f"(process {told['holder']}) holds /var/lib/dpkg/lock-frontend" in told["said"]
    assert told["final"]["status"] == "success", message(told["final"])
    assert "install" in told["apt"]


def test_uninstall_leaves_none_of_our_files(seen: Seen) -> None:
    assert seen["uninstall"]["codes"] == [0, 0]
    assert seen["uninstall"]["files"] in ([], ["/etc/docker/key.json"])
    assert not seen["uninstall"]["drop-in"]

"""The packaged CustomScript extension, driven in the agent's way, with real processes: what it starts, ends, keeps."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from dockyard.gallery.archive import handler_archive
from tests.integration.guest.namespace import enter

INSIDE = Path(__file__).with_name("scripts_inside.py")
pytestmark = [
    pytest.mark.privileged,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces"),
    pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv to become another user"),
]
Seen = dict[str, Any]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """What happened inside."""
    scratch = tmp_path_factory.mktemp("scripts")
    package = scratch / "package.zip"
    package.write_bytes(handler_archive(handler="custom_script"))
    told: Seen = enter(INSIDE, str(package), str(scratch))
    return told


def message(status: Seen) -> str:
    text: str = status["formattedMessage"]["message"]
    return text


def test_the_output_is_kept_whole_for_root_alone(seen: Seen) -> None:
    told = seen["whole_output"]
    assert told["status"]["status"] == "success"
    assert told["lines"] == [200000, "200000"]
    assert told["modes"] == ["0o600", "0o700"]
    assert message(told["status"]).endswith("199999\n200000\n\n[stderr]\n1\n2\n3\n")
    assert len(message(told["status"])) < 4200


def test_a_command_that_is_killed_by_a_signal_tells_which(seen: Seen) -> None:
    status = seen["failing"]["status"]
    assert status["status"] == "error"
    assert "exit status=143\n[stdout]\n\n[stderr]\nbroken" in message(status)


def test_the_time_limit_ends_grandchildren_in_sessions_of_their_own(seen: Seen) -> None:
    told = seen["grandchildren"]
    assert "did not end within 2 seconds" in message(told["status"])
    assert told["left"] == []


def test_what_a_command_leaves_running_goes_on(seen: Seen) -> None:
    assert seen["background"]["status"]["status"] == "success"
    assert seen["background"]["left"] == ["sleep 2001"]


def test_another_user_has_its_own_folder_and_not_roots_output(seen: Seen) -> None:
    uid, groups, folder, *rest = message(seen["another_user"]["status"]).splitlines()[2:]
    assert (uid, groups) == ("65534", "65534")
    assert folder.startswith("/var/lib/dockyard-custom-script/")
    assert rest[:2] == ["writes", "refused"]


def test_the_same_number_runs_once(seen: Seen) -> None:
    assert seen["again"] == {"codes": [0, 0], "ran": "ran\n", "same": True}


def test_a_protected_command_is_in_no_argument_and_no_log(seen: Seen) -> None:
    told = seen["secret"]
    assert "over" in message(told["status"])
    assert told["seen"] == []
    assert told["logged"]
    assert not any(told["logged"])


def test_a_killed_worker_is_an_error_and_its_script_is_ended(seen: Seen) -> None:
    told = seen["killed_worker"]
    assert told["alive"] == ["sleep 3001"]
    assert (told["code"], told["left"]) == (0, [])
    assert told["status"]["status"] == "error"
    assert message(told["status"]).startswith("CustomScript was interrupted before its end")


def test_a_newer_number_ends_the_older_ones_script(seen: Seen) -> None:
    told = seen["newer"]
    assert (told["older"]["status"], told["newer"]["status"]) == ("error", "success")
    assert "newer command" in message(told["older"])
    assert told["left"] == []


def test_files_are_fetched_from_a_server_that_is_busy_at_first(seen: Seen) -> None:
    told = seen["files"]
    assert "fetched" in message(told["status"])
    assert told["asked"] == 2
    assert "canary" not in str(told)


def test_a_file_of_another_checksum_is_not_used(seen: Seen) -> None:
    refused = seen["files"]["refused"]
    assert (refused["status"], refused["code"]) == ("error", 53)
    assert "setup.sh is not the one that was asked for" in message(refused)


def test_uninstall_takes_everything_away(seen: Seen) -> None:
    assert seen["uninstall"] == {"codes": [0, 0], "left": False}

"""The CustomScript extension on a machine in a folder: each fault known of Azure's own is one of these."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dockyard_contract.status import StatusWord
from dockyard_guest.errors import GuestError, PermanentError, TemporaryError
from dockyard_guest.handlers.custom_script.handler import create
from tests.scenario.kit import KILLED, SECRET, Context, State, folder
from tests.scenario.world import Played

ROOT = "/var/lib/waagent/custom-script"
WORK = f"{ROOT}/download/0"
URL = "https://files.example/tools/setup.sh?sig=canary-4f1d"


@pytest.fixture
def scripts(tmp_path: Path) -> Context:
    root = tmp_path / "machine"
    root.mkdir()
    return Context(root, room="custom_script", create=create)


def asked(public: object = None, protected: object = None, *, number: int = 0, **world: Any) -> State:
    state = State(world=world)
    return state.settings({"commandToExecute": "make"} if public is None else public, protected, number=number)


def run_again(scripts: Context, state: State) -> State:
    """Enable again after a reboot: what is in memory is gone."""
    files = {path: text for path, text in state.files.items() if not path.startswith("/run/")}
    return scripts.enable(replace(state, files=files))


def packed(text: str, *, by_gzip: bool = False) -> str:
    content = text.encode()
    return base64.b64encode(gzip.compress(content) if by_gzip else content).decode()


def test_a_command_is_run_and_its_output_shown_in_azures_form(scripts: Context) -> None:
    out = scripts.enable(asked(played=Played(writes=((0.0, "made\n", "a warning\n"),))))
    assert out.status().status is StatusWord.SUCCESS
    assert out.message() == "Enable succeeded: \n[stdout]\nmade\n\n[stderr]\na warning\n"
    assert out.files[f"{WORK}/.command"] == "make"
    assert f"run /bin/sh {WORK}/.command" in out.events


def test_a_failing_command_is_an_error_with_its_own_words(scripts: Context) -> None:
    out = scripts.enable(asked(played=Played(writes=((0.0, "", "no such target\n"),), code=3)))
    assert out.status().status is StatusWord.ERROR
    assert "command terminated with exit status=3\n[stdout]\n\n[stderr]\nno such target" in out.message()
    assert out.part("script") == (StatusWord.WARNING, "it ended with exit code 3 (0.0 s)")


def test_the_same_number_never_runs_twice(scripts: Context) -> None:
    first = scripts.enable(asked())
    again = run_again(scripts, first)
    assert (again.exit_code, again.events) == (0, ())
    assert again.status() == first.status()


def test_a_second_enable_does_not_put_transitioning_over_a_final_status(scripts: Context) -> None:
    failed = scripts.enable(asked(played=Played(code=1)))
    assert run_again(scripts, failed).status() == failed.status()


def test_another_timestamp_runs_it_again(scripts: Context) -> None:
    first = scripts.enable(asked({"commandToExecute": "make", "timestamp": 1}))
    again = first.settings({"commandToExecute": "make", "timestamp": 2}, number=1)
    assert any(event.startswith("run") for event in scripts.enable(again, number=1).events)


def test_a_reboot_in_the_middle_ends_as_an_error_and_not_as_transitioning(scripts: Context) -> None:
    begun = scripts.run("enable", asked(played=Played(ends=None)))
    dead = begun
    for effect in range(1, 60):
        dead = scripts.run("work", replace(begun, world={**begun.world, "dies_at": effect}))
        if dead.exit_code == KILLED and any(event.startswith("run") for event in dead.events):
            break
    assert dead.status().status is StatusWord.TRANSITIONING
    after = run_again(scripts, dead)
    assert (after.exit_code, after.events) == (0, ())
    assert after.status().status is StatusWord.ERROR
    assert after.message().startswith("CustomScript was interrupted before its end, by a restart of the machine")


def test_a_script_that_outlived_its_killed_worker_is_ended(scripts: Context) -> None:
    begun = scripts.run("enable", asked(played=Played(ends=None)))
    dead = begun
    for effect in range(1, 60):
        dead = scripts.run("work", replace(begun, world={**begun.world, "dies_at": effect}))
        if dead.exit_code == KILLED and "/run/dockyard-custom_script/running" in dead.files:
            break
    assert "end the script" in scripts.run("work", dead).events


def test_a_command_that_does_not_end_is_killed_at_its_limit(scripts: Context) -> None:
    slow = Played(writes=((1.0, "begun\n", ""),), ends=None)
    out = scripts.enable(asked({"commandToExecute": "make", "timeoutInSeconds": 60}, played=slow))
    assert "end the script" in out.events
    assert out.message().startswith(
        "Enable failed: command did not end within 60 seconds; it was killed with all it had started\n[stdout]\nbegun"
    )


def test_a_newer_number_ends_the_script_of_the_older(scripts: Context) -> None:
    begun = scripts.run("enable", asked(played=Played(ends=None)))
    newer = {"/run/dockyard-custom_script/intent": "enable of version 1.3.0, sequence number 1"}
    out = scripts.run("work", replace(begun, arrivals={5.0: newer}))
    assert "end the script" in out.events
    assert "newer command" in out.message()


def test_the_output_is_kept_whole_for_root_and_shown_by_its_end(scripts: Context) -> None:
    text = "".join(f"line {number}\n" for number in range(2000))
    out = scripts.enable(asked(played=Played(writes=((0.0, text, ""),))))
    assert out.files[f"{WORK}/stdout"] == text
    assert out.modes[f"{WORK}/stdout"] == 0o600
    shown = out.message().partition("[stdout]\n")[2].partition("\n[stderr]")[0]
    assert text.endswith(shown)
    assert 4000 < len(shown) <= 4096


def test_the_status_shows_the_output_while_the_command_runs(scripts: Context) -> None:
    slow = Played(writes=((1.0, "half\n", ""),), ends=None)
    begun = scripts.run("enable", asked(played=slow))
    newer = {"/run/dockyard-custom_script/intent": "x"}
    seen: list[str] = []
    for moment in (0.5, 3.0):
        out = scripts.run("work", replace(begun, arrivals={moment: newer}, world={**begun.world}))
        seen.append(out.files[f"{WORK}/stdout"])
    assert seen == ["", "half\n"]


@pytest.mark.parametrize("by_gzip", [False, True])
def test_a_script_is_unpacked_and_run(scripts: Context, by_gzip: bool) -> None:
    out = scripts.enable(asked({"script": packed("#!/bin/sh\r\necho hi\r\n", by_gzip=by_gzip)}))
    assert out.files[f"{WORK}/script.sh"] == "#!/bin/sh\necho hi\n"
    assert f"run {WORK}/script.sh" in out.events


def test_line_ends_stay_when_asked(scripts: Context) -> None:
    out = scripts.enable(asked({"script": packed("#!/bin/sh\r\n"), "skipDos2Unix": True}))
    assert "\r" in Path(f"{scripts.root}{WORK}/script.sh").read_bytes().decode()
    assert out.status().status is StatusWord.SUCCESS


@pytest.mark.parametrize(
    "script", ["%%%", packed("x")[:-1], base64.b64encode(b"\x1f\x8bbroken").decode(), "A" * 262148]
)
def test_a_script_that_cannot_be_read_is_an_error(scripts: Context, script: str) -> None:
    out = scripts.enable(asked({"script": script}))
    assert (out.exit_code, out.status().status) == (53, StatusWord.ERROR)
    assert "publicSettings.script" in out.message()


@pytest.mark.parametrize(
    ("public", "protected", "told"),
    [
        ({}, None, "Exactly one of `commandToExecute` and `script` is needed."),
        ({"commandToExecute": "x", "script": packed("x")}, None, "Exactly one of"),
        ({"commandToExecute": "x"}, {"commandToExecute": "y"}, "`commandToExecute` stands in the public and in the"),
        ({"commandToExecute": "x", "fileUris": []}, {"fileUris": []}, "`fileUris` stands in the public and in the"),
        ({"commandToExecute": "x", "comandToExecute": "y"}, None, "comandToExecute: expected one of commandToExecute"),
        ({"commandToExecute": "x"}, {"managedIdentity": {}}, "`managedIdentity` is not supported here"),
        (
            {"commandToExecute": "x"},
            {"storageAccountName": "a", "storageAccountKey": "b"},
            "`storageAccountName` is not",
        ),
        ({"commandToExecute": "x", "skipDos2Unix": "true"}, None, "skipDos2Unix: expected true or false"),
        ({"commandToExecute": "x", "timeoutInSeconds": 0}, None, "timeoutInSeconds: expected 1 to 2592000"),
        ({"commandToExecute": "x", "fileUris": ["file:///etc/shadow"]}, None, "expected an http or https address"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(
    scripts: Context, public: object, protected: object, told: str
) -> None:
    out = scripts.enable(asked(public, protected))
    assert (out.exit_code, out.status().status) == (53, StatusWord.ERROR)
    assert told in out.message()
    assert not any(event.startswith("run") for event in out.events)


def test_a_protected_command_is_seen_nowhere(scripts: Context) -> None:
    out = scripts.enable(asked({}, {"commandToExecute": f"login {SECRET}"}))
    assert out.status().status is StatusWord.SUCCESS
    told = [text for path, text in out.files.items() if not path.startswith(ROOT)]
    assert not any(SECRET in text for text in [*told, *out.events, json.dumps(out.message())])


def test_files_are_fetched_before_the_command_runs(scripts: Context) -> None:
    wanted = {"commandToExecute": "./setup.sh", "fileUris": [URL]}
    out = scripts.enable(asked(wanted, fetched={URL: [b"#!/bin/sh\r\nmake\r\n"]}))
    assert out.files[f"{WORK}/setup.sh"] == "#!/bin/sh\nmake\n"
    assert [event.split()[0] for event in out.events] == ["start", "fetch", "run"]
    assert "canary" not in out.message() + out.part("files")[1]


def test_two_files_of_one_name_are_refused_by_name(scripts: Context) -> None:
    uris = ["https://one.example/a/setup.sh", "https://two.example/b/setup.sh"]
    out = scripts.enable(asked({"commandToExecute": "x", "fileUris": uris}))
    assert out.exit_code == 53
    assert "Two files would be called 'setup.sh'" in out.message()


@pytest.mark.parametrize("url", ["https://a.example/", "https://a.example/..", "https://a.example/%2e%2e%2fpasswd"])
def test_an_address_without_a_plain_name_is_refused(scripts: Context, url: str) -> None:
    out = scripts.enable(asked({"commandToExecute": "x", "fileUris": [url]}))
    assert (out.exit_code, "file's name" in out.message()) == (53, True)


def test_a_server_that_is_busy_is_asked_again_with_growing_pauses(scripts: Context) -> None:
    busy: list[bytes | GuestError] = [TemporaryError("The server answers 503.") for _ in range(3)]
    out = scripts.enable(asked({"commandToExecute": "x", "fileUris": [URL]}, fetched={URL: [*busy, b"late"]}))
    assert out.status().status is StatusWord.SUCCESS
    assert out.files[f"{WORK}/setup.sh"] == "late"
    assert out.part("files")[1].endswith("(21.0 s)")


def test_a_file_that_is_never_to_be_had_is_an_error_after_seven_tries(scripts: Context) -> None:
    busy: list[bytes | GuestError] = [TemporaryError("The server answers 503.")]
    out = scripts.enable(asked({"commandToExecute": "x", "fileUris": [URL]}, fetched={URL: busy}))
    assert out.status().status is StatusWord.ERROR
    assert len([event for event in out.events if event.startswith("fetch")]) == 7


def test_a_file_that_is_refused_is_an_error_at_once(scripts: Context) -> None:
    gone: list[bytes | GuestError] = [PermanentError("The server answers 404.")]
    out = scripts.enable(asked({"commandToExecute": "x", "fileUris": [URL]}, fetched={URL: gone}))
    assert out.message().startswith("The server answers 404.")


def test_a_file_of_another_checksum_is_refused(scripts: Context) -> None:
    wanted = {"commandToExecute": "x", "fileUris": [URL], "sha256": {"setup.sh": "0" * 64}}
    out = scripts.enable(asked(wanted, fetched={URL: [b"other"]}))
    assert "setup.sh is not the one that was asked for" in out.message()
    assert not any(event.startswith("run") for event in out.events)


def test_files_come_by_the_proxy(scripts: Context) -> None:
    wanted = {"commandToExecute": "x", "fileUris": [URL], "proxy": "http://proxy.example:3128"}
    out = scripts.enable(asked(wanted, fetched={URL: [b"text"]}))
    assert f"fetch {URL} by http://proxy.example:3128" in out.events


def test_a_user_gets_a_folder_of_its_own_and_no_rights_besides(scripts: Context) -> None:
    out = scripts.enable(asked({"commandToExecute": "id", "runAsUser": "bob"}, users={"bob": 1000}))
    assert "give /var/lib/dockyard-custom-script/0 to bob" in out.events
    assert "run /bin/sh /var/lib/dockyard-custom-script/0/.command" in out.events
    assert out.files[f"{WORK}/stdout"] == ""


def test_a_user_who_is_not_there_is_named(scripts: Context) -> None:
    out = scripts.enable(asked({"commandToExecute": "id", "runAsUser": "bob"}))
    assert "There is no user 'bob' on this machine." in out.message()


def test_uninstall_takes_its_data_away(scripts: Context) -> None:
    first = scripts.enable(asked())
    gone = scripts.run("uninstall", first)
    assert (gone.exit_code, [path for path in gone.files if path.startswith(ROOT)]) == (0, [])


def test_an_update_keeps_the_data_when_the_old_version_is_uninstalled(scripts: Context) -> None:
    first = scripts.enable(asked(played=Played(writes=((0.0, "made\n", ""),))))
    handed = scripts.run("update", scripts.run("disable", first), version="1.4.0", target="1.4.0")
    after = scripts.run("uninstall", handed)
    assert after.files[f"{WORK}/stdout"] == "made\n"
    assert f"{folder()}/mrseq" in after.files


def test_folders_of_numbers_long_gone_do_not_pile_up(scripts: Context) -> None:
    state = asked()
    for number in range(6):
        state = scripts.enable(state.settings({"commandToExecute": f"make {number}"}, number=number), number=number)
    kept = {path.split("/")[6] for path in state.files if path.startswith(f"{ROOT}/download/")}
    assert kept == {"3", "4", "5"}


def test_the_log_has_nothing_of_the_output(scripts: Context) -> None:
    out = scripts.enable(asked(played=Played(writes=((0.0, SECRET, SECRET),))))
    logs = [text for path, text in out.files.items() if path.startswith("/var/log/")]
    assert logs
    assert not any(SECRET in text for text in logs)

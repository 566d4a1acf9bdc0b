"""The agent repeats enable after every restart and boot: nothing is touched without need, nothing left unfinished."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dockyard_contract.status import StatusWord
from tests.scenario.kit import CERTS, LOG, Context, State, folder, machine_with_running_engine

REMOTE = {"docker": {"port": 2376}}
INTENT = "/run/dockyard-docker/intent"
LOCK = "/run/dockyard-docker/lock"
WORK_LOCK = f"{folder()}/0.settings.lock"


def remote(number: int = 0) -> State:
    return machine_with_running_engine().settings(REMOTE, {"certs": CERTS}, number=number)


def test_the_same_number_again_touches_nothing(context: Context) -> None:
    first = context.enable(remote())
    again = context.enable(first)
    assert again.exit_code == 0
    assert again.events == ()
    assert again.files == first.files


def test_the_same_number_after_a_reboot_touches_nothing(context: Context) -> None:
    first = context.enable(remote())
    rebooted = first.file(INTENT, None).file(LOCK, None)
    again = context.enable(rebooted)
    assert again.events == ()
    assert again.files == rebooted.files


@pytest.mark.parametrize("path", ["/etc/docker/daemon.json", "/etc/docker/key.pem", f"{folder()}/status/0.status"])
def test_the_same_number_puts_back_what_somebody_took_away(context: Context, path: str) -> None:
    first = context.enable(remote())
    again = context.enable(first.file(path, None))
    assert again.status().status is StatusWord.SUCCESS
    assert path in again.files


def test_a_changed_mode_of_the_key_is_put_right_without_a_restart(context: Context) -> None:
    first = context.enable(remote())
    loose = replace(first, modes={**first.modes, "/etc/docker/key.pem": 0o644})
    again = context.enable(loose)
    assert again.modes["/etc/docker/key.pem"] == 0o400
    assert "restart docker.service" not in again.events


def test_work_that_finds_nothing_to_change_restarts_nothing(context: Context) -> None:
    first = context.enable(remote())
    again = context.run("work", first)
    assert again.events == ()
    assert again.status().status is StatusWord.SUCCESS


def test_enable_leaves_work_that_is_alive_alone(context: Context) -> None:
    begun = context.run("enable", remote())
    again = context.run("enable", replace(begun, held_locks=(WORK_LOCK,)))
    assert again.exit_code == 0
    assert again.events == ()
    assert again.status() == begun.status()


def test_enable_starts_work_again_that_a_crash_or_reboot_has_ended(context: Context) -> None:
    begun = context.run("enable", remote())
    again = context.run("enable", begun.file(INTENT, None))
    assert again.events == ("start the work for 0",)


def test_a_failed_number_is_tried_again(context: Context) -> None:
    failed = context.enable(remote().file("/etc/docker/daemon.json", "{"))
    assert failed.status().status is StatusWord.ERROR
    again = context.enable(failed.file("/etc/docker/daemon.json", None))
    assert again.status().status is StatusWord.SUCCESS


def test_a_lower_number_than_before_is_applied(context: Context) -> None:
    first = context.enable(remote(number=7), number=7)
    out = context.enable(first.settings({"docker": {"port": 2400}}, {"certs": CERTS}, number=2), number=2)
    assert out.running is not None
    assert out.running.port == 2400
    assert out.files[f"{folder()}/mrseq"] == "2\n"


def test_work_that_is_older_than_what_is_wanted_gives_up(context: Context) -> None:
    older = context.run("enable", remote())
    newer = context.run("enable", older.settings({}, number=1), number=1)
    out = context.run("work", newer, number=0)
    assert out.status(0).status is StatusWord.ERROR
    assert "newer command: enable of version 1.3.0, sequence number 1" in out.message(0)
    assert out.events == ()


def test_work_gives_up_at_a_step_when_something_newer_is_wanted(context: Context) -> None:
    begun = context.run("enable", remote())
    wanted = {1.0: {INTENT: "disable of version 1.3.0"}}
    out = context.run("work", replace(begun, held_locks=(LOCK,), arrivals=wanted))
    assert out.status().status is StatusWord.ERROR
    assert "disable" in out.message()


def test_work_that_finds_an_interrupted_change_restarts_the_engine(context: Context) -> None:
    first = context.enable(remote())
    out = context.run("work", first.file("/var/lib/dockyard-docker/last-good.json", "[]"))
    assert out.events.count("restart docker.service") == 1
    assert "/var/lib/dockyard-docker/last-good.json" not in out.files


def test_an_interrupted_installation_is_finished_and_its_packages_are_remembered(context: Context) -> None:
    record = '{"owner": "1.3.0", "packagesBefore": ["base-files"]}'
    half = replace(remote(), packages=frozenset({"base-files", "docker.io"}))
    out = context.enable(half.file("/var/lib/dockyard-docker/record.json", record))
    assert '"docker.io"' in out.files["/var/lib/dockyard-docker/record.json"]


def test_a_good_run_leaves_no_complaint_in_the_log(context: Context) -> None:
    log = context.enable(remote()).files[LOG]
    assert "Traceback" not in log
    assert "fault" not in log

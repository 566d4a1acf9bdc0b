"""Disable, update and uninstall: what is closed, what is kept, and who is in charge during a version change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dockyard_contract.status import StatusWord
from tests.scenario.kit import CERTS, Context, State, folder, machine_with_engine, machine_with_running_engine

DROP_IN = "/etc/systemd/system/docker.service.d/10-docker-extension.conf"
REMOTE = {"docker": {"port": 2376}}


def remote(state: State, number: int = 0, version: str = "1.3.0") -> State:
    return state.settings(REMOTE, {"certs": CERTS}, number=number, version=version)


def test_disable_closes_the_port_and_leaves_the_engine_running(context: Context) -> None:
    enabled = context.enable(remote(machine_with_running_engine()))
    out = context.run("disable", enabled)
    assert out.exit_code == 0
    assert out.running is not None
    assert out.running.port is None
    assert out.running.config["live-restore"] is True


def test_disable_keeps_the_users_options_but_not_his_remote_hosts(context: Context) -> None:
    public = {"docker": {"port": 2376, "options": ["--data-root=/mnt/docker", "-D -H tcp://10.0.0.4:2380"]}}
    enabled = context.enable(machine_with_running_engine().settings(public, {"certs": CERTS}))
    out = context.run("disable", enabled)
    assert out.running is not None
    assert out.running.arguments[-2:] == ("--data-root=/mnt/docker", "-D")


def test_enable_after_disable_opens_the_port_again_for_the_same_number(context: Context) -> None:
    disabled = context.run("disable", context.enable(remote(machine_with_running_engine())))
    out = context.enable(disabled)
    assert out.running is not None
    assert out.running.port == 2376
    assert out.status().status is StatusWord.SUCCESS


def test_disable_twice_restarts_once(context: Context) -> None:
    disabled = context.run("disable", context.enable(remote(machine_with_running_engine())))
    out = context.run("disable", disabled)
    assert out.exit_code == 0
    assert out.events == ()


@pytest.mark.parametrize("verb", ["disable", "update", "uninstall"])
def test_commands_on_a_machine_that_was_never_enabled_do_nothing(context: Context, verb: str) -> None:
    out = context.run(verb, State())
    assert out.exit_code == 0
    assert out.events == ()


@pytest.mark.parametrize("verb", ["disable", "uninstall"])
def test_commands_for_a_number_without_settings_do_not_fail(context: Context, verb: str) -> None:
    enabled = context.enable(remote(machine_with_running_engine()))
    out = context.run(verb, enabled, number=9)
    assert out.exit_code == 0
    assert f"{folder()}/status/9.status" not in out.files


def test_uninstall_removes_the_engine_it_brought_and_nothing_else(context: Context) -> None:
    before = replace(remote(State()), packages=frozenset({"base-files", "apparmor"}))
    out = context.run("uninstall", context.enable(before))
    assert out.exit_code == 0
    assert out.packages == {"base-files", "apparmor"}


def test_uninstall_leaves_no_container_without_an_engine(context: Context) -> None:
    enabled = replace(context.enable(remote(State())), containers=2)
    out = context.run("uninstall", enabled)
    assert out.containers == 0
    assert "/etc/docker/daemon.json" not in out.files


@pytest.mark.parametrize("verb", ["disable", "uninstall"])
def test_containers_of_an_engine_that_stays_are_not_stopped(context: Context, verb: str) -> None:
    enabled = replace(context.enable(remote(machine_with_running_engine())), containers=2)
    out = context.run(verb, enabled)
    assert out.containers == 2
    assert out.running is not None
    assert out.running.port is None


def test_a_change_of_the_port_does_not_stop_containers(context: Context) -> None:
    enabled = replace(context.enable(remote(machine_with_running_engine())), containers=2)
    public = {"docker": {"port": 2377}}
    assert context.enable(enabled.settings(public, {"certs": CERTS}, number=1), number=1).containers == 2


def test_uninstall_leaves_an_engine_that_was_there_before(context: Context) -> None:
    before = machine_with_running_engine()
    out = context.run("uninstall", context.enable(remote(before)))
    assert out.packages == before.packages
    assert out.running is not None
    assert out.running.port is None


def test_uninstall_takes_back_files_and_members_but_not_the_users_own(context: Context) -> None:
    mine = machine_with_engine().file("/etc/docker/daemon.json", '{"mtu": 1400}')
    data = mine.file("/var/lib/docker/volumes/v/_data/x", "kept")
    out = context.run("uninstall", context.enable(remote(data)))
    assert out.daemon_config() == {"mtu": 1400}
    assert out.files["/var/lib/docker/volumes/v/_data/x"] == "kept"
    assert not [path for path in out.files if "dockyard-docker/" in path and path.startswith("/var")]
    assert not [path for path in out.files if path.endswith(".pem") or path == DROP_IN]


def test_uninstall_twice_is_no_failure(context: Context) -> None:
    gone = context.run("uninstall", context.enable(remote(machine_with_running_engine())))
    assert context.run("uninstall", gone).exit_code == 0


def test_a_version_change_in_the_agents_order_keeps_the_engine(context: Context) -> None:
    state = context.enable(remote(State()))
    for verb, version in (("disable", "1.3.0"), ("update", "1.4.0"), ("uninstall", "1.3.0")):
        state = context.run(verb, state, number=1, version=version, target="1.4.0")
        assert state.exit_code == 0
    assert "docker.io" in state.packages
    out = context.enable(remote(state, number=1, version="1.4.0"), number=1, version="1.4.0")
    assert out.status(1, version="1.4.0").status is StatusWord.SUCCESS
    assert out.running is not None
    assert out.running.port == 2376


def test_on_the_way_down_the_newer_version_hands_over_to_the_older(context: Context) -> None:
    state = context.enable(remote(State(), version="1.4.0"), version="1.4.0")
    for verb, version in (("disable", "1.4.0"), ("update", "1.4.0"), ("uninstall", "1.4.0")):
        state = context.run(verb, state, number=1, version=version, target="1.3.0")
    assert "docker.io" in state.packages
    out = context.enable(remote(state, number=1), number=1)
    assert "docker.io" not in context.run("uninstall", out, number=1).packages


def test_disable_waits_for_work_that_is_under_way(context: Context) -> None:
    enabled = context.enable(remote(machine_with_running_engine()))
    out = context.run("disable", replace(enabled, held_locks=("/run/dockyard-docker/lock",)))
    assert out.exit_code == 1
    assert "restart docker.service" not in out.events

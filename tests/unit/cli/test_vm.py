"""``vm`` beyond creation: looking, power, entering, deleting."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dockyard.config import Paths
from tests.unit.cli.conftest import Cli
from tests.unit.client.arm_stub import ArmStub
from tests.unit.client.programs import install


def test_list_shows_state_endpoint_and_days_left(cli: Cli, arm: ArmStub) -> None:
    cli("vm", "create", "web")
    arm.add_machine("db").power = "stopped"
    header, db, web = cli("vm", "list").out.splitlines()
    assert header.split() == ["NAME", "GROUP", "STATE", "DOCKER", "ENDPOINT", "SSH", "IMAGE", "SIZE", "CERTIFICATES"]
    assert db.split()[:4] == ["db", "dockyard", "stopped", "-"]
    assert web.split()[2:4] == ["running", "ready"]
    assert web.endswith("364 days")


def test_list_has_forms_for_programs(cli: Cli, arm: ArmStub) -> None:
    arm.add_machine("b")
    arm.add_machine("a")
    assert cli("vm", "list", "-q").out == "a\nb\n"
    assert [line.split("\t")[0] for line in cli("vm", "list", "-o", "tsv").out.splitlines()] == ["a", "b"]
    assert [machine["name"] for machine in json.loads(cli("vm", "list", "-o", "json").out)] == ["a", "b"]


def test_list_of_nothing_is_an_empty_list(cli: Cli, arm: ArmStub) -> None:
    assert json.loads(cli("vm", "list", "-o", "json").out) == []
    assert cli("vm", "list", "-q").out == ""


def test_show_json_is_the_document_with_what_the_agent_reported(cli: Cli, arm: ArmStub) -> None:
    cli("vm", "create", "web")
    document = json.loads(cli("vm", "show", "web", "--output", "json").out)
    (docker,) = document["properties"]["instanceView"]["extensions"]
    assert docker["substatuses"] == [{"code": "ComponentStatus/engine/succeeded", "message": "docker 28"}]


def test_show_is_a_summary_for_people(cli: Cli, arm: ArmStub) -> None:
    cli("vm", "create", "web")
    out = cli("vm", "show", "web").out
    for name, value in {"State": "running", "Agent": "Ready", "Certificates": "364 days left"}.items():
        assert any(line.split()[0] == name and line.endswith(value) for line in out.splitlines()), out
    assert "engine: done docker 28" in out


@pytest.mark.parametrize(
    "verb", ["show", "start", "stop", "restart", "deallocate", "redeploy", "console", "wait", "ssh", "delete"]
)
def test_unknown_machine_is_not_found(cli: Cli, arm: ArmStub, verb: str) -> None:
    done = cli("vm", verb, "nope", *(["--yes"] if verb == "delete" else []))
    assert done.code == 3
    assert "no virtual machine 'nope'" in done.err


def test_power_verbs_end_when_the_operation_has(cli: Cli, arm: ArmStub) -> None:
    arm.add_machine("web")
    verbs = {"stop": "stopped", "start": "running", "restart": "running", "deallocate": "deallocated"}
    for verb, power in (*verbs.items(), ("redeploy", "running")):
        done = cli("vm", verb, "web")
        assert (done.code, arm.machines["web"].power) == (0, power)
        assert done.out == ""
        assert ("Shutdown: done" if verb in ("stop", "deallocate") else "Guest agent: done") in done.err


def test_resize_keeps_what_is_not_named(cli: Cli, arm: ArmStub) -> None:
    cli("vm", "create", "web", "--no-docker", "--cpus", "2", "--memory", "1G")
    done = cli("vm", "resize", "web", "--memory", "4G")
    assert done.code == 0, done.err
    assert arm.sent("PATCH", "/virtualMachines/web")["properties"]["hardwareProfile"] == {"vmSize": "Dockyard_C2_M4096"}
    assert cli("vm", "resize", "web", "--size", "Standard_B2s").code == 0
    assert "Standard_B2s" in cli("vm", "show", "web").out


@pytest.mark.parametrize("words", [(), ("--size", "Standard_B2s", "--cpus", "2"), ("--size", "Standard_Nonsense")])
def test_resize_refuses_what_means_nothing(cli: Cli, arm: ArmStub, words: tuple[str, ...]) -> None:
    arm.add_machine("web")
    assert cli("vm", "resize", "web", *words).code == 2
    assert not any(method == "PATCH" for method, _, _ in arm.requests)


def test_console_is_printed_without_control_characters(cli: Cli, arm: ArmStub) -> None:
    arm.add_machine("web")
    assert cli("vm", "console", "web").out == "booting\nlogin:\n"
    assert cli("vm", "console", "web", "--lines", "1").out == "login:\n"


def test_ssh_becomes_ssh_and_passes_its_exit_code_on(arm: ArmStub, programs: Path, paths: Paths) -> None:
    arm.add_machine("web")
    install(programs, "ssh", '#!/bin/sh\nprintf "%s\\n" "$@"\nexit 42\n')
    argv = [sys.executable, "-m", "dockyard.cli", "vm", "ssh", "web", "--", "docker", "ps", "-a"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 42, done.stderr
    assert done.stdout.splitlines()[-4:] == ["dockyard@127.0.0.1", "docker", "ps", "-a"]


def test_ssh_that_is_missing_is_a_lack_of_the_host(cli: Cli, arm: ArmStub) -> None:
    arm.add_machine("web")
    done = cli("vm", "ssh", "web")
    assert done.code == 5
    assert "dockyard doctor" in done.err


def test_delete_takes_everything_that_belongs_to_the_machine(
    cli: Cli, arm: ArmStub, paths: Paths, tmp_path: Path
) -> None:
    cli("vm", "create", "web")
    known = paths.data / "ssh/known_hosts" / arm.machines["web"].document["properties"]["vmId"]
    known.parent.mkdir(parents=True, exist_ok=True)
    known.write_text("key")
    context = tmp_path / "docker/fake/dockyard-web"
    assert context.exists()
    done = cli("vm", "delete", "web", "--yes")
    assert done.code == 0, done.err
    assert arm.machines == {}
    assert not any(path.exists() for path in (known, context, paths.data / "certs/web"))
    assert (paths.data / "certs/ca.pem").exists()


def test_delete_without_yes_and_without_a_terminal_is_refused(cli: Cli, arm: ArmStub) -> None:
    arm.add_machine("web")
    done = cli("vm", "delete", "web")
    assert done.code == 2
    assert "needs --yes" in done.err
    assert "web" in arm.machines


def test_delete_of_several_checks_all_names_first(cli: Cli, arm: ArmStub) -> None:
    arm.add_machine("web")
    assert cli("vm", "delete", "web", "nope", "--yes").code == 3
    assert "web" in arm.machines


def test_delete_all_means_all_of_the_group(cli: Cli, arm: ArmStub) -> None:
    for name in ("a", "b"):
        arm.add_machine(name)
    assert cli("vm", "delete", "--all", "--yes").code == 0
    assert arm.machines == {}
    assert cli("vm", "delete", "--all", "--yes").code == 0


@pytest.mark.parametrize("arguments", [[], ["web", "--all"]])
def test_delete_wants_names_or_all(cli: Cli, arm: ArmStub, arguments: list[str]) -> None:
    arm.add_machine("web")
    assert cli("vm", "delete", *arguments, "--yes").code == 2
    assert "web" in arm.machines


def test_leftovers_of_a_machine_that_is_gone_are_removed(cli: Cli, arm: ArmStub, paths: Paths) -> None:
    cli("vm", "create", "web")
    arm.machines.pop("web").end()
    assert cli("vm", "delete", "web", "--yes").code == 0
    assert not (paths.data / "certs/web").exists()


def test_wait_for_deletion_ends_when_the_machine_is_gone(cli: Cli, arm: ArmStub) -> None:
    assert cli("vm", "wait", "web", "--deleted").code == 0
    arm.add_machine("web")
    assert cli("vm", "wait", "web", "--deleted", "--timeout", "1").code == 6


def test_group_may_come_from_the_environment(cli: Cli, arm: ArmStub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKYARD_RESOURCE_GROUP", "team")
    cli("vm", "create", "web", "--no-docker")
    assert "/resourceGroups/team/" in arm.machines["web"].document["id"]

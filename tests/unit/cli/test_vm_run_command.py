"""``vm run-command``: what is sent, what is printed while a script writes, and the exit code at its end."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import Cli
from tests.unit.client.arm_stub import ArmStub

INVOKE = ("vm", "run-command", "invoke", "web")


@pytest.fixture(autouse=True)
def machine(arm: ArmStub) -> None:
    arm.add_machine("web")


def view(state: str = "Running", *, output: str = "", offset: int = 0, **more: Any) -> dict[str, Any]:
    return {"executionState": state, "exitCode": 0, "output": output, "outputOffset": offset, **more}


def sent(arm: ArmStub) -> dict[str, Any]:
    bodies = [body for method, path, body in arm.requests if method == "PUT" and "/runCommands/" in path]
    properties: dict[str, Any] = bodies[-1]["properties"]
    return properties


def test_output_is_printed_once_and_whole_while_it_grows(cli: Cli, arm: ArmStub) -> None:
    arm.patience = 100_000  # the operation outlasts the script, as a server's does
    arm.run_views = [
        view("Pending"),
        view(output="one\ntw"),
        view(output="one\ntwo\nthr", error="o"),
        view(output="three\n", offset=8, error="oh\n"),
        view("Succeeded", output="three\nfour\n", offset=8, error="oh\n"),
    ]
    done = cli(*INVOKE, "--script", "x")
    assert (done.code, done.out, done.err) == (0, "one\ntwo\nthree\nfour\n", "oh\n")


def test_what_was_written_too_fast_is_counted(cli: Cli, arm: ArmStub) -> None:
    arm.patience = 100_000
    arm.run_views = [view(output="one\n"), view("Succeeded", output="nine\n", offset=104)]
    done = cli(*INVOKE, "--script", "x")
    assert done.out == "one\nnine\n"
    assert "100 characters of the output came too fast" in done.err


def test_the_scripts_exit_code_is_passed_on_and_the_run_command_goes(cli: Cli, arm: ArmStub) -> None:
    arm.run_views = [view("Failed", exitCode=42)]
    assert cli(*INVOKE, "--script", "exit 42").code == 42
    assert arm.machines["web"].run_commands == {}


def test_a_script_killed_at_its_limit_is_exit_code_6(cli: Cli, arm: ArmStub) -> None:
    arm.run_views = [view("TimedOut", exitCode=-1)]
    done = cli(*INVOKE, "--script", "x", "--timeout", "5")
    assert done.code == 6
    assert "did not end within 5 s" in done.err


def test_what_kept_a_script_from_running_is_told(cli: Cli, arm: ArmStub) -> None:
    arm.run_views = [view("Pending")]
    arm.extension_failure = ("VMExtensionProvisioningError", "There is no user 'bob' on this machine.")
    done = cli(*INVOKE, "--script", "x", "--run-as", "bob")
    assert done.code == 1
    assert "no user 'bob'" in done.err


def test_parameters_are_variables_or_arguments(cli: Cli, arm: ArmStub, tmp_path: Path) -> None:
    script, secret = tmp_path / "check.sh", tmp_path / "key"
    script.write_text("echo $LEVEL $1\n")
    secret.write_text("hush\n")
    words = ("-p", "LEVEL=2", "-p", "/var/lib", "-p", "a b=c", "--protected-parameters", f"KEY=@{secret}")
    done = cli(*INVOKE, "--script", f"@{script}", *words)
    assert done.code == 0, done.err
    assert sent(arm)["source"] == {"script": "echo $LEVEL $1\n"}
    assert sent(arm)["parameters"] == [{"name": "LEVEL", "value": "2"}, {"value": "/var/lib"}, {"value": "a b=c"}]
    assert sent(arm)["protectedParameters"] == [{"name": "KEY", "value": "hush"}]
    assert "hush" not in done.out + done.err


def test_a_script_may_come_from_standard_input(cli: Cli, arm: ArmStub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("uptime\n"))
    assert cli(*INVOKE, "--script", "-").code == 0
    assert sent(arm)["source"] == {"script": "uptime\n"}


@pytest.mark.parametrize(
    "words",
    [
        ("--script", " \n"),
        ("--script", "@/nowhere"),
        ("--script", "x", "--protected-parameters", "hush"),
        ("--script", "x", "--timeout", "0"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(cli: Cli, arm: ArmStub, words: tuple[str, ...]) -> None:
    done = cli(*INVOKE, *words)
    assert done.code == 2
    assert arm.requests == []
    assert "hush" not in done.err


def test_create_list_show_and_delete(cli: Cli, arm: ArmStub) -> None:
    arm.run_views = [view("Failed", output="made\n", error="oh\n", exitCode=3, executionMessage="It failed.")]
    words = ("vm", "run-command", "create", "web", "--name", "check", "--script", "x", "--async", "--fail-on-error")
    done = cli(*words)
    assert done.code == 0, done.err
    assert (sent(arm)["asyncExecution"], sent(arm)["treatFailureAsDeploymentFailure"]) == (True, True)
    assert cli("vm", "run-command", "list", "web", "-q").out == "check\n"
    shown = cli("vm", "run-command", "show", "web", "check")
    assert all(text in shown.out for text in ("failed", "3", "It failed.", "made", "oh"))
    document = json.loads(cli("vm", "run-command", "show", "web", "check", "-o", "json").out)
    assert document["properties"]["instanceView"]["output"] == "made\n"
    assert cli("vm", "run-command", "show", "web", "check", "-o", "tsv").out == "check\tfailed\t3\tIt failed.\n"
    assert cli("vm", "run-command", "delete", "web", "check").code == 0
    assert cli("vm", "run-command", "delete", "web", "check").code == 3


def test_output_for_a_person_has_no_escape_sequences(cli: Cli, arm: ArmStub, monkeypatch: pytest.MonkeyPatch) -> None:
    arm.run_views = [view("Succeeded", output="\x1b[31mred\x1b[0m\n")]
    assert cli(*INVOKE, "--script", "x").out == "\x1b[31mred\x1b[0m\n"
    assert "\x1b" not in cli("vm", "run-command", "show", "web", "x").out

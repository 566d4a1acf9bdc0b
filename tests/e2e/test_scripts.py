"""Scripts under the real agent: CustomScript once and never twice, run commands beside each other, output as it comes.

Sits on the second machine of the other tests, and leaves none of its extensions there.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import PROGRAM, Home

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900), pytest.mark.xdist_group("two")]
PUBLISHER = "Microsoft.Azure.Extensions"
TYPE = "CustomScript"
SLOW = "for n in 1 2 3 4; do echo line $n; sleep 2; done; echo oh >&2; exit 7"


def set_script(home: Home, machine: str, command: str, *more: str, expect: int = 0) -> tuple[str, str]:
    settings = json.dumps({"commandToExecute": command})
    words = ("vm", "extension", "set", machine, "--publisher", PUBLISHER, "--type", TYPE, "--settings", settings)
    done = home.run(*words, *more, expect=expect)
    return done.output, done.error


def status(home: Home, machine: str) -> dict[str, Any]:
    shown = home.json("vm", "extension", "show", machine, TYPE)
    (found,) = shown["properties"]["instanceView"]["statuses"]
    told: dict[str, Any] = found
    return told


def ran(home: Home, machine: str) -> str:
    return home.ssh(machine, "cat /tmp/ran")


def enables(home: Home, machine: str) -> int:
    """How often the agent has told of running the handler's enable."""
    return int(home.ssh(machine, "sudo grep -c 'custom-script-extension enable' /var/log/waagent.log || true"))


@pytest.fixture(scope="module")
def machine(home: Home, plain_vm: str) -> Iterator[str]:
    # The agent repeats every extension's enable at each new goal; one that failed before would begin its work again.
    home.run("vm", "extension", "delete", plain_vm, "DockerExtension", expect=None)
    yield plain_vm
    home.run("vm", "extension", "delete", plain_vm, TYPE, expect=None)
    for name in home.run("vm", "run-command", "list", plain_vm, "--quiet").output.split():
        home.run("vm", "run-command", "delete", plain_vm, name, expect=None)


def test_a_failing_command_shows_its_own_words(home: Home, machine: str) -> None:
    _, error = set_script(home, machine, "echo made; echo no such target >&2; exit 3", expect=1)
    assert "exit status=3" in error
    assert "no such target" in error


def test_a_command_runs_once_even_after_the_agent_has_restarted(home: Home, machine: str) -> None:
    set_script(home, machine, "echo ran >> /tmp/ran; echo done")
    assert "[stdout]\ndone\n" in status(home, machine)["message"]
    before = enables(home, machine)
    home.ssh(machine, "sudo systemctl restart walinuxagent")
    home.until(lambda: enables(home, machine) > before, seconds=90, what="the agent to repeat enable")
    assert ran(home, machine) == "ran\n"


def test_two_run_commands_run_beside_each_other(home: Home, machine: str) -> None:
    begun = [
        home.begin("vm", "run-command", "create", machine, "--name", own, "--script", meeting(own, other))
        for own, other in (("left", "right"), ("right", "left"))
    ]
    assert [process.wait(timeout=120) for process in begun] == [0, 0]
    rows = home.run("vm", "run-command", "list", machine, "--output", "tsv").output.splitlines()
    assert [row.split("\t")[:3] for row in rows] == [["left", "succeeded", "0"], ["right", "succeeded", "0"]]


def meeting(own: str, other: str) -> str:
    return f"touch /tmp/met-{own}; until test -e /tmp/met-{other}; do sleep 0.2; done; echo met"


def test_invoke_prints_output_as_it_comes_and_passes_on_the_exit_code(home: Home, machine: str) -> None:
    argv = [str(PROGRAM), "vm", "run-command", "invoke", machine, "--script", SLOW]
    lines, moments = [], []
    with subprocess.Popen(
        argv, env=home.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            lines.append(line)
            moments.append(time.monotonic())
        error = process.stderr.read()
    assert (process.returncode, error) == (7, "oh\n")
    assert lines == [f"line {number}\n" for number in (1, 2, 3, 4)]
    assert moments[-1] - moments[0] > 3


def test_the_time_limit_ends_all_that_a_script_has_started(home: Home, machine: str) -> None:
    script = "setsid sleep 7001 & (setsid sh -c 'sleep 7002 & sleep 7003' &); sleep 7004"
    home.run("vm", "run-command", "invoke", machine, "--timeout", "2", "--script", script, expect=6)
    assert home.ssh(machine, "pgrep -a sleep | grep ' 700' || true") == ""


def test_a_deleted_run_command_leaves_nothing(home: Home, machine: str) -> None:
    home.run("vm", "run-command", "delete", machine, "left", "--no-wait")
    home.run("vm", "run-command", "delete", machine, "right")
    gone = "sudo sh -c 'ls -d /var/lib/waagent/*RunCommand* /var/lib/waagent/run-command-handler 2>/dev/null || true'"
    home.until(lambda: home.ssh(machine, gone) == "", seconds=60, what="the handler to be gone")


def test_a_reboot_in_the_middle_is_an_error_and_nothing_runs_twice(home: Home, machine: str) -> None:
    begun = "sudo systemd-run --quiet --on-active=1 systemctl --force --force reboot"
    set_script(home, machine, f"echo ran >> /root/rebooted; {begun}; sleep 600", "--no-wait")
    home.until(lambda: status(home, machine)["code"] == "ProvisioningState/failed", seconds=240, what="the error")
    assert "was interrupted before its end, by a restart of the machine" in status(home, machine)["message"]
    assert home.ssh(machine, "sudo cat /root/rebooted") == "ran\n"

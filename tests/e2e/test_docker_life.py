"""The extension's life in a real machine, under its real agent and systemd: rotation, restarts, kills, a reboot.

Sits on the machine the other tests use, and leaves it as good as it was.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import pytest

from tests.e2e.conftest import Home

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200), pytest.mark.xdist_group("one")]
TICKER = 'while :; do read up rest < /proc/uptime; echo "$up" >> /out/ticks; sleep 0.5; done'
SILENCE = 6.0
LOCK = "/run/dockyard-docker/lock"
HOLD = (
    f"sudo systemd-run --quiet --unit=holder flock {LOCK} sleep 600; "
    f"while sudo flock --nonblock {LOCK} true; do sleep 0.1; done"
)
WORKERS = "systemctl list-units --plain --no-legend --state=running 'dockyard-docker-extension-*' | cut -d' ' -f1"


@pytest.fixture(scope="module")
def ticker(home: Home, docker_vm: str, busybox: str) -> Iterator[str]:
    """A container in the machine that counts and never stops."""
    home.ssh(docker_vm, "sudo mkdir -p /var/ticks")
    words = ("run", "-d", "--restart=always", "-v", "/var/ticks:/out", busybox, "sh", "-c", TICKER)
    name = home.docker(docker_vm, *words).strip()
    yield name
    home.docker(docker_vm, "rm", "-f", name)


def process_of(home: Home, machine: str, container: str) -> str:
    return home.docker(machine, "inspect", "--format", "{{.State.Pid}} {{.RestartCount}}", container)


def longest_silence(home: Home, machine: str) -> float:
    """The longest time between two ticks, and from the last one until now, in seconds."""
    ticks = [float(line.split()[0]) for line in home.ssh(machine, "cat /var/ticks/ticks /proc/uptime").splitlines()]
    return max(after - before for before, after in pairwise(ticks))


def workers(home: Home, machine: str) -> list[str]:
    return home.ssh(machine, WORKERS).split()


def work_that_waits(home: Home, machine: str) -> tuple[subprocess.Popen[str], str]:
    """New certificates on their way, and the unit of the worker that is held up: the test has its lock."""
    home.ssh(machine, HOLD)
    sending = home.begin("vm", "docker", "renew", machine)
    home.until(lambda: bool(workers(home, machine)), seconds=60, what="the worker to begin")
    (unit,) = workers(home, machine)
    return sending, unit


def let_go(home: Home, machine: str) -> None:
    home.ssh(machine, "sudo systemctl stop holder")


def ended_well(sending: subprocess.Popen[str]) -> bool:
    return sending.wait(timeout=300) == 0


@dataclass(frozen=True)
class Renewed:
    """What was seen as new certificates came while the agent restarted."""

    before: str
    unit: str
    workers: list[str]
    ended_well: bool


@pytest.fixture(scope="module")
def renewed(home: Home, docker_vm: str, ticker: str) -> Renewed:
    before = process_of(home, docker_vm, ticker)
    sending, unit = work_that_waits(home, docker_vm)
    home.ssh(docker_vm, "sudo systemctl restart walinuxagent")
    alive = workers(home, docker_vm)
    let_go(home, docker_vm)
    return Renewed(before=before, unit=unit, workers=alive, ended_well=ended_well(sending))


def test_the_work_goes_on_while_the_agent_restarts(renewed: Renewed) -> None:
    assert renewed.unit in renewed.workers
    assert renewed.ended_well


def test_a_container_counts_on_through_new_certificates_and_a_restart_of_the_engine(
    home: Home, docker_vm: str, ticker: str, renewed: Renewed
) -> None:
    home.ssh(docker_vm, "sudo systemctl restart docker.service")
    assert process_of(home, docker_vm, ticker) == renewed.before
    assert longest_silence(home, docker_vm) < SILENCE


def test_a_worker_that_is_killed_is_followed_by_one_that_succeeds_by_itself(home: Home, docker_vm: str) -> None:
    sending, unit = work_that_waits(home, docker_vm)
    home.ssh(docker_vm, f"sudo systemctl kill --signal=KILL {unit}")
    let_go(home, docker_vm)
    assert ended_well(sending)


def test_a_machine_rebooted_in_the_middle_of_the_work_succeeds_by_itself(
    home: Home, docker_vm: str, ticker: str
) -> None:
    sending, _unit = work_that_waits(home, docker_vm)
    boot = home.ssh(docker_vm, "cat /proc/sys/kernel/random/boot_id")
    # From a timer, as the connection would never hear of such an end.
    home.ssh(docker_vm, "sudo systemd-run --quiet --on-active=0.5 systemctl --force --force reboot")
    assert ended_well(sending)
    assert home.ssh(docker_vm, "cat /proc/sys/kernel/random/boot_id") != boot
    assert home.docker(docker_vm, "inspect", "--format", "{{.State.Running}}", ticker) == "true\n"


def test_the_report_for_support_holds_no_secret(home: Home, docker_vm: str) -> None:
    program = "/var/lib/waagent/Microsoft.Azure.Extensions.DockerExtension-*/bin/docker-extension"
    told = home.ssh(docker_vm, f"sudo sh -c '{program} diagnose'")
    key = home.ssh(docker_vm, "sudo cat /etc/docker/key.pem").splitlines()[1]
    assert "==== certificates\n/etc/docker/ca.pem: subject=" in told
    assert "docker.service: loaded, active" in told
    assert key not in told

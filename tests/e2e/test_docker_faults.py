"""What goes wrong with the extension in a real machine: each fault ends by itself, or in an error that says what to do.

Sits on the machine the other tests use, and leaves it as good as it was.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import PROGRAM, Home
from tests.e2e.docker_extension import encoded, new_certificates, send
from tests.support.openssl_pki import make_authority, make_leaf

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900), pytest.mark.xdist_group("one")]
STEPS = ("engine", "service")
OTHER_STEPS = ("certificates", "configuration", "protection", "endpoint")
KILLER = """import glob, json, os, signal, sys, time
step = sys.argv[1]
def newest():
    paths = glob.glob("/var/lib/waagent/Microsoft.Azure.Extensions.DockerExtension-*/status/*.status")
    return max(paths, key=lambda path: int(os.path.basename(path).split(".")[0]))
def is_at(path):
    parts = json.loads(open(path).read())[0]["status"].get("substatus") or []
    return any(part["name"] == step and part["status"] == "transitioning" for part in parts)
before = newest()
print("ready", flush=True)
deadline = time.monotonic() + 500  # the work may be slow on a busy computer
while time.monotonic() < deadline:
    path = newest()
    if path == before or not is_at(path):
        continue
    for procs in glob.glob("/sys/fs/cgroup/system.slice/dockyard-docker-extension-*/cgroup.procs"):
        for process in open(procs).read().split():
            os.kill(int(process), signal.SIGKILL)
    print("killed", flush=True)
    break
"""
FILL = """import os
state = os.statvfs("/")
with open("/filler", "wb", buffering=0) as file:
    try:
        os.posix_fallocate(file.fileno(), 0, state.f_bfree * state.f_frsize - 2**26)
        file.seek(0, 2)
        while True:
            file.write(bytes(4096))
    except OSError:
        pass
"""
LOCK = """import fcntl, time
file = open('/var/lib/dpkg/lock-frontend', 'w')
fcntl.lockf(file, fcntl.LOCK_EX)
time.sleep(600)
"""
FULL = "No space left on device"
COMPOSE = {"compose": {"idle": {"image": "test/busybox", "command": ["sleep", "1000"], "net": "none"}}}


@pytest.fixture(scope="module")
def machine(home: Home, docker_vm: str, busybox: str) -> Iterator[str]:
    """The machine, with its own certificates again at the end."""
    assert busybox == "test/busybox"
    yield docker_vm
    home.run("vm", "docker", "renew", docker_vm)


def engine_answers(home: Home, machine: str) -> bool:
    argv = ["docker", "--context", f"dockyard-{machine}", "version", "--format", "{{.Server.Version}}"]
    done = subprocess.run(argv, env=home.environment, capture_output=True, timeout=60, check=False)
    return done.returncode == 0


@pytest.mark.parametrize("step", [*STEPS, *(pytest.param(step, marks=pytest.mark.lengthy) for step in OTHER_STEPS)])
def test_a_worker_killed_at_a_step_is_followed_by_one_that_succeeds(home: Home, machine: str, step: str) -> None:
    command = f"sudo python3 -c '{KILLER}' {step}"
    argv = [str(PROGRAM), "vm", "ssh", machine, "--", command]
    with subprocess.Popen(argv, env=home.environment, stdout=subprocess.PIPE, text=True) as killer:
        assert killer.stdout is not None
        assert killer.stdout.readline() == "ready\n"
        home.run("vm", "docker", "renew", machine)
        assert killer.stdout.read() == "killed\n"
    assert engine_answers(home, machine)


def test_a_dead_engine_is_started_again_when_the_agent_looks(home: Home, machine: str) -> None:
    home.ssh(machine, "sudo sh -c 'systemctl kill --signal=KILL docker; systemctl stop docker.socket docker.service'")
    assert not engine_answers(home, machine)
    home.ssh(machine, "sudo systemctl restart walinuxagent")
    home.until(lambda: engine_answers(home, machine), seconds=180, what="the engine to answer again")


def test_an_expired_certificate_is_named_and_the_one_before_stays(home: Home, machine: str, tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    leaf = make_leaf(tmp_path, "expired", authority=authority, use="serverAuth", days=0)
    files = (authority.certificate, leaf.certificate, leaf.key)
    certs = encoded(*(file.read_bytes() for file in files))
    told = send(home, machine, public={"docker": {"port": "2376"}}, protected={"certs": certs}, expect=1)
    assert "expired" in told
    assert engine_answers(home, machine)


def test_a_member_the_engine_refuses_is_told_and_the_last_good_configuration_stays(home: Home, machine: str) -> None:
    public = {"docker": {"port": "2376", "daemon": {"storage-driver": "nonsense"}}}
    told = send(home, machine, public=public, protected={"certs": new_certificates(machine)}, expect=1)
    assert "nonsense" in told
    assert engine_answers(home, machine)
    send(home, machine, public={"docker": {"port": "2376"}}, protected={"certs": new_certificates(machine)})
    home.run("vm", "docker", "renew", machine)
    assert engine_answers(home, machine)


def test_a_full_disk_is_told_and_forgotten_once_there_is_room(home: Home, machine: str) -> None:
    """The agent itself keeps goals and settings in files; which of them finds no room decides whether it waits."""
    try:
        home.ssh(machine, f"sudo python3 -c '{FILL}'")
        sending = home.begin("vm", "docker", "renew", machine)
        home.until(lambda: FULL in agent_log(home, machine) + told_of(home, machine), seconds=120, what="the word")
        assert engine_answers(home, machine)
    finally:
        home.ssh(machine, "sudo rm -f /filler")
    if sending.wait(timeout=400) != 0:
        assert FULL in told_of(home, machine)
        home.run("vm", "docker", "renew", machine)
    assert engine_answers(home, machine)


def agent_log(home: Home, machine: str) -> str:
    return home.ssh(machine, "sudo journalctl --no-pager --boot --unit=walinuxagent")


def test_the_holder_of_the_package_managers_lock_is_named_and_waited_for(home: Home, machine: str) -> None:
    home.ssh(machine, "sudo sh -c 'DEBIAN_FRONTEND=noninteractive apt-get -qq --yes purge docker-compose >/dev/null'")
    home.ssh(machine, f'sudo systemd-run --quiet --unit=locker python3 -c "{LOCK}"')
    file = home.folder / "protected.json"
    file.write_text(json.dumps({"certs": new_certificates(machine)}))
    words = [
        "--publisher",
        "Microsoft.Azure.Extensions",
        "--type",
        "DockerExtension",
        "--protected-settings",
        f"@{file}",
    ]
    public = json.dumps({"docker": {"port": "2376"}, **COMPOSE})
    sending = home.begin("vm", "extension", "set", machine, *words, "--settings", public)
    home.until(lambda: "waiting for another package manager" in told_of(home, machine), seconds=120, what="the wait")
    assert "python3" in told_of(home, machine)
    home.ssh(machine, "sudo systemctl stop locker")
    assert sending.wait(timeout=400) == 0
    file.unlink()
    assert home.ssh(machine, "sudo docker ps --format '{{.Names}}'").split() == ["compose-idle-1"]
    home.ssh(machine, "sudo docker rm -f compose-idle-1")


def told_of(home: Home, machine: str) -> str:
    return home.run("vm", "extension", "show", machine, "DockerExtension", "--output", "json").output

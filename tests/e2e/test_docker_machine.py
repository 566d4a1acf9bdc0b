"""The main job on real parts: a machine from nothing, its engine behind mutual TLS, and faults told clearly."""

from __future__ import annotations

import os
import re
import signal
import ssl
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from dockyard.pki import certificates
from tests.e2e.conftest import Home

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200), pytest.mark.xdist_group("one")]
GOAL = (
    'sudo python3 -c "import urllib.request as u; print(u.urlopen(u.Request('
    "'http://168.63.129.16/machine/?comp=goalstate', headers={'x-ms-version': '2012-11-30'})).read().decode())\""
)


def endpoint(home: Home, name: str) -> tuple[str, int]:
    port = home.json("vm", "show", name)["tags"]["dockyard-docker-port"]
    return "127.0.0.1", int(port)


def test_a_server_killed_while_it_builds_an_image_leaves_a_build_that_goes_on(home: Home) -> None:
    building = home.begin("image", "build", "docker-debian-13", "--refresh")
    leftovers = home.folder / "data/images/.building"
    home.until(lambda: leftovers.exists() and any(leftovers.iterdir()), seconds=60, what="the build to begin")
    os.kill(home.server_pid(), signal.SIGKILL)
    building.kill()
    building.wait()
    home.run("image", "build", "docker-debian-13")
    assert [image["name"] for image in home.json("image", "list")].count("docker-debian-13") >= 1


def test_a_container_prints_over_mutual_tls(home: Home, docker_vm: str, busybox: str) -> None:
    assert home.docker(docker_vm, "run", "--rm", busybox, "echo", "hello from inside") == "hello from inside\n"


def test_containers_are_confined(home: Home, docker_vm: str) -> None:
    assert "name=apparmor" in home.docker(docker_vm, "info", "--format", "{{.SecurityOptions}}")


def test_containers_open_no_socket_of_the_kernels_cryptography(home: Home, docker_vm: str, busybox: str) -> None:
    program = (
        "import errno, socket\ntry: socket.socket(38, 5)\nexcept OSError as error: print(errno.errorcode[error.errno])"
    )
    words = ("run", "--rm", "-v", "/:/machine:ro", busybox, "chroot", "/machine", "python3", "-c", program)
    assert home.docker(docker_vm, *words) == "EPERM\n"


def test_a_request_without_a_certificate_is_refused(home: Home, docker_vm: str) -> None:
    with pytest.raises((ssl.SSLError, urllib.error.URLError, ConnectionError)):
        ask(home, docker_vm, context=trusting(home, docker_vm))


def test_a_certificate_of_another_authority_is_refused(home: Home, docker_vm: str, tmp_path: Path) -> None:
    foreign = certificates.certificate_authority(common_name="foreign", days=1)
    client = certificates.client_certificate(authority=foreign, common_name="me", days=1)
    (tmp_path / "client.pem").write_bytes(client.certificate_pem + client.key_pem)
    context = trusting(home, docker_vm)
    context.load_cert_chain(tmp_path / "client.pem")
    with pytest.raises((ssl.SSLError, urllib.error.URLError, ConnectionError)):
        ask(home, docker_vm, context=context)


def test_the_users_own_certificate_is_answered(home: Home, docker_vm: str) -> None:
    context = trusting(home, docker_vm)
    folder = home.folder / "data/certs" / docker_vm
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    assert "ApiVersion" in ask(home, docker_vm, context=context)


def trusting(home: Home, name: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(home.folder / "data/certs" / name / "ca.pem"))


def ask(home: Home, name: str, *, context: ssl.SSLContext) -> str:
    host, port = endpoint(home, name)
    with urllib.request.urlopen(f"https://{host}:{port}/version", context=context, timeout=30) as answer:
        return str(answer.read().decode())


def test_the_handlers_status_is_shown_as_the_agent_reported_it(home: Home, docker_vm: str) -> None:
    (extension,) = home.view(docker_vm)["extensions"]
    assert extension["statuses"][0]["code"] == "ProvisioningState/succeeded"
    assert re.search(r"Docker \d+\.\d+.*mutual TLS", extension["statuses"][0]["message"])
    names = [part["code"].split("/")[1] for part in extension["substatuses"]]
    assert {"certificates", "configuration", "service", "endpoint"} <= set(names)


def test_env_prints_what_docker_machine_did(home: Home, docker_vm: str) -> None:
    host, port = endpoint(home, docker_vm)
    printed = home.run("env", docker_vm, "--shell", "bash").output
    assert f'export DOCKER_HOST="tcp://{host}:{port}"' in printed
    assert 'export DOCKER_TLS_VERIFY="1"' in printed


def test_a_name_that_is_taken_is_a_conflict(home: Home, docker_vm: str) -> None:
    assert "already exists" in home.run("vm", "create", docker_vm, expect=4).error


def test_a_killed_hypervisor_is_told_and_the_machine_starts_again(home: Home, docker_vm: str, busybox: str) -> None:
    os.kill(home.machine_pid(docker_vm), signal.SIGKILL)
    home.until(lambda: power(home, docker_vm) == "PowerState/stopped", seconds=20, what="the machine to show stopped")
    told = [status["message"] for status in home.view(docker_vm)["statuses"] if "PowerState" in status["code"]]
    assert "ended although nobody stopped it" in told[0]
    home.run("vm", "start", docker_vm)
    home.until(lambda: answers(home, docker_vm), seconds=120, what="the engine to answer after the restart")
    assert home.docker(docker_vm, "run", "--rm", busybox, "echo", "again") == "again\n"


def power(home: Home, name: str) -> str:
    codes = [str(status["code"]) for status in home.view(name)["statuses"]]
    return next(code for code in codes if code.startswith("PowerState/"))


def answers(home: Home, name: str) -> bool:
    try:
        home.docker(name, "version")
    except AssertionError:
        return False
    return True


@pytest.fixture(scope="module")
def resumed(home: Home) -> str:
    """The name of a machine whose server was killed at two steps of its creation."""
    home.run("vm", "create", "three", "--no-docker", "--image", "docker-debian-13", "--no-wait", "--memory", "768")
    for step in ("boot", "agent"):
        home.until(lambda step=step: is_reached(home, "three", step), seconds=300, what=f"step {step}")  # type: ignore[misc]
        os.kill(home.server_pid(), signal.SIGKILL)
    return "three"


def test_a_server_killed_at_two_steps_of_a_creation_is_followed_by_one_that_completes_it(
    home: Home, resumed: str
) -> None:
    home.run("vm", "wait", resumed)
    assert home.json("vm", "show", resumed)["properties"]["provisioningState"] == "Succeeded"


def test_each_machine_sees_its_own_goal_only(home: Home, docker_vm: str, resumed: str) -> None:
    goals = {name: home.ssh(name, GOAL) for name in (docker_vm, resumed)}
    ids = {name: home.json("vm", "show", name)["properties"]["vmId"] for name in goals}
    assert ids[docker_vm] in goals[docker_vm]
    assert ids[resumed] in goals[resumed]
    assert ids[docker_vm] not in goals[resumed]
    assert ids[resumed] not in goals[docker_vm]


def is_reached(home: Home, name: str, step: str) -> bool:
    """Whether a step runs or, on a quick machine, is done already."""
    codes = [status["code"].split("/") for status in home.view(name)["statuses"]]
    assert ["ProvisioningState", "failed"] not in codes, home.told()
    words = {parts[1]: parts[2] for parts in codes if parts[0] == "Step"}
    return words.get(step) in ("running", "done")

"""``vm create`` against the stub: what it sends, what it leaves behind, what it says when it fails."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dockyard.client import waiting
from dockyard.config import Paths
from tests.unit.cli.conftest import Cli
from tests.unit.client.arm_stub import ArmStub

DOCKER = "DockerExtension"


def test_create_ends_with_a_proven_endpoint(cli: Cli, arm: ArmStub) -> None:
    done = cli("vm", "create", "web")
    assert done.code == 0, done.err
    port = arm.machines["web"].document["tags"]["dockyard-docker-port"]
    assert f"tcp://127.0.0.1:{port}" in done.out
    assert "Docker 28.0.1 (API 1.48)" in done.out
    assert "docker --context dockyard-web info" in done.out


def test_defaults_are_a_small_machine_with_docker(cli: Cli, arm: ArmStub) -> None:
    cli("vm", "create", "web")
    properties = arm.sent("PUT", "/virtualMachines/web")["properties"]
    assert properties["hardwareProfile"] == {"vmSize": "Dockyard_C2_M1536"}
    assert properties["storageProfile"]["imageReference"]["sku"] == "docker-debian-13"
    assert properties["storageProfile"]["osDisk"]["diskSizeGB"] == 20
    assert properties["osProfile"]["adminUsername"] == "dockyard"
    extension = arm.sent("PUT", f"/extensions/{DOCKER}")["properties"]
    assert (extension["publisher"], extension["type"]) == ("Microsoft.Azure.Extensions", DOCKER)
    assert extension["settings"] == {"docker": {"port": "2376"}}
    assert sorted(extension["protectedSettings"]["certs"]) == ["ca", "cert", "key"]


def test_extension_is_put_before_the_machine_is_ready(cli: Cli, arm: ArmStub) -> None:
    arm.patience = 40
    cli("vm", "create", "web")
    paths = [path for _, path, _ in arm.requests]
    put = next(index for index, path in enumerate(paths) if path.endswith(DOCKER))
    assert sum("/operations/" in path for path in paths[:put]) < arm.patience


def test_options_reach_the_server(cli: Cli, arm: ArmStub) -> None:
    done = cli(
        "vm", "create", "web", "--cpus", "4", "--memory", "4G", "--disk", "40", "--ssh-port", "2299", "-g", "team"
    )
    assert done.code == 0, done.err
    body = arm.sent("PUT", "/team/providers/Microsoft.Compute/virtualMachines/web")
    assert body["properties"]["hardwareProfile"]["vmSize"] == "Dockyard_C4_M4096"
    assert body["tags"] == {"dockyard-ssh-port": "2299"}


def test_disks_custom_data_and_a_password_reach_the_server_alone(
    cli: Cli, arm: ArmStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("#cloud-config\n{}\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("Canary-Horse-51c9\n"))
    disks = ("--data-disk-gib", "4", "--data-disk-gib", "8")
    done = cli("vm", "create", "web", "--no-docker", *disks, "--custom-data", f"@{config}", "--password-stdin")
    assert done.code == 0, done.err
    properties = arm.sent("PUT", "/virtualMachines/web")["properties"]
    assert properties["storageProfile"]["dataDisks"] == [
        {"lun": 0, "createOption": "Empty", "diskSizeGB": 4},
        {"lun": 1, "createOption": "Empty", "diskSizeGB": 8},
    ]
    assert base64.b64decode(properties["osProfile"]["customData"]) == b"#cloud-config\n{}\n"
    assert properties["osProfile"]["adminPassword"] == "Canary-Horse-51c9"
    assert properties["osProfile"]["linuxConfiguration"]["disablePasswordAuthentication"] is False
    assert "Canary" not in done.out + done.err


def test_standard_input_is_one_thing_only(cli: Cli, arm: ArmStub, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("vm", "create", "web", "--password-stdin", "--custom-data", "-").code == 2
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert cli("vm", "create", "web", "--password-stdin").code == 2
    assert arm.requests == []


def test_old_verb_creates_as_well(cli: Cli, arm: ArmStub) -> None:
    assert cli("vm", "docker", "create", "web").code == 0
    assert "web" in arm.machines


def test_machine_without_docker_has_neither_extension_nor_certificates(cli: Cli, arm: ArmStub, paths: Paths) -> None:
    done = cli("vm", "create", "plain", "--no-docker")
    assert done.code == 0, done.err
    assert arm.machines["plain"].extensions == {}
    assert not (paths.data / "certs").exists()
    assert arm.sent("PUT", "/plain")["properties"]["storageProfile"]["imageReference"]["sku"] == "debian-13"


def test_json_is_all_of_standard_output(cli: Cli, arm: ArmStub) -> None:
    done = cli("vm", "create", "web", "--output", "json")
    document = json.loads(done.out)
    assert document["docker"]["context"] == "dockyard-web"
    assert document["docker"]["endpoint"].startswith("tcp://127.0.0.1:")
    steps = [step["name"] for step in document["steps"]]
    assert steps[:2] == ["certificates", "submit"]
    assert {"machine/boot", "extension", "extension/engine", "endpoint", "context"} <= set(steps)
    assert "Docker extension" in done.err


def test_progress_goes_to_standard_error_with_seconds(cli: Cli, arm: ArmStub) -> None:
    done = cli("vm", "create", "web")
    assert "Guest agent: done (" in done.err
    assert "    engine: done (" in done.err
    assert "\x1b" not in done.err + done.out


def test_existing_name_is_a_conflict_and_harms_nothing(cli: Cli, arm: ArmStub, paths: Paths) -> None:
    cli("vm", "create", "web")
    before = {path.name: path.read_bytes() for path in (paths.data / "certs/web").iterdir()}
    again = cli("vm", "create", "web")
    assert again.code == 4
    assert "exists already" in again.err
    assert {path.name: path.read_bytes() for path in (paths.data / "certs/web").iterdir()} == before
    assert "web" in arm.machines


def test_failing_extension_keeps_the_machine_and_says_what_to_do(cli: Cli, arm: ArmStub) -> None:
    arm.extension_failure = ("VMExtensionProvisioningError", "VM has reported a failure.\nThe engine did not start.")
    done = cli("vm", "create", "web")
    assert done.code == 1
    assert "The step 'engine' failed after" in done.err
    assert "The engine did not start." in done.err
    assert "| login:" in done.err
    assert "dockyard vm docker renew web" in done.err
    assert "web" in arm.machines


def test_machine_taken_back_leaves_nothing_here(cli: Cli, arm: ArmStub, paths: Paths) -> None:
    arm.machine_failure = ("AllocationFailed", "There is no space.\nIt failed before it ran.")
    done = cli("vm", "create", "web")
    assert done.code == 5, done.err
    assert "Nothing is left of the machine" in done.err
    assert not (paths.data / "certs/web").exists()


def test_deadline_names_the_step_that_is_waited_for(cli: Cli, arm: ArmStub) -> None:
    arm.patience = 10_000
    done = cli("vm", "create", "web", "--timeout", "1")
    assert done.code == 6
    assert "it waits for step 'Disk'" in done.err
    assert "Disk: warning" in done.err
    assert "dockyard vm wait web" in done.err


def test_without_a_docker_program_the_command_is_told(cli: Cli, arm: ArmStub, programs: Path) -> None:
    (programs / "docker").unlink()
    done = cli("vm", "create", "web")
    assert done.code == 0, done.err
    assert "docker context create dockyard-web" in done.err
    assert "eval $(dockyard env web)" in done.out


def test_no_wait_returns_at_once(cli: Cli, arm: ArmStub) -> None:
    arm.patience = 10_000
    done = cli("vm", "create", "web", "--no-wait")
    assert done.code == 0
    assert "dockyard vm wait web" in done.err


def test_wait_finishes_what_no_wait_began(cli: Cli, arm: ArmStub) -> None:
    cli("vm", "create", "web", "--no-wait")
    done = cli("vm", "wait", "web")
    assert done.code == 0, done.err
    assert "Context" in done.out
    assert "Docker 28.0.1" in done.out


def test_wait_outlasts_a_handler_that_runs_again(cli: Cli, arm: ArmStub) -> None:
    cli("vm", "create", "web")
    arm.machines["web"].handler_runs_again = 3
    done = cli("vm", "wait", "web")
    assert done.code == 0, done.err
    assert arm.machines["web"].handler_runs_again == 0


def test_wait_tells_of_a_failure_it_did_not_begin(cli: Cli, arm: ArmStub) -> None:
    arm.extension_failure = ("VMExtensionProvisioningError", "broken")
    cli("vm", "create", "web", "--no-wait")
    done = cli("vm", "wait", "web")
    assert done.code == 1
    assert "The Docker extension of 'web' has failed" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-x"], "No such option"),
        (["a_b"], "not a valid virtual machine name"),
        (["web", "--admin-username", "root"], "cannot be the administrator's name"),
        (["web", "--admin-username", "docker"], "cannot be the administrator's name"),
        (["web", "--admin-username", "Ann"], "not a valid user name"),
        (["web", "--size", "Huge"], "VM size is not valid"),
        (["web", "--size", "Standard_B1s", "--cpus", "2"], "cannot be combined"),
        (["web", "--memory", "lots"], "not an amount of memory"),
        (["web", "--memory", "100"], "VM size is not valid"),
        (["web", "--image", "a:b"], "not an image name"),
        (["web", "--docker-port", "70000"], "--docker-port"),
        (["web", "--ssh-key", "/nowhere.pub"], "cannot be read"),
        (["web", "--no-docker", "--docker-port", "2376"], "cannot be combined"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(
    cli: Cli, arm: ArmStub, arguments: list[str], message: str
) -> None:
    done = cli("vm", "create", *arguments)
    assert done.code == 2
    assert message in done.err
    assert arm.requests == []


def test_mismatched_certificates_are_refused_before_anything_is_created(cli: Cli, arm: ArmStub, tmp_path: Path) -> None:
    own = tmp_path / "own"
    cli("vm", "create", "first", "--docker-cert-dir", str(own))
    (own / "key.pem").write_bytes((own / "ca-key.pem").read_bytes())
    done = cli("vm", "create", "web", "--docker-cert-dir", str(own))
    assert done.code == 2
    assert "does not belong to the certificate" in done.err
    assert "web" not in arm.machines


def test_renewed_certificates_reach_machine_and_folder(cli: Cli, arm: ArmStub, paths: Paths) -> None:
    cli("vm", "create", "web")
    before = (paths.data / "certs/web/server-cert.pem").read_bytes()
    done = cli("vm", "docker", "renew", "web", "--protected-settings", '{"login": {"password": "hush"}}')
    assert done.code == 0, done.err
    assert (paths.data / "certs/web/server-cert.pem").read_bytes() != before
    sent = arm.sent("PUT", f"/extensions/{DOCKER}")["properties"]
    assert sent["settings"] == {"docker": {"port": "2376"}}
    assert sorted(sent["protectedSettings"]) == ["certs", "login"]
    assert "hush" not in done.out + done.err


def test_renewal_repairs_a_machine_whose_certificates_are_lost(cli: Cli, arm: ArmStub, paths: Paths) -> None:
    cli("vm", "create", "web")
    for path in (paths.data / "certs/web").iterdir():
        path.unlink()
    assert cli("env", "web").code == 3
    assert cli("vm", "docker", "renew", "web").code == 0
    assert cli("env", "web").code == 0


@pytest.mark.parametrize("begun", [True, False], ids=["after the server has begun", "before"])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupt_says_what_goes_on(
    arm: ArmStub, paths: Paths, tmp_path: Path, sent: signal.Signals, begun: bool
) -> None:
    arm.patience = 10_000
    arm.hold = not begun
    process = subprocess.Popen(
        # A test run that was itself begun in the background has Ctrl-C ignored, and programs inherit that.
        ["/usr/bin/env", "--default-signal=INT", sys.executable, "-m", "dockyard.cli", "vm", "create", "web"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    wanted = "/operations/" if begun else "/virtualMachines/web"
    waiting.until(
        lambda: any(wanted in path for _, path, _ in arm.requests) or None, what="the request", deadline=20, every=0.02
    )
    process.send_signal(sent)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert ("continues in the background" in err) is begun
    assert ("Nothing was created" in err) is not begun

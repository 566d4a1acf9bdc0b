"""``doctor``, ``image`` and what output looks like: what concerns this host rather than one machine."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest

from dockyard.cli import inputs, output
from dockyard.cli.output import Format
from dockyard.config import Paths
from dockyard.model.errors import InvalidRequest
from tests.unit.cli.conftest import Cli
from tests.unit.client.arm_stub import ArmStub
from tests.unit.client.programs import install


@pytest.fixture
def complete_host(programs: Path) -> None:
    for name in (f"qemu-system-{platform.machine()}", "qemu-img", "mmdebstrap", "ssh"):
        install(programs, name, "#!/bin/sh\n")


def verdicts(cli: Cli) -> dict[str, tuple[str, str]]:
    checks = json.loads(cli("doctor", "--output", "json").out)
    return {check["name"]: (check["verdict"], check["message"]) for check in checks}


def test_doctor_lists_what_is_missing_and_how_to_get_it(cli: Cli, arm: ArmStub) -> None:
    done = cli("doctor")
    assert done.code == 5
    assert "mmdebstrap: Install it: on Debian, 'apt install mmdebstrap'." in done.out


@pytest.mark.usefixtures("complete_host")
def test_doctor_is_content_with_software_emulation_and_says_why(cli: Cli, arm: ArmStub) -> None:
    done = cli("doctor")
    assert done.code == 0, done.out
    assert verdicts(cli)["acceleration"] == ("warning", "tcg: KVM hangs")


@pytest.mark.usefixtures("complete_host")
def test_doctor_repeats_what_the_server_found(cli: Cli, arm: ArmStub) -> None:
    arm.diagnostics["checks"] = [{"name": "libslirp", "ok": False, "message": "not found", "resolution": "Install it."}]
    done = cli("doctor")
    assert done.code == 5
    assert "libslirp: Install it." in done.out


@pytest.mark.usefixtures("complete_host")
def test_doctor_proves_each_docker_endpoint(cli: Cli, arm: ArmStub, paths: Paths) -> None:
    cli("vm", "create", "web")
    verdict, message = verdicts(cli)["docker of web"]
    assert verdict == "ok"
    assert "strangers are refused" in message
    (paths.data / "certs/web/key.pem").unlink()
    assert verdicts(cli)["docker of web"][0] == "warning"


@pytest.mark.usefixtures("complete_host")
def test_doctor_without_a_server_still_checks_the_host(cli: Cli, paths: Paths) -> None:
    paths.make()
    paths.credentials.write_text("{}")
    done = cli("doctor")
    assert done.code == 5
    assert verdicts(cli)["server"][0] == "missing"
    assert verdicts(cli)["qemu-img"][0] == "ok"


def test_image_is_built_and_listed(cli: Cli, arm: ArmStub) -> None:
    done = cli("image", "build", "debian-13", "--mirror", "http://mirror/debian", "--refresh")
    assert done.code == 0, done.err
    assert arm.sent("PUT", "/images/debian-13")["tags"] == {
        "dockyard-mirror": "http://mirror/debian",
        "dockyard-refresh": "true",
    }
    assert "Image debian-13: done" in done.err
    assert cli("image", "list", "-q").out == "debian-13\n"
    assert "1 MiB" in cli("image", "list").out


def test_image_in_use_is_a_conflict(cli: Cli, arm: ArmStub) -> None:
    cli("image", "build", "debian-13")
    assert cli("image", "delete", "debian-13").code == 4
    assert cli("image", "delete", "other").code == 3


@pytest.mark.parametrize(("text", "mib"), [("1536", 1536), ("2G", 2048), ("512 MiB", 512), ("1gb", 1024)])
def test_memory_is_read_in_mib(text: str, mib: int) -> None:
    assert inputs.mebibytes(text) == mib


@pytest.mark.parametrize("text", ["", "-1", "1.5G", "1T", "G"])
def test_other_amounts_of_memory_are_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        inputs.mebibytes(text)


def test_rows_line_up_for_people_and_are_bare_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("a", ""), ("long\tname", "\x1b[31mred")]
    output.say_rows(("N", "V"), rows, form=Format.TABLE)
    output.say_rows(("N", "V"), rows, form=Format.TSV)
    assert capsys.readouterr().out == "N          V\na          -\nlong name  red\na\t-\nlong name\tred\n"

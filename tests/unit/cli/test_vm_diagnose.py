"""``vm diagnose``: everything there is, of a machine that answers, one that does not, and one that is stopped."""

from __future__ import annotations

import json
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from dockyard.client import certificates
from dockyard.client.names import MachineName
from dockyard.config import Paths
from tests.unit.cli.conftest import Cli
from tests.unit.client import arm_stub
from tests.unit.client.arm_stub import ArmStub
from tests.unit.client.programs import install
from tests.unit.client.test_diagnosing import PEM, SECRET, collect, guest_root

PLANTED = "a-value-that-only-the-client-knows"


DEAF = "#!/bin/sh\necho Connection refused >&2\nexit 255\n"


@pytest.fixture
def root(tmp_path: Path, programs: Path) -> Path:
    """A machine's files, behind an ssh that runs what it is told to with them."""
    made = guest_root(tmp_path / "guest")
    install(programs, "ssh", f'#!/bin/sh\nexec {sys.executable} - 0 "{made}"\n')
    return made


@pytest.fixture
def deaf(root: Path, programs: Path) -> Path:
    """The same machine, which takes no connection."""
    install(programs, "ssh", DEAF)
    return root


@pytest.fixture
def web(arm: ArmStub, paths: Paths) -> str:
    """A machine whose server, console and keys have secrets where none should be."""
    arm.add_machine("web")
    arm.console = f"booting\nfor you: {PLANTED}\n{PEM}"
    arm.machine_diagnostics = {
        "operations": [{"name": "1", "status": "Failed", "error": {"code": "X", "message": f"password={SECRET}"}}],
        "goalState": {"incarnation": 3, "documents": {"extensionsConfig": f'<X>{{"password":"{SECRET}"}}</X>'}},
        "reports": [{"receivedAt": "2030-01-02T00:00:00Z", "report": {"message": arm_stub.SECRET}}],
        "hypervisorLog": "qemu-system-x86_64 -name web",
        "serverLog": "",
    }
    folder = certificates.folder_of(paths, MachineName("dockyard", "web"))
    folder.path.mkdir(parents=True)
    folder.key.write_text(f"-----BEGIN PRIVATE KEY-----\n{PLANTED}\n-----END PRIVATE KEY-----\n")
    return "web"


def opened(path: Path) -> tuple[dict[str, str], dict[str, Any]]:
    with tarfile.open(path) as archive:
        files = {entry.name.partition("/")[2]: archive.extractfile(entry) for entry in archive}
        texts = {name: file.read().decode() for name, file in files.items() if file is not None}
    return texts, json.loads(texts["manifest.json"])


def assert_clean(texts: dict[str, str]) -> None:
    whole = "\n".join(texts.values())
    secrets = [SECRET, PLANTED, arm_stub.SECRET, "MIIciphertext", *PEM.splitlines()[1:-1]]
    assert [secret for secret in secrets if secret in whole] == []


def test_the_archive_holds_everything_and_no_secret(cli: Cli, web: str, root: Path, tmp_path: Path) -> None:
    done = cli("vm", "diagnose", web, "--file", str(tmp_path / "x.tar.gz"))
    assert (done.code, done.out) == (0, f"{tmp_path / 'x.tar.gz'}\n")
    texts, index = opened(tmp_path / "x.tar.gz")
    assert_clean(texts)
    assert {
        *("machine.json", "extensions.json", "run-commands.json", "console.log", "doctor.json"),
        *("server/operations.json", "server/reports.json", "server/hypervisor.log"),
        *("server/goal-state/extensionsConfig.xml", "guest/waagent.log", "guest/logs/Contoso.Greeter/handler.log"),
        "guest/handlers/Contoso.Greeter-1.0.0/config/0.settings",
    } <= set(texts)
    assert texts["console.log"].startswith("booting\nfor you: (removed)")
    assert {each["name"] for each in index["files"]} == set(texts) - {"manifest.json"}
    assert [each["name"] for each in index["missing"]] == ["server/serve.log"]


def test_a_machine_deaf_to_ssh_is_asked_by_a_run_command(
    cli: Cli, arm: ArmStub, web: str, deaf: Path, tmp_path: Path
) -> None:
    arm.run_views = [{"executionState": "Succeeded", "exitCode": 0, "output": collect(deaf, budget=4000)}]
    told = json.loads(cli("vm", "diagnose", web, "--file", str(tmp_path / "x.tar.gz"), "-o", "json").out)
    texts, _ = opened(Path(told["path"]))
    assert_clean(texts)
    assert "guest/handlers/Contoso.Greeter-1.0.0/status/0.status" in texts
    assert "Connection refused" in next(each["reason"] for each in told["missing"] if each["name"] == "guest/")
    assert "MIIciphertext" not in str(arm.requests)
    assert arm.machines["web"].run_commands == {}


def test_a_stopped_machine_is_told_by_the_others(
    cli: Cli, arm: ArmStub, web: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arm.machines["web"].power = "stopped"
    done = cli("vm", "diagnose", web)
    assert done.code == 0
    assert "Missing guest/: The machine does not run." in done.err
    texts, index = opened(Path(done.out.strip()))
    assert_clean(texts)
    assert "console.log" in texts
    assert {"name": "guest/", "reason": "The machine does not run."} in index["missing"]


def test_of_nothing_there_is_no_archive(cli: Cli, arm: ArmStub, tmp_path: Path) -> None:
    assert cli("vm", "diagnose", "nobody", "--file", str(tmp_path / "x.tar.gz")).code == 3
    assert not (tmp_path / "x.tar.gz").exists()

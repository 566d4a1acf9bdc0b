"""Dockyard's own handlers under the real agent, judged by its rules; and a machine told of in an archive.

Sits on the second machine of the other tests, and leaves nothing there.
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Home

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900), pytest.mark.xdist_group("two")]
CUSTOM_SCRIPT = "Microsoft.Azure.Extensions.CustomScript"
DOCKER = "Microsoft.Azure.Extensions.DockerExtension"
RUN_COMMAND = "Microsoft.CPlat.Core.RunCommandHandlerLinux"
VM_ACCESS = "Microsoft.OSTCExtensions.VMAccessForLinux"
PUBLIC: dict[str, Any] = {
    CUSTOM_SCRIPT: {},
    DOCKER: {},
    RUN_COMMAND: {"source": {"script": "echo hello"}},
    VM_ACCESS: {},
}
PROTECTED: dict[str, Any] = {
    DOCKER: {"environment": {"KEY": "@canary@"}},
    VM_ACCESS: {"username": "tester", "password": "Aa1-@canary@"},
    CUSTOM_SCRIPT: {"commandToExecute": ": @canary@; echo hello"},
    RUN_COMMAND: {"protectedParameters": [{"name": "KEY", "value": "@canary@"}]},
}
STEPS = ["first time", "same number again", "new settings", "version up", "removal"]


@pytest.mark.lengthy  # two minutes each
@pytest.mark.parametrize("handler", PUBLIC)
def test_our_own_handlers_pass_under_the_real_agent(home: Home, plain_vm: str, handler: str, tmp_path: Path) -> None:
    built = (home.folder / "data/packages").glob(f"{handler}-*.zip")  # earlier builds stay beside the newest
    package = max(built, key=lambda path: path.stat().st_mtime)
    settings = ("--settings", json.dumps(PUBLIC[handler]), "--protected-settings", json.dumps(PROTECTED[handler]))
    junit = tmp_path / "junit.xml"
    words = ("extension", "test", str(package), "--vm", plain_vm, "--no-reboot", *settings, "--junit", str(junit))
    report = home.json(*words)
    assert [each for each in report["findings"] if each["level"] == "error"] == []
    assert report["passed"]
    assert list(dict.fromkeys(each["step"] for each in report["operations"])) == STEPS
    assert {each["command"] for each in report["operations"]} == {
        *("install", "enable", "disable", "update", "uninstall")
    }
    assert all(each["exitCode"] == 0 and each["cpuSeconds"] > 0 for each in report["operations"])
    assert 'failures="0"' in junit.read_text()
    assert "DockyardTest" not in home.run("extension", "list").output
    if handler == VM_ACCESS:  # users outlive the handler that made them
        home.run("vm", "user", "delete", plain_vm, "--username", "tester", "--yes")
    assert "dockyardExtensionTest" not in home.run("vm", "extension", "list", plain_vm).output


def test_a_machine_is_told_of_in_one_archive(home: Home, plain_vm: str, tmp_path: Path) -> None:
    home.ssh(plain_vm, "echo 'password=hunter2-in-the-log' | sudo tee -a /var/log/waagent.log")
    told = home.json("vm", "diagnose", plain_vm, "--file", str(tmp_path / "two.tar.gz"))
    with tarfile.open(told["path"]) as archive:
        files = {entry.name: archive.extractfile(entry) for entry in archive}
        texts = {name.partition("/")[2]: file.read().decode() for name, file in files.items() if file is not None}
    assert {"console.log", "server/hypervisor.log", "server/reports.json", "guest/waagent.log"} <= set(texts)
    assert "machine started" in texts["console.log"]
    assert "qemu-system" in texts["server/hypervisor.log"]
    assert "password=(removed)" in texts["guest/waagent.log"]
    assert "hunter2" not in str(texts)

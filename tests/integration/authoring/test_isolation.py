"""The private copy: a handler may write anywhere, everything it wrote is told, and this machine is as before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dockyard.authoring.observations import LeftKind
from dockyard.authoring.package import Package
from tests.unit.authoring.planted import FINAL, handler

pytestmark = [
    pytest.mark.privileged,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces"),
]
PROGRAM = Path(sys.executable).parent / "dockyard"
WRITES = "; ".join(
    (
        "echo mine > /etc/planted.conf",
        "echo more >> /etc/hosts",
        "rm -f /etc/debian_version",
        "mkdir -p /var/lib/planted /etc/systemd/system",
        "secret > /var/lib/planted/secret",
        'echo "ExecStart=$AZURE_GUEST_AGENT_EXTENSION_PATH/bin/run" > /etc/systemd/system/planted.service',
        "echo planted:x:61234: >> /etc/group",
        "echo planted:x:61234:61234::/:/bin/sh >> /etc/passwd",
        "touch /tmp/planted /run/planted",
        "(setsid sleep 300 &)",
        FINAL,
    )
)


def run(package: Package, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    path = folder / "Contoso.Planted-1.0.0.zip"
    path.write_bytes(package.archive)
    argv = [str(PROGRAM), "extension", "test", str(path), "--fast", *more]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=100)


def told(package: Package, folder: Path) -> dict[str, Any]:
    done = run(package, folder, "--output", "json")
    document: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if document["passed"] else 1), done.stderr
    return document


def test_what_a_handler_leaves_is_told_and_this_machine_is_as_before(tmp_path: Path) -> None:
    before = {name: Path(name).read_bytes() for name in ("/etc/hosts", "/etc/passwd", "/etc/group")}
    document = told(handler(enable=WRITES), tmp_path)
    left = {(item["kind"], item["name"].partition(" ")[0]) for item in document["leftBehind"]}
    assert left == {
        (LeftKind.FILE.value, "/etc/planted.conf"),
        (LeftKind.FILE.value, "/tmp/planted"),
        (LeftKind.FILE.value, "/run/planted"),
        (LeftKind.FILE.value, "/var/lib/planted/secret"),
        (LeftKind.CHANGED_FILE.value, "/etc/hosts"),
        (LeftKind.CHANGED_FILE.value, "/etc/group"),
        (LeftKind.CHANGED_FILE.value, "/etc/passwd"),
        (LeftKind.REMOVED_FILE.value, "/etc/debian_version"),
        (LeftKind.UNIT.value, "/etc/systemd/system/planted.service"),
        (LeftKind.USER.value, "planted"),
        (LeftKind.GROUP.value, "planted"),
        (LeftKind.PROCESS.value, "sleep"),
    }
    errors = [finding["message"] for finding in document["findings"] if finding["level"] == "error"]
    assert any("/var/lib/planted/secret" in text and "other users can read" in text for text in errors)
    assert any("/var/lib/planted/secret" in text and "stays after uninstall" in text for text in errors)
    assert any("planted.service" in text for text in errors)
    assert {name: Path(name).read_bytes() for name in before} == before
    assert Path("/etc/debian_version").exists()
    assert not [name for name in ("/etc/planted.conf", "/var/lib/planted", "/tmp/planted") if Path(name).exists()]


def test_there_is_no_network_no_disk_no_service_and_no_kernel_setting_to_change(tmp_path: Path) -> None:
    looks = "; ".join(
        (
            "ls /sys/class/net | tr '\\n' ' '",
            "ls /dev | grep -c -e '^sd' -e '^vd' -e '^nvme' || true",
            "ls /run/systemd /run/docker.sock 2>/dev/null | wc -l",
            "(echo 1 > /proc/sys/vm/drop_caches) 2>/dev/null || echo refused",
            "mknod /tmp/disk b 8 0 2>/dev/null || echo refused",
            "hostname planted; ps ax 2>/dev/null | grep -c pytest || true",
        )
    )
    document = run(handler(install=looks, enable="cat /tmp/none; exit 53"), tmp_path)
    done = run(handler(install=f"({looks}) > told; cat told; exit 53"), tmp_path)
    assert document.returncode == 1
    for word in ("lo 0", "refused\n"):
        assert word in done.stdout.replace("\n0\n", " 0\n"), done.stdout
    assert done.stdout.count("refused") == 2
    assert os.uname().nodename != "planted"


def test_what_stays_on_purpose_is_a_note_and_junit_is_written(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    keeps = ("--keeps", "/etc/planted.conf", "--junit", str(report))
    done = run(handler(enable=f"echo mine > /etc/planted.conf; {FINAL}"), tmp_path, *keeps)
    assert (done.returncode, "2 notes" in done.stdout) == (0, True), done.stdout
    assert 'failures="0"' in report.read_text()
    failing = run(handler(enable="exit 1"), tmp_path, "--junit", str(report))
    assert failing.returncode == 1
    assert '<failure message="It ended with 1.' in report.read_text()


def test_a_broken_package_ends_with_1_before_anything_runs(tmp_path: Path) -> None:
    done = run(handler(commands={"enableCommand": "python3 main.py"}), tmp_path)
    assert done.returncode == 1
    assert "command-not-found" in done.stdout
    assert "0 commands ran" in done.stdout

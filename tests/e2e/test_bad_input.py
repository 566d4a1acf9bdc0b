"""Bad input to the real program: what was wrong, what to do, an exit code by kind, and nothing half-made."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from dockyard.pki import certificates
from tests.e2e.conftest import PROGRAM, Home

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.xdist_group("one")]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["vm", "create", "a/b"], 2, "not a valid virtual machine name"),
        (["vm", "create", "web", "--image", "windows-95"], 3, "windows-95"),
        (["vm", "create", "web", "--size", "Standard_Huge"], 2, "Standard_Huge"),
        (["vm", "show", "nobody"], 3, "nobody"),
        (["vm", "start", "nobody"], 3, "nobody"),
        (["image", "build", "windows-95"], 3, "windows-95"),
        (
            ["vm", "extension", "set", "web", "--publisher", "P", "--type", "T", "--settings", "[1, 2]"],
            2,
            "object",
        ),
    ],
)
def test_it_is_told_clearly_and_nothing_is_made(home: Home, words: list[str], code: int, told: str) -> None:
    done = home.run(*words, expect=code)
    assert told in done.error
    assert "Traceback" not in done.error
    assert "web" not in [machine["name"] for machine in home.json("vm", "list")]


def test_a_port_in_use_is_told(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])
        done = home.run("vm", "create", "web", "--docker-port", port, expect=4)
    assert port in done.error


def test_a_certificate_that_does_not_match_its_key_is_told(home: Home, tmp_path: Path) -> None:
    authority = certificates.certificate_authority(common_name="mine", days=2)
    one, other = (certificates.client_certificate(authority=authority, common_name="me", days=2) for _ in range(2))
    for name, pem in {
        "ca.pem": authority.certificate_pem,
        "ca-key.pem": authority.key_pem,
        "cert.pem": one.certificate_pem,
        "key.pem": other.key_pem,
    }.items():
        (tmp_path / name).write_bytes(pem)
    done = home.run("vm", "create", "web", "--docker-cert-dir", str(tmp_path), expect=2)
    assert "does not belong" in done.error


@pytest.mark.privileged
def test_a_full_disk_is_told_before_anything_is_made(tmp_path: Path) -> None:
    script = (
        'mount -t tmpfs -o size=64m none "$1" && export DOCKYARD_HOME="$1/home" && '
        '"$2" image build debian-13; code=$?; "$2" serve --stop >/dev/null; exit $code'
    )
    argv = ["unshare", "-m", "sh", "-c", script, "sh", str(tmp_path), str(PROGRAM)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 5, done.stderr
    assert "space" in done.stderr

"""The report for support: what it tells on a real machine's doors, and that no secret planted anywhere gets into it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from dockyard_guest.runtime.diagnosis import without_secrets
from tests.scenario.kit import CERTS, SECRET, Context, folder, machine_with_running_engine
from tests.unit.guest.conftest import VERSION

CANARY = "canary-77aa"
HEADINGS = ("system", "engine", "units", "/etc/docker/daemon.json", "certificates", "dockerd --validate", "listeners")


@pytest.mark.parametrize(
    "text",
    [
        f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----",
        f"-----BEGIN EC PRIVATE KEY-----\n{CANARY}",
        f'"http-proxy": "http://user:{CANARY}@proxy:3128"',
        f"HTTPS_PROXY=https://{CANARY}@proxy",
        f'{{"password": "{CANARY}"}}',
        f'"registryPassword" : "two words {CANARY}"',
        f"DB_PASSWORD={CANARY} next",
        f'{{"password": "quoted \\"word\\" {CANARY}"}}',
        f'{{\\"password\\": \\"two words {CANARY}\\"}}',
        f'{{"auths": {{"registry": {{"auth": "{CANARY}"}}}}}}',
        f"--log-opt splunk-token={CANARY}",
        f"client_secret: '{CANARY}'",
        f"Authorization: Bearer {CANARY}",
        f"https://store.example/c/b?sv=1&sig={CANARY}&se=2",
        f"AccountKey={CANARY};EndpointSuffix=x",
    ],
)
def test_what_looks_like_a_secret_is_left_out(text: str) -> None:
    assert CANARY not in without_secrets(text)
    assert "(left out)" in without_secrets(text)


@pytest.mark.parametrize(
    "text",
    [
        'level=info msg="API listen on /run/docker.sock"',
        "Docker 26.1.5 (API 1.45) is ready on TCP port 2376 with mutual TLS.",
        '"tlskey": "/etc/docker/key.pem"',
        "subject=CN = web; notAfter=Jan 21 2027",
        "unix:///run/docker.sock tcp://0.0.0.0:2376",
    ],
)
def test_what_support_needs_stays(text: str) -> None:
    assert without_secrets(text) == text


def test_the_report_tells_of_a_machine_what_support_asks_first(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    public = {"docker": {"port": 2376, "options": [f"--label=proxy=http://u:{CANARY}@h"]}, "x-password": CANARY}
    state = context.enable(machine_with_running_engine().settings(public, {"certs": CERTS, "token": CANARY}))
    state = state.file("/etc/docker/daemon.json", f'{{"proxies": {{"http-proxy": "http://u:{CANARY}@h"}}}}')
    state = state.file("/var/lib/dockyard-docker/last-good.json", CANARY)
    capsys.readouterr()
    out = context.run("diagnose", state)
    told = capsys.readouterr().out
    assert all(f"==== {heading}\n" in told for heading in HEADINGS)
    assert "Docker 26.1.5+dfsg1 (API 1.45) is ready on TCP port 2376" in told
    assert "protected settings are there and left out" in told
    assert CANARY not in told
    assert SECRET not in told
    assert out.files == state.files


def test_the_report_tells_of_broken_files_instead_of_failing(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    state = machine_with_running_engine().file(f"{folder()}/config/0.settings", "{").file(f"{folder()}/status/x", "?")
    out = context.run("diagnose", state)
    assert out.exit_code == 0
    assert "cannot be told: 0.settings: expected a JSON text" in capsys.readouterr().out


def test_a_person_starts_it_without_the_agents_variables(handler: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(handler / "bin/docker-extension"), "diagnose"],
        cwd=tmp_path,
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"==== this report\nDocker extension {VERSION}, " in done.stdout
    assert not list((handler / "status").iterdir())


def test_a_long_line_is_read_in_no_time() -> None:
    begun = time.monotonic()
    assert len(without_secrets("A" * 1_000_000 + "a-" * 500_000)) == 2_000_000
    assert time.monotonic() - begun < 5

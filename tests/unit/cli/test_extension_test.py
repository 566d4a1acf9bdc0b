"""``extension test`` in a machine: what it is asked to combine, and that nothing of a broken test stays."""

from __future__ import annotations

import gc
import signal
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.authoring.planted import handler
from tests.unit.cli.conftest import Cli
from tests.unit.client.arm_stub import ArmStub
from tests.unit.client.programs import install


@pytest.fixture
def package(tmp_path: Path) -> str:
    path = tmp_path / "Contoso.Planted-1.0.0.zip"
    path.write_bytes(handler().archive)
    return str(path)


def published_and_taken_back(arm: ArmStub) -> bool:
    """Whether every publication was one of the test's own, and was taken back."""
    asked = {"PUT": set[str](), "DELETE": set[str]()}
    for method, path, _ in arm.requests:
        if "/vmextension/types/Planted/versions/" in path:
            asked[method].add(path)
    assert all("/publishers/DockyardTest" in path for path in asked["PUT"])
    assert {path.rpartition("/")[2] for path in asked["PUT"]} == {"1.0.0", "1.1.0"}
    return asked["PUT"] == asked["DELETE"]


def test_a_machine_that_cannot_be_looked_into_is_told_and_goes(
    cli: Cli, arm: ArmStub, programs: Path, package: str
) -> None:
    install(programs, "ssh", "#!/bin/sh\necho Permission denied >&2\nexit 255\n")
    done = cli("extension", "test", package)
    assert done.code == 1
    assert "Permission denied" in done.err
    assert "Making the machine" in done.err
    assert arm.machines == {}
    assert published_and_taken_back(arm)


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """Interrupts arrive, also when the tests were begun in the background, where shells have them ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with warnings.catch_warnings():
        # An interrupted subprocess.run kills its program and does not wait for it; its finaliser says so.
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()
    signal.signal(signal.SIGINT, before)


def test_a_login_shell_that_prints_is_told(cli: Cli, programs: Path, package: str, arm: ArmStub) -> None:
    install(programs, "ssh", "#!/bin/sh\necho Welcome\n")
    done = cli("extension", "test", package)
    assert (done.code, "answers something else" in done.err, "Welcome" in done.err) == (1, True, True)
    assert arm.machines == {}


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_leaves_nothing(cli: Cli, arm: ArmStub, programs: Path, package: str, tmp_path: Path) -> None:
    once = tmp_path / "once"
    # Its input read to the end, the caller surely waits for it and is not still starting it.
    heard = f"/bin/cat >/dev/null\n[ -e {once} ] && exit 1\n: > {once}\nkill -INT $PPID\nexec /bin/sleep 20\n"
    install(programs, "ssh", f"#!/bin/sh\n{heard}")
    assert cli("extension", "test", package).code == 130
    assert once.exists()
    assert arm.machines == {}
    assert published_and_taken_back(arm)


def test_a_machine_of_the_users_stays(cli: Cli, arm: ArmStub, programs: Path, package: str) -> None:
    install(programs, "ssh", "#!/bin/sh\nexit 255\n")
    arm.add_machine("web")
    assert cli("extension", "test", package, "--vm", "web").code == 1
    assert set(arm.machines) == {"web"}
    assert published_and_taken_back(arm)
    arm.machines["web"].power = "stopped"
    assert cli("extension", "test", package, "--vm", "web").code == 4


def test_nothing_is_made_for_a_package_that_cannot_run(cli: Cli, arm: ArmStub, tmp_path: Path) -> None:
    path = tmp_path / "Contoso.Planted-1.0.0.zip"
    path.write_bytes(handler(commands={"enableCommand": None}).archive)
    done = cli("extension", "test", str(path))
    assert done.code == 1
    assert "enableCommand" in done.out
    assert arm.requests == []


@pytest.mark.parametrize("words", [["--fast", "--vm", "web"], ["--fast", "--no-reboot"], ["--limit", "3"]])
def test_options_of_the_other_way_are_refused(cli: Cli, arm: ArmStub, package: str, words: list[str]) -> None:
    assert cli("extension", "test", package, *words).code == 2
    assert arm.requests == []

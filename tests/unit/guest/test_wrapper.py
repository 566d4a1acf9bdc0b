"""The package's program as the agent starts it: through a shell, in a bare environment, from a folder of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.guest.conftest import VERSION


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A search path with the interpreter under test as python3, and nothing else but the shell's own needs."""
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "python3").symlink_to(sys.executable)
    return folder


def start(handler: Path, verb: str, *, programs: Path) -> subprocess.CompletedProcess[str]:
    """Start a command in the agent's way."""
    environ = {
        "PATH": str(programs),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AZURE_GUEST_AGENT_EXTENSION_PATH": str(handler),
        "AZURE_GUEST_AGENT_EXTENSION_VERSION": VERSION,
        "ConfigSequenceNumber": "0",
    }
    return subprocess.run(
        ["/bin/sh", "-c", f"{handler}/bin/docker-extension {verb}"],
        cwd=handler,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def fake_python(programs: Path, name: str, script: str) -> None:
    """A program that stands in for an interpreter."""
    path = programs / name
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_repeated_enable_with_nothing_to_do_ends_without_touching_anything(handler: Path, programs: Path) -> None:
    (handler / "settled").write_text(f"{VERSION} 0\n")
    done = start(handler, "enable", programs=programs)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list((handler / "status").iterdir()) == []


def test_a_repeated_enable_imports_next_to_nothing(handler: Path) -> None:
    probe = (
        "import sys; sys.path[0] = sys.argv[1]; before = set(sys.modules); from dockyard_guest.main import main;"
        "assert main(['docker', 'enable']) == 0; print(*sorted(set(sys.modules) - before))"
    )
    (handler / "settled").write_text(f"{VERSION} 0\n")
    environ = {
        "AZURE_GUEST_AGENT_EXTENSION_PATH": str(handler),
        "AZURE_GUEST_AGENT_EXTENSION_VERSION": VERSION,
        "ConfigSequenceNumber": "0",
    }
    argv = [sys.executable, "-Ss", "-c", probe, str(handler / "lib")]
    loaded = set(subprocess.run(argv, env=environ, capture_output=True, text=True, check=True).stdout.split())
    ours = {"dockyard_guest", "dockyard_guest.main", "dockyard_guest.system", "dockyard_guest.system.settled"}
    assert loaded <= {"__future__", "posix", "time", *ours}


def test_byte_code_is_kept_for_the_next_command(handler: Path, programs: Path) -> None:
    start(handler, "nonsense", programs=programs)
    assert list((handler / "lib/dockyard_guest/__pycache__").glob("main.*.pyc"))


@pytest.mark.parametrize("verb", ["nonsense", "''"])
def test_a_command_that_does_not_exist_is_refused_without_a_traceback(handler: Path, programs: Path, verb: str) -> None:
    done = start(handler, verb, programs=programs)
    assert done.returncode == 53
    assert "There is no command" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("text", [None, "", "[]", '[{"handlerEnvironment": {}}]'])
def test_a_broken_environment_file_is_named_without_a_traceback(
    handler: Path, programs: Path, text: str | None
) -> None:
    path = handler / "HandlerEnvironment.json"
    path.unlink()
    if text is not None:
        path.write_text(text)
    done = start(handler, "enable", programs=programs)
    assert done.returncode == 53
    assert "HandlerEnvironment.json" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_machine_without_python_ends_with_52(handler: Path, programs: Path) -> None:
    (programs / "python3").unlink()
    done = start(handler, "install", programs=programs)
    assert done.returncode == 52
    assert "needs Python 3.9 or later" in done.stderr


def test_an_old_python_is_passed_over_for_a_newer_one(handler: Path, programs: Path) -> None:
    fake_python(programs, "python3", "exit 250")
    (programs / "python3.9").symlink_to(sys.executable)
    done = start(handler, "nonsense", programs=programs)
    assert done.returncode == 53


def test_an_old_python_alone_ends_with_52(handler: Path, programs: Path) -> None:
    fake_python(programs, "python3", "exit 250")
    assert start(handler, "install", programs=programs).returncode == 52

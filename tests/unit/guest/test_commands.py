"""The door for processes: separate outputs, a scratch environment, limits that hold, failures that are told apart."""

from __future__ import annotations

import os
import time

import pytest

from dockyard_guest.errors import PermanentError, TemporaryError
from dockyard_guest.system.commands import SystemCommands


@pytest.fixture
def logged() -> list[str]:
    return []


@pytest.fixture
def commands(logged: list[str]) -> SystemCommands:
    return SystemCommands(log=logged.append)


def test_outputs_are_kept_apart(commands: SystemCommands) -> None:
    done = commands.run(["sh", "-c", "cat; echo oops >&2; exit 3"], stdin=b"in", timeout=10)
    assert (done.output, done.complaint, done.exit_code, done.succeeded) == ("in", "oops", 3, False)


def test_the_environment_is_made_from_scratch(commands: SystemCommands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "1")
    names = {line.partition("=")[0] for line in commands.run(["env"], timeout=10).output.splitlines()}
    assert names == {"PATH", "HOME", "LC_ALL"}


def test_a_program_that_is_not_there_is_a_missing_dependency(commands: SystemCommands) -> None:
    with pytest.raises(PermanentError, match="no-such-program is not installed") as caught:
        commands.run(["no-such-program"], timeout=10)
    assert int(caught.value.exit_code) == 52


def test_a_program_that_does_not_end_is_killed_with_its_children(commands: SystemCommands) -> None:
    begun = time.monotonic()
    with pytest.raises(TemporaryError, match="did not end within 1 seconds"):
        commands.run(["sh", "-c", "sleep 60 & sleep 60"], timeout=1)
    assert time.monotonic() - begun < 20


def test_a_stream_that_does_not_end_is_killed(commands: SystemCommands) -> None:
    lines: list[str] = []
    with pytest.raises(TemporaryError):
        commands.stream(["sh", "-c", "echo a; sleep 60"], timeout=1, on_line=lines.append)
    assert lines == ["a"]


def test_a_stream_hands_on_lines_of_both_outputs(commands: SystemCommands) -> None:
    lines: list[str] = []
    script = "echo a; echo b >&2; printf last; exit 4"
    done = commands.stream(["sh", "-c", script], timeout=10, on_line=lines.append, environment={"X": "1"})
    assert lines == ["a", "b", "last"]
    assert done.exit_code == 4


def test_a_daemon_that_keeps_the_output_open_does_not_hold_up_a_stream(commands: SystemCommands) -> None:
    begun = time.monotonic()
    done = commands.stream(["sh", "-c", "sleep 30 & echo $!"], timeout=20, on_line=lambda _: None)
    assert time.monotonic() - begun < 15
    os.kill(int(done.output), 9)


def test_a_log_line_has_the_arguments_and_not_the_input(commands: SystemCommands, logged: list[str]) -> None:
    commands.run(["cat", "-"], stdin=b"canary-7", timeout=10)
    assert logged[0].startswith("cat -: exit code 0, ")
    assert "canary" not in "".join(logged)


def test_a_result_does_not_show_its_output(commands: SystemCommands) -> None:
    assert "canary" not in repr(commands.run(["echo", "-n", "can", "ary"], timeout=10))


def test_programs_are_looked_for_on_the_systems_path(commands: SystemCommands) -> None:
    assert commands.find("sh") is not None
    assert commands.find("no-such-program") is None

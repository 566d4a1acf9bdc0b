"""The entry point: every ending has its exit code, every command its help, nothing a traceback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from dockyard.cli.exit_codes import ExitCode, exit_code
from dockyard.cli.main import app
from dockyard.config import Paths
from dockyard.model import errors
from tests.unit.cli.conftest import Cli
from tests.unit.client.arm_stub import ArmStub

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs/reference/cli.md"


def commands() -> Iterator[tuple[str, ...]]:
    """Every command that does something, by its words."""

    def walk(command: object, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        children = getattr(command, "commands", None)
        if not children:
            yield words
            return
        for name, child in children.items():
            yield from walk(child, (*words, name))

    yield from walk(typer.main.get_command(app), ())


COMMANDS = sorted(commands())


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_has_examples(cli: Cli, words: tuple[str, ...]) -> None:
    done = cli(*words, "--help")
    assert done.code == 0
    assert "Examples" in done.out
    assert f"dockyard {' '.join(words)}" in done.out.partition("Examples")[2]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_is_in_the_reference(words: tuple[str, ...]) -> None:
    assert f"`dockyard {' '.join(words)}" in REFERENCE.read_text("utf-8")


@pytest.mark.parametrize("code", ExitCode)
def test_every_exit_code_is_in_the_reference(code: ExitCode) -> None:
    assert f"| {int(code)} | {code.meaning} |" in REFERENCE.read_text("utf-8")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.OperationFailed("x"), 1),
        (errors.InvalidRequest("x"), 2),
        (errors.NotFound("x"), 3),
        (errors.Conflict("x"), 4),
        (errors.PreconditionFailed("x"), 4),
        (errors.Exhausted("x"), 5),
        (errors.Exhausted("x", code="PortInUse"), 4),
        (errors.DeadlineExceeded("x"), 6),
        (errors.Unauthenticated("x"), 7),
    ],
)
def test_every_sort_of_error_has_its_exit_code(error: errors.DockyardError, code: int) -> None:
    assert exit_code(error) == code


def test_mistyped_command_is_answered_with_a_suggestion(cli: Cli) -> None:
    done = cli("vm", "crate")
    assert done.code == 2
    assert "Did you mean 'create'" in done.err


def test_version_is_printed(cli: Cli) -> None:
    done = cli("--version")
    assert done.code == 0
    assert re.fullmatch(r"dockyard \d+\.\d+\.\d+\n", done.out)


def test_unforeseen_error_is_kept_in_a_file_and_not_shown(cli: Cli, arm: ArmStub, paths: Paths) -> None:
    arm.images["x"] = {"name": "x", "tags": {"dockyard-built-at": "not a time"}, "properties": {}}
    done = cli("image", "list")
    (log,) = paths.state.glob("crash-*.log")
    assert done.code == 1
    assert str(log) in done.err
    assert "Traceback" not in done.err
    assert "not a time" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_wrong_credentials_are_exit_code_7(cli: Cli, arm: ArmStub, paths: Paths) -> None:
    arm.write_credentials(paths, client_secret="wrong")
    assert cli("vm", "list").code == 7


def test_server_that_cannot_start_is_explained(cli: Cli, paths: Paths) -> None:
    paths.make()
    paths.credentials.write_text("{}")
    done = cli("vm", "list")
    assert done.code == 1
    assert str(paths.credentials) in done.err


def test_stop_of_a_server_that_does_not_run_is_no_failure(cli: Cli) -> None:
    for words in (("serve", "--stop"), ("stop-serve",)):
        done = cli(*words)
        assert (done.code, done.err) == (0, "The server was not running.\n")


def test_closed_pipe_is_no_traceback(arm: ArmStub) -> None:
    for number in range(3):
        arm.add_machine(f"m{number}")
    argv = f"{sys.executable} -m dockyard.cli vm list -o json | /usr/bin/head -c 1"
    done = subprocess.run(["/bin/sh", "-c", argv], capture_output=True, text=True, check=False, env=os.environ)
    assert (done.stdout, done.stderr) == ("[", "")


def test_help_and_completion_load_nothing_heavy() -> None:
    script = (
        "import sys, dockyard.cli.main\n"
        "heavy = ('azure', 'cattrs', 'msal', 'requests', 'cryptography', 'ssl', 'http.client', 'rich', 'email')\n"
        "sys.exit(', '.join(name for name in heavy if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_completion_offers_commands(paths: Paths) -> None:
    wanted = {"_DOCKYARD_COMPLETE": "complete_bash", "COMP_WORDS": "dockyard vm s", "COMP_CWORD": "2"}
    script = "import sys; sys.argv = ['dockyard']; from dockyard.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env={**os.environ, **wanted}
    )
    assert set(done.stdout.split()) == {"show", "start", "stop", "ssh"}

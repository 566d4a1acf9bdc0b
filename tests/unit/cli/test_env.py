"""``env``: lines a shell takes, whatever the path holds."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from dockyard.cli import shells
from dockyard.cli.shells import Shell
from dockyard.config import Paths
from tests.unit.cli.conftest import Cli
from tests.unit.client.arm_stub import ArmStub

BASH = shutil.which("bash") or "/bin/bash"
AWKWARD = 'a b$HOME`id`"c"\\d'


def test_variables_are_docker_machines(cli: Cli, arm: ArmStub, paths: Paths) -> None:
    cli("vm", "create", "web")
    port = arm.machines["web"].document["tags"]["dockyard-docker-port"]
    assert cli("env", "web", "--shell", "bash").out == (
        'export DOCKER_TLS_VERIFY="1"\n'
        f'export DOCKER_HOST="tcp://127.0.0.1:{port}"\n'
        f'export DOCKER_CERT_PATH="{paths.data}/certs/web"\n'
        "# Run this command to configure your shell:\n"
        "# eval $(dockyard env web --shell bash)\n"
    )


@pytest.mark.parametrize(
    ("shell", "line", "usage"),
    [
        (Shell.BASH, 'export K="v"', "# eval $(x)"),
        (Shell.FISH, 'set -gx K "v";', "# eval (x)"),
        (Shell.POWERSHELL, '$Env:K = "v"', "# & x | Invoke-Expression"),
        (Shell.CMD, "SET K=v", "REM \t@FOR /f \"tokens=*\" %i IN ('x') DO @%i"),
    ],
)
def test_each_shell_has_its_own_words(shell: Shell, line: str, usage: str) -> None:
    lines = shells.export({"K": "v"}, shell=shell, command="x").splitlines()
    assert (lines[0], lines[-1]) == (line, usage)


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        (Shell.BASH, "unset K"),
        (Shell.FISH, "set -e K;"),
        (Shell.POWERSHELL, "Remove-Item Env:\\K -ErrorAction SilentlyContinue"),
        (Shell.CMD, "SET K="),
    ],
)
def test_each_shell_unsets(shell: Shell, line: str) -> None:
    assert shells.unset(["K"], shell=shell, command="x").splitlines()[0] == line


def test_bash_reads_any_value_back() -> None:
    script = shells.export({"K": AWKWARD}, shell=Shell.BASH, command="x") + '\nprintf %s "$K"'
    assert subprocess.run([BASH, "-c", script], capture_output=True, text=True, check=True).stdout == AWKWARD


def test_bash_takes_it_by_eval_and_loses_it_again() -> None:
    script = f"eval '{shells.export({'K': 'v'}, shell=Shell.BASH, command='x')}'; echo $K; "
    script += f"eval '{shells.unset(['K'], shell=Shell.BASH, command='x')}'; echo [$K]"
    assert subprocess.run([BASH, "-c", script], capture_output=True, text=True, check=True).stdout == "v\n[]\n"


def test_special_characters_are_escaped_for_other_shells() -> None:
    assert shells.export({"K": '$a"b'}, shell=Shell.FISH, command="x").startswith('set -gx K "\\$a\\"b";')
    assert shells.export({"K": '$a"b`'}, shell=Shell.POWERSHELL, command="x").startswith('$Env:K = "`$a`"b``"')


@pytest.mark.parametrize(
    ("login", "shell"), [("/usr/bin/fish", Shell.FISH), ("/bin/zsh", Shell.BASH), (None, Shell.BASH)]
)
def test_login_shell_decides(login: str | None, shell: Shell) -> None:
    assert Shell.of(login) is shell


def test_unset_needs_no_server(cli: Cli) -> None:
    done = cli("env", "--unset", "--shell", "bash")
    assert done.code == 0
    assert done.out.startswith("unset DOCKER_TLS_VERIFY\nunset DOCKER_HOST\nunset DOCKER_CERT_PATH\n")


def test_warnings_do_not_get_into_the_shell(cli: Cli, arm: ArmStub) -> None:
    cli("vm", "create", "web")
    arm.machines["web"].power = "stopped"
    done = cli("env", "web")
    assert "dockyard vm start web" in done.err
    assert "stopped" not in done.out


def test_machine_without_certificates_gives_no_variables(cli: Cli, arm: ArmStub) -> None:
    arm.add_machine("web")
    done = cli("env", "web")
    assert (done.code, done.out) == (3, "")


def test_name_is_wanted(cli: Cli, tmp_path: Path) -> None:
    assert cli("env").code == 2

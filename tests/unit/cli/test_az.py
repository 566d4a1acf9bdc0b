"""``az``: variables for a shell, or Azure's own program run with them; what it is given is its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dockyard.config import Paths
from tests.unit.cli.conftest import Cli
from tests.unit.client.programs import install

FAKE_AZ = f"""#!{sys.executable}
import json, os, sys
names = ("AZURE_CONFIG_DIR", "AZURE_CLOUD_NAME", "REQUESTS_CA_BUNDLE")
print(json.dumps({{"argv": sys.argv[1:], **{{name: os.environ[name] for name in names}}}}))
sys.exit(3)
"""


@pytest.mark.usefixtures("arm")
def test_the_variables_are_printed_for_a_shell(cli: Cli, paths: Paths) -> None:
    printed = cli("az", "--shell", "bash")
    (folder,) = (path for path in (paths.config / "az").iterdir() if path.is_dir())
    assert printed.out == (
        f'export AZURE_CONFIG_DIR="{folder}"\n'
        'export AZURE_CLOUD_NAME="Dockyard"\n'
        f'export REQUESTS_CA_BUNDLE="{folder}/ca-bundle.pem"\n'
        "# Run this command to configure your shell:\n"
        "# eval $(dockyard az --shell bash)\n"
    )
    assert json.loads((folder / "azureProfile.json").read_text())["subscriptions"]


def test_they_are_unset_without_a_server(cli: Cli) -> None:
    printed = cli("az", "--unset", "--shell", "bash")
    assert printed.code == 0
    assert printed.out.startswith("unset AZURE_CONFIG_DIR\nunset AZURE_CLOUD_NAME\nunset REQUESTS_CA_BUNDLE\n")


def test_a_missing_az_is_told_before_anything_is_written(cli: Cli, paths: Paths) -> None:
    told = cli("az", "vm", "list")
    assert told.code == 5
    assert "pip install azure-cli" in told.err
    assert not (paths.config / "az").exists()


@pytest.mark.usefixtures("arm", "paths")
def test_az_gets_its_words_as_they_are_and_its_exit_code_is_passed_on(programs: Path) -> None:
    install(programs, "az", FAKE_AZ)
    words = ["vm", "list", "--help", "--shell", "x", "-o", "table", "--query", "[?a=='b c']"]
    ran = subprocess.run(
        [sys.executable, "-P", "-m", "dockyard.cli", "az", *words],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 3, ran.stderr
    told = json.loads(ran.stdout)
    assert told["argv"] == words
    assert told["AZURE_CLOUD_NAME"] == "Dockyard"
    assert Path(told["AZURE_CONFIG_DIR"], "clouds.config").exists()

"""A new project passes its own tests and the agent's rules, in each language."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dockyard.authoring import new as projects
from dockyard.authoring.new import Language
from dockyard.model.errors import Conflict, InvalidRequest

NAME = "Contoso.Greeter"
pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")


@pytest.fixture(params=Language)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    projects.write(NAME, language=request.param, folder=folder)
    return folder


def test_its_own_tests_pass(project: Path) -> None:
    argv = [sys.executable, "-m", "unittest", "discover", "--start-directory", "tests"]
    done = subprocess.run(argv, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Ran 9 tests" in done.stderr


@pytest.mark.privileged
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")
def test_it_passes_them_in_a_private_copy_and_leaves_nothing(project: Path) -> None:
    built = subprocess.run([str(project / "build")], capture_output=True, text=True, check=True).stdout.strip()
    argv = [str(Path(sys.executable).parent / "dockyard"), "extension", "test", built, "--fast"]
    argv += ["--settings", '{"greeting": "hello"}', "--protected-settings", '{"token": "@canary@"}']
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passes: 0 errors, 0 warnings, 0 notes; 18 commands ran." in done.stdout


def test_its_python_is_that_of_3_9(tmp_path: Path) -> None:
    written = projects.write(NAME, language=Language.PYTHON, folder=tmp_path / "project")
    sources = [path for path in written if path.suffix == ".py" or path.name == "build"]
    assert len(sources) == 4
    for path in sources:
        ast.parse(path.read_text("utf-8"), feature_version=(3, 9))


def test_nothing_is_left_to_fill_in(project: Path) -> None:
    files = [path for path in project.rglob("*") if path.is_file()]
    assert (project / ".github/workflows/test.yml") in files
    assert not [path for path in files if "@slug@" in path.read_text() or "@handler@" in path.read_text()]
    assert [path for path in files if os.access(path, os.X_OK)] == [project / "build", project / "bin/greeter"]


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(Conflict):
        projects.write(NAME, language=Language.SHELL, folder=tmp_path)
    with pytest.raises(Conflict):
        projects.write(NAME, language=Language.SHELL, folder=tmp_path / "mine")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("name", ["Greeter", "Contoso.My-Greeter", "Contoso.", "", "Contoso.Gr/eter", "../x.y"])
def test_a_name_that_the_agent_would_not_take_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidRequest):
        projects.write(name, language=Language.PYTHON, folder=tmp_path / "project")
    assert not (tmp_path / "project").exists()

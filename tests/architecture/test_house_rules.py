"""The rules of the house, checked by tools: imports, format, lint, types, and what a guest may lean on."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SHIPPED = sorted([*(ROOT / "src/dockyard_guest").rglob("*.py"), *(ROOT / "src/dockyard_contract").rglob("*.py")])


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "argv",
    [
        ("ruff", "format", "--check", "src", "tests", "benchmarks"),
        ("ruff", "check", "src", "tests", "benchmarks"),
        ("mypy",),
        ("lint-imports",),
    ],
    ids=lambda argv: " ".join(argv[:2]),
)
def test_the_tool_has_no_complaint(argv: tuple[str, ...]) -> None:
    program, *arguments = argv
    done = run(str(BIN / program), *arguments)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_what_runs_in_a_guest_imports_the_standard_library_alone(path: Path) -> None:
    allowed = sys.stdlib_module_names | {"dockyard_guest", "dockyard_contract"}
    outside = {name for name in imported(path) if name.partition(".")[0] not in allowed}
    assert outside == set()


def imported(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"), feature_version=(3, 9))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.append(node.module)
    return names


@pytest.mark.parametrize("module", ["dockyard.serve", "dockyard.cli.main", "dockyard_guest.main"])
def test_every_program_can_be_imported_first(module: str) -> None:
    """A circle of imports shows only where it is entered; other tests may enter it elsewhere."""
    done = run(sys.executable, "-c", f"import {module}")
    assert done.returncode == 0, done.stderr


def test_every_module_says_its_place() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "src").rglob("*.py")
        if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    reasons = (ROOT / "docs/dependencies.md").read_text("utf-8")
    names = [requirement.split(">")[0] for requirement in wanted]
    assert [name for name in names if f"`{name}`" not in reasons] == []


def test_every_rule_of_the_agent_names_a_test_that_exists() -> None:
    page = (ROOT / "docs/reference/agent-rules.md").read_text("utf-8")
    named = [match.partition("::") for match in re.findall(r"\| `(tests/[^`]+)` \|", page)]
    assert len(named) > 30
    missing = [f"{path}::{test}" for path, _, test in named if not is_there(ROOT / path, test)]
    assert missing == []


def is_there(path: Path, test: str) -> bool:
    return path.is_file() and (not test or f"def {test}(" in path.read_text("utf-8"))

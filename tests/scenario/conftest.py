"""The one fixture of the scenarios."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenario.kit import Context


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A folder in which machines exist."""
    root = tmp_path / "machine"
    root.mkdir()
    return Context(root)

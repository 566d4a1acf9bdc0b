"""The digest of a file with holes is that of its whole content."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from dockyard.gallery.sparse import allocated, digest

MIB = 2**20


@pytest.mark.parametrize(
    ("size", "data"),
    [
        (0, {}),
        (3 * MIB + 5, {}),
        (4 * MIB, {0: b"begin"}),
        (4 * MIB, {4 * MIB - 3: b"end"}),
        (9 * MIB, {MIB: b"x" * MIB, 5 * MIB + 7: b"y" * 100}),
    ],
)
def test_holes_count_as_zeroes(tmp_path: Path, size: int, data: dict[int, bytes]) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate(size)
        for position, content in data.items():
            file.seek(position)
            file.write(content)
    assert digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_holes_take_no_space(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate(64 * MIB)
    assert allocated(path) < MIB

"""A failed build is explained by what it wrote, with what the user can do."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockyard.gallery.failures import SHOWN_LINES, explain
from dockyard.model.errors import DockyardError, Exhausted, OperationFailed

LOG = Path("/data/images/small.log")


def failure(*lines: str) -> DockyardError:
    return explain(alias="small", code=25, lines=lines, log=LOG)


def test_the_last_lines_and_the_log_are_in_the_details() -> None:
    error = failure(*(f"line {number}" for number in range(100)))
    assert isinstance(error, OperationFailed)
    assert error.details.splitlines()[1:] == [f"line {number}" for number in range(100 - SHOWN_LINES, 100)]
    assert str(LOG) in error.details


@pytest.mark.parametrize(
    "line", ["dpkg: error: No space left on device", "E: You don't have enough free space in /var/cache/apt/archives/."]
)
def test_a_full_disk_is_told_as_such(line: str) -> None:
    error = failure(line, *["E: mmdebstrap failed to run"] * 50)
    assert isinstance(error, Exhausted)
    assert error.code == "InsufficientDiskSpace"


@pytest.mark.parametrize(
    ("line", "advice", "temporary"),
    [
        ("W: GPG error: The following signatures couldn't be verified: NO_PUBKEY 123", "debian-archive-keyring", False),
        ("Err:1 http://x trixie InRelease Temporary failure resolving 'x'", "mirror", True),
        ("E: newuidmap 123 0 100000 65536 failed", "uidmap", False),
        ("E: something else", "Read the log", False),
    ],
)
def test_known_causes_have_their_advice(line: str, advice: str, temporary: bool) -> None:
    error = failure(line)
    assert advice in error.resolution
    assert error.temporary is temporary

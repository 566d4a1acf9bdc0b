"""The handler's log: lines with time and label, one old file, and no failure that reaches the work."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockyard_guest.errors import PermanentError
from dockyard_guest.runtime.log import Log
from dockyard_guest.system.clock import SystemClock
from dockyard_guest.system.files import SystemFiles

MEBIBYTE = 1024 * 1024


def opened(path: Path, *, files: SystemFiles | None = None) -> Log:
    log = Log(files=files or SystemFiles(), clock=SystemClock())
    log.open(str(path), label="1.3.0 work 4")
    return log


def test_every_line_has_its_time_and_its_label(tmp_path: Path) -> None:
    opened(tmp_path / "handler/x.log").write("one\ntwo")
    lines = (tmp_path / "handler/x.log").read_text().splitlines()
    assert [line.partition("Z ")[2] for line in lines] == ["1.3.0 work 4: one", "1.3.0 work 4: two"]


def test_lines_from_before_the_file_is_known_are_kept(tmp_path: Path) -> None:
    log = Log(files=SystemFiles(), clock=SystemClock())
    log.write("early")
    log.open(str(tmp_path / "x.log"), label="a")
    assert (tmp_path / "x.log").read_text().endswith("a: early\n")


def test_a_log_at_its_limit_becomes_the_one_old_file(tmp_path: Path) -> None:
    path, old = tmp_path / "x.log", tmp_path / "x.log.old"
    old.write_text("the one before")
    path.write_text("x" * (2 * MEBIBYTE + 1))
    opened(path).write("new")
    assert path.stat().st_size < 100
    assert old.stat().st_size > 2 * MEBIBYTE
    assert {file.name for file in tmp_path.iterdir()} == {"x.log", "x.log.old"}


def test_a_log_below_its_limit_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("before\n")
    opened(path).write("new")
    assert path.read_text().startswith("before\n")


class FullDisk(SystemFiles):
    """Files on a disk without room."""

    def append(self, path: str, content: bytes, *, mode: int) -> None:
        raise PermanentError(f"{path} could not be written: No space left on device.")


def test_a_full_disk_does_not_keep_an_error_from_being_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    opened(tmp_path / "x.log", files=FullDisk()).complain("what went wrong")
    assert capsys.readouterr().err == "what went wrong\n"

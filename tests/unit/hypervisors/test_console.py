"""What a guest writes to its console reaches the reader clean, in order, and within bounds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dockyard.hypervisors.console_text import clean
from dockyard.hypervisors.qemu import console

NOW = datetime(2026, 11, 23, 21, 58, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        (b"", []),
        (b"plain\r\ntext\r\n", ["plain", "text"]),
        (b"no end", ["no end"]),
        (b"[  \x1b[0;32mOK  \x1b[0m] Started \x1b[0;1;39mssh\x1b[0m.\r\n", ["[  OK  ] Started ssh."]),
        (b"\x1b[2J\x1b[1;1H\x1b[?25lhello\n", ["hello"]),
        (b"10%\r50%\r100%\n", ["100%"]),
        (b"\r\x1b[Kdone\n", ["done"]),
        (b"\x1b]0;evil title\x07shown\n", ["shown"]),
        (b"\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\\n", ["link"]),
        (b"\x1bPq#0;2\x1b\\after\n", ["after"]),
        (b"\x1b]0;never ended\nnext\n", ["", "next"]),
        (b"\xc2\x9b31mred\n", ["red"]),
        (b"a\x00b\x07c\x08d\x7f\n", ["abcd"]),
        (b"col\tumn\n", ["col\tumn"]),
        (b"\xff\xfebad\n", ["\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}bad"]),
        ("grüße\n".encode(), ["grüße"]),
        (b"\x1b", []),
    ],
)
def test_escape_sequences_and_controls_are_removed(raw: bytes, lines: list[str]) -> None:
    assert list(clean(raw)) == lines


def test_no_control_character_survives() -> None:
    every = bytes(range(256)) * 3
    assert all(character >= " " or character == "\t" for line in clean(every) for character in line)


def test_the_tail_is_the_last_lines(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("".join(f"{number}\r\n" for number in range(100)))
    assert console.tail(tmp_path / "log", lines=3) == ["97", "98", "99"]
    assert console.tail(tmp_path / "log", lines=0) == ()


def test_the_tail_of_a_large_log_is_complete(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("".join(f"{number:0200}\n" for number in range(5000)))
    assert [int(line) for line in console.tail(tmp_path / "log", lines=900)] == list(range(4100, 5000))


def test_runs_are_parted_by_a_visible_mark(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"cut off in the mid")
    console.mark_start(tmp_path / "log", at=NOW, text="machine started")
    assert console.tail(tmp_path / "log", lines=9) == [
        "cut off in the mid",
        "===== 2026-11-23 21:58:00 UTC: machine started =====",
    ]


def test_a_large_log_is_set_aside_once_and_still_read(tmp_path: Path) -> None:
    for letter in ("a", "b", "c"):
        (tmp_path / "log").write_text(letter * (console.LARGEST_LOG + 1))
        console.mark_start(tmp_path / "log", at=NOW, text="machine started")
    whole = console.whole(tmp_path / "log")
    assert whole.startswith(b"ccc")
    assert whole.endswith(b"machine started =====\r\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.1"]


def test_a_new_log_is_private(tmp_path: Path) -> None:
    console.mark_start(tmp_path / "log", at=NOW, text="machine started")
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600

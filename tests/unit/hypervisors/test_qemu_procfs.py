"""Processes are told apart by what the kernel says of them, whatever they call themselves."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from dockyard.hypervisors.qemu import procfs
from dockyard.hypervisors.qemu.procfs import Marks, parse_command_line, parse_stat
from dockyard.model.virtual_machine import ProcessIdentity

UUID = "11111111-2222-4333-8444-555555555555"


def stat_line(*, name: str = "qemu", state: str = "S", threads: int = 4, start: int = 425436) -> str:
    before = "1 77 77 0 -1 4194560 1 0 0 0 5 6 0 0 20 0"
    return f"77 ({name}) {state} {before} {threads} 0 {start} 123 456 18446744073709551615 1 1\n"


@pytest.mark.parametrize("name", ["qemu", "a b", "x) R 1 2 3 (y", ") Z 0", "(((", "line\nfeed) S 9 9", ""])
def test_evil_names_do_not_shift_the_fields(name: str) -> None:
    stat = parse_stat(stat_line(name=name))
    assert (stat.state, stat.threads, stat.start_time) == ("S", 4, 425436)


@pytest.mark.parametrize(
    ("state", "threads", "gone", "dying"),
    [
        ("R", 1, False, False),
        ("D", 3, False, False),
        ("Z", 1, True, False),
        ("Z", 0, True, False),
        ("Z", 3, False, True),
        ("X", 1, True, False),
    ],
)
def test_a_killed_process_holds_its_ports_until_its_last_thread_ends(
    *, state: str, threads: int, gone: bool, dying: bool
) -> None:
    stat = parse_stat(stat_line(state=state, threads=threads))
    assert (stat.is_gone, stat.is_dying) == (gone, dying)


def command_line(*arguments: str) -> bytes:
    return "\0".join([*arguments, ""]).encode()


def test_a_machine_is_known_by_uuid_and_pidfile() -> None:
    raw = command_line("/usr/bin/qemu-system-x86_64", "-m", "512", "-uuid", UUID, "-pidfile", "/data/web/pid")
    assert parse_command_line(raw) == Marks(vm_id=UUID, pidfile=Path("/data/web/pid"))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        command_line("grep", "qemu-system-x86_64", "-uuid", UUID, "-pidfile", "/pid"),
        command_line("sh", "-c", f"qemu-system-x86_64 -uuid {UUID} -pidfile /pid"),
        command_line("/usr/bin/qemu-system-x86_64", "-uuid", UUID),
        command_line("/usr/bin/qemu-system-x86_64", "-name", f"-uuid {UUID}", "-pidfile", "/pid"),
        command_line("/usr/bin/qemu-system-x86_64", "-pidfile", "/pid", "-uuid"),
        b"\xff\xfe",
    ],
)
def test_nothing_else_is_taken_for_a_machine(raw: bytes) -> None:
    marks = parse_command_line(raw)
    assert marks is None or marks.vm_id != UUID


def test_a_process_that_waits_to_be_reaped_is_not_alive() -> None:
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    stat = procfs.read_stat(process.pid)
    assert stat is not None
    assert not procfs.is_alive(ProcessIdentity(process.pid, stat.start_time))
    process.wait()


def test_a_reused_number_is_another_process() -> None:
    stat = procfs.read_stat(os.getpid())
    assert stat is not None
    assert procfs.is_alive(ProcessIdentity(os.getpid(), stat.start_time))
    assert not procfs.is_alive(ProcessIdentity(os.getpid(), stat.start_time - 1))


@pytest.mark.parametrize("content", ["", "junk", "-1", "99999999", pytest.param(str(os.getpid()), id="another")])
def test_a_pidfile_is_a_hint_not_a_proof(tmp_path: Path, content: str) -> None:
    (tmp_path / "pid").write_text(content)
    assert procfs.find(vm_id=UUID, pidfile=tmp_path / "pid") is None

"""Programs are started apart, found, watched and ended; the numbers of dead ones are never hit."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from dockyard.hypervisors.qemu import processes, procfs
from dockyard.model.errors import DeadlineExceeded, Exhausted
from dockyard.model.virtual_machine import ProcessIdentity

UUID = "aaaaaaaa-2222-4333-8444-555555555555"
SLEEPER = "import time; time.sleep(600)"
STUBBORN = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True)"


def start_pretender(folder: Path, *, pidfile: bool = True) -> ProcessIdentity:
    """Start a Python that carries a machine's marks on its command line."""
    program = folder / "qemu-system-x86_64"
    program.symlink_to(sys.executable)
    argv = [str(program), "-c", SLEEPER, "-uuid", UUID, "-pidfile", str(folder / "pid")]
    identity = processes.start(argv, log=folder / "log")
    if pidfile:
        (folder / "pid").write_text(f"{identity.pid}\n")
    return identity


@pytest.mark.parametrize("pidfile", [True, False])
async def test_a_machine_is_found_with_or_without_its_pidfile(tmp_path: Path, pidfile: bool) -> None:
    identity = start_pretender(tmp_path, pidfile=pidfile)
    found = processes.find(vm_id=UUID, pidfile=tmp_path / "pid")
    await processes.end(identity)
    assert found == identity


async def test_a_machine_with_the_same_uuid_below_another_root_is_not_ours(tmp_path: Path) -> None:
    identity = start_pretender(tmp_path)
    found = processes.find(vm_id=UUID, pidfile=tmp_path / "elsewhere" / "pid")
    await processes.end(identity)
    assert found is None


async def test_an_ended_process_is_gone_and_leaves_no_zombie(tmp_path: Path) -> None:
    identity = start_pretender(tmp_path)
    await processes.end(identity)
    assert processes.find(vm_id=UUID, pidfile=tmp_path / "pid") is None
    assert procfs.read_stat(identity.pid) is None


def test_a_process_that_died_unwatched_leaves_no_zombie(tmp_path: Path) -> None:
    identity = processes.start([sys.executable, "-c", ""], log=tmp_path / "log")
    os.waitid(os.P_PID, identity.pid, os.WEXITED | os.WNOWAIT)
    processes.find(vm_id=UUID, pidfile=tmp_path / "pid")
    assert procfs.read_stat(identity.pid) is None


async def test_a_started_process_has_its_own_session_and_no_input(tmp_path: Path) -> None:
    script = "import os, sys; print(os.getsid(0) == os.getpid(), sys.stdin.read() == '', dict(os.environ).keys())"
    identity = processes.start([sys.executable, "-c", script], log=tmp_path / "log")
    assert await processes.wait_gone(identity, deadline=30)
    assert (tmp_path / "log").read_text().startswith("True True")
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


async def test_the_environment_s_secrets_are_not_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKYARD_TOKEN", "s3cret")
    done = await processes.run([sys.executable, "-c", "import os; print(dict(os.environ))"], deadline=30)
    assert "s3cret" not in done.output


async def test_a_process_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    identity = processes.start([sys.executable, "-c", f"{STUBBORN}; {SLEEPER}"], log=tmp_path / "log")
    while not (tmp_path / "log").read_text():
        assert not await processes.wait_gone(identity, deadline=0.02)
    await processes.end(identity)
    assert not procfs.is_alive(identity)


async def test_a_later_process_with_the_number_is_spared(tmp_path: Path) -> None:
    identity = start_pretender(tmp_path)
    await processes.end(ProcessIdentity(pid=identity.pid, start_time=identity.start_time - 1))
    assert procfs.is_alive(identity)
    await processes.end(identity)


async def test_a_program_that_takes_too_long_is_ended() -> None:
    with pytest.raises(DeadlineExceeded, match="did not end within"):
        await processes.run([sys.executable, "-c", SLEEPER], deadline=0.2)


async def test_output_is_read_until_enough_was_seen() -> None:
    script = f"print('one', flush=True); print('two', flush=True); {SLEEPER}"
    text = await processes.output_until([sys.executable, "-c", script], enough=lambda seen: "two" in seen, deadline=30)
    assert text.split() == ["one", "two"]


async def test_output_of_a_silent_program_is_awaited_no_longer_than_the_deadline() -> None:
    assert await processes.output_until([sys.executable, "-c", SLEEPER], enough=bool, deadline=0.2) == ""


def test_a_missing_program_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Exhausted, match="apt-get install qemu-system-x86") as refusal:
        processes.program(processes.SYSTEM_PROGRAM)
    assert refusal.value.code == "ProgramMissing"

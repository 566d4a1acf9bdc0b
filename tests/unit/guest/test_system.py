"""The smaller doors: systemd's answers, the distribution, background work, and the marker of what is settled."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from dockyard_contract.environment import PATH_VARIABLE, SEQUENCE_VARIABLE, VERSION_VARIABLE
from dockyard_guest import main
from dockyard_guest.errors import TemporaryError
from dockyard_guest.system.background import SystemBackground
from dockyard_guest.system.files import SystemFiles
from dockyard_guest.system.os_release import parse_os_release
from dockyard_guest.system.services import SystemServices, parse_units
from dockyard_guest.system.settled import SettledMarker, is_settled
from dockyard_guest.values import Completed, Family, Unit

SHOWN = """MainPID=812
Id=docker.service
Names=docker.service
LoadState=loaded
ActiveState=active
FragmentPath=/usr/lib/systemd/system/docker.service
DropInPaths=/etc/systemd/system/docker.service.d/10-docker-extension.conf /etc/systemd/system/docker.service.d/p.conf
UnitFileState=disabled

Id=docker.socket
LoadState=masked
ActiveState=inactive

Id=containerd.service
LoadState=not-found
ActiveState=inactive
"""


class Programs:
    """Notes what is run, and answers what it was told to."""

    def __init__(self, *answers: Completed) -> None:
        self.answers = list(answers)
        self.ran: list[list[str]] = []

    def find(self, program: str) -> str | None:
        return None

    def run(self, argv: Sequence[str], *, timeout: float, stdin: bytes = b"") -> Completed:
        self.ran.append(list(argv))
        return self.answers.pop(0) if self.answers else Completed(argv=tuple(argv), exit_code=0)

    def stream(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        on_line: Callable[[str], None],
        environment: Mapping[str, str] | None = None,
    ) -> Completed:
        raise AssertionError(argv)


def test_systemds_answer_is_read_unit_by_unit() -> None:
    service, socket, containerd = parse_units(SHOWN, names=("docker.service", "docker.socket", "containerd.service"))
    assert service.is_active
    assert service.main_pid == 812
    assert len(service.drop_ins) == 2
    assert not service.starts_at_boot
    assert socket.is_masked
    assert socket.exists
    assert not containerd.exists


def test_units_that_systemd_says_nothing_about_do_not_exist() -> None:
    assert parse_units("", names=("a.service",)) == (Unit(name="a.service"),)


@pytest.mark.parametrize(
    ("state", "starts"), [("enabled", True), ("static", True), ("disabled", False), ("indirect", False), ("", True)]
)
def test_only_disabled_units_need_enabling(state: str, starts: bool) -> None:
    assert Unit(name="x", file_state=state).starts_at_boot is starts


def test_a_restart_forgets_earlier_failures_first() -> None:
    programs = Programs()
    SystemServices(commands=programs).restart("docker.service")
    assert [argv[2:] for argv in programs.ran] == [["reset-failed", "docker.service"], ["restart", "docker.service"]]


def test_a_refusal_of_systemd_keeps_its_words() -> None:
    programs = Programs(Completed(argv=(), exit_code=1, stderr=b"Unit x.service not found."))
    with pytest.raises(TemporaryError) as caught:
        SystemServices(commands=programs).stop(["x.service"])
    assert caught.value.details == "Unit x.service not found."


def test_the_journal_is_asked_for_one_unit_since_a_moment() -> None:
    programs = Programs(Completed(argv=(), exit_code=0), Completed(argv=(), exit_code=0, stdout=b"a\nb\n"))
    assert SystemServices(commands=programs).journal("docker.service", since=12.9, lines=5) == ("a", "b")
    assert programs.ran[0] == ["journalctl", "--sync"]
    assert {"_SYSTEMD_UNIT=docker.service", "--since=@12", "--lines=5"} <= set(programs.ran[1])


@pytest.mark.parametrize(
    ("text", "family", "id_", "codename"),
    [
        ('ID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n', Family.DEBIAN, "debian", "trixie"),
        ("ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\n", Family.DEBIAN, "ubuntu", "noble"),
        (
            'ID="linuxmint"\nID_LIKE="ubuntu debian"\nVERSION_CODENAME=xia\nUBUNTU_CODENAME=noble\n',
            Family.DEBIAN,
            "linuxmint",
            "noble",
        ),
        ("ID=fedora\n# ID=debian\nPRETTY_NAME='x\n", Family.RED_HAT, "fedora", ""),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', Family.RED_HAT, "rocky", ""),
        ("ID=azurelinux\n", Family.RED_HAT, "azurelinux", ""),
        ('ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', Family.SUSE, "opensuse-leap", ""),
        ("ID=alpine\n", None, "alpine", ""),
        ("", None, "linux", ""),
    ],
)
def test_the_distribution_is_read_from_its_file(text: str, family: Family | None, id_: str, codename: str) -> None:
    release = parse_os_release(text)
    assert (release.family, release.id, release.codename) == (family, id_, codename)


class Services(SystemServices):
    """Whether systemd runs is said by the test."""

    def __init__(self, *, runs: bool) -> None:
        super().__init__(commands=Programs())
        self._runs = runs

    def is_available(self) -> bool:
        return self._runs


def test_background_work_is_a_unit_of_its_own_where_systemd_runs() -> None:
    programs = Programs()
    background = SystemBackground(commands=programs, services=Services(runs=True), log=print)
    background.start(name="work-3", argv=["/x/bin/handler", "work"], environment={"N": "3"})
    (argv,) = programs.ran
    assert argv[:4] == ["systemd-run", "--unit=work-3", "--collect", "--quiet"]
    assert argv[-4:] == ["--setenv=N=3", "--", "/x/bin/handler", "work"]


def test_background_work_that_is_killed_is_begun_again_by_systemd() -> None:
    programs = Programs()
    background = SystemBackground(commands=programs, services=Services(runs=True), log=print)
    background.start(name="work-3", argv=["/x/bin/handler", "work"], environment={})
    assert {"--property=Restart=on-abnormal", "--property=StartLimitBurst=5"} <= set(programs.ran[0])


def test_background_work_that_systemd_refuses_is_an_error() -> None:
    programs = Programs(Completed(argv=(), exit_code=1, stderr=b"Failed to start transient service unit"))
    background = SystemBackground(commands=programs, services=Services(runs=True), log=print)
    with pytest.raises(TemporaryError, match="could not start the background work"):
        background.start(name="work-3", argv=["/x"], environment={})


def test_background_work_outlives_its_starter_elsewhere(tmp_path: Path) -> None:
    done = tmp_path / "fifo"
    os.mkfifo(done)
    background = SystemBackground(commands=Programs(), services=Services(runs=False), log=lambda _: None)
    script = f'ps -o sid= -p $$ > "{done}"'
    background.start(name="work-3", argv=["/bin/sh", "-c", script], environment={"N": "3"})
    session = int(done.read_text())
    assert session != os.getsid(0)


def settle(folder: Path, *watched: Path) -> None:
    SettledMarker(files=SystemFiles()).record(
        folder=str(folder), version="1.3.0", sequence_number=4, watched=[str(path) for path in watched]
    )


def settled(folder: Path, *, version: str = "1.3.0", number: str = "4", now: float = 0.0) -> bool:
    return is_settled(folder=str(folder), version=version, sequence_number=number, now=now)


def test_a_number_is_settled_while_its_files_stay(tmp_path: Path) -> None:
    file, absent = tmp_path / "a file", tmp_path / "absent"
    file.write_text("x")
    settle(tmp_path, file, absent)
    assert settled(tmp_path)
    assert not settled(tmp_path, number="5")
    assert not settled(tmp_path, version="1.3.1")
    absent.write_text("came")
    assert not settled(tmp_path)
    absent.unlink()
    file.write_text("changed")
    assert not settled(tmp_path)


def test_a_number_is_settled_until_the_moment_of_its_next_look(tmp_path: Path) -> None:
    marker = SettledMarker(files=SystemFiles())
    marker.record(folder=str(tmp_path), version="1.3.0", sequence_number=4, watched=[], until=100.9)
    assert settled(tmp_path, now=99.9)
    assert not settled(tmp_path, now=100.0)


def test_a_number_is_settled_while_the_process_of_a_file_runs(tmp_path: Path) -> None:
    pid_file = tmp_path / "engine.pid"
    with subprocess.Popen(
        ["sh", "-c", "echo begun; read end"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        pid_file.write_text(f"{process.pid}\n")
        SettledMarker(files=SystemFiles()).record(
            folder=str(tmp_path), version="1.3.0", sequence_number=4, watched=[], pid_files=[str(pid_file), "/nowhere"]
        )
        assert settled(tmp_path)
        pid_file.write_text(str(os.getpid()))
        assert not settled(tmp_path)
        pid_file.write_text(str(process.pid))
        process.kill()
    assert not settled(tmp_path)


def test_nothing_is_settled_without_a_marker(tmp_path: Path) -> None:
    assert not settled(tmp_path)
    settle(tmp_path)
    assert settled(tmp_path)
    SettledMarker(files=SystemFiles()).forget(folder=str(tmp_path))
    assert not settled(tmp_path)


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"1.3.0 4 5\n"])
def test_a_damaged_marker_settles_nothing(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "settled").write_bytes(text)
    assert not settled(tmp_path)


def test_a_repeated_enable_reads_the_variables_the_contract_names(tmp_path: Path) -> None:
    settle(tmp_path)
    variables = {PATH_VARIABLE: str(tmp_path), VERSION_VARIABLE: "1.3.0", SEQUENCE_VARIABLE: "4"}
    program = "import sys; from dockyard_guest.main import main; sys.exit(main(['docker', 'enable']))"
    sources = str(Path(main.__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": sources, **variables}, check=False)
    assert done.returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"settled"}

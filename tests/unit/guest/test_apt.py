"""apt: waiting for locks with the holder's name, for the network with the host's, up to deadlines, in virtual time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from dockyard_guest.errors import PermanentError, SupersededError, TemporaryError
from dockyard_guest.system.files import SystemFiles
from dockyard_guest.system.packages.apt import MANNER, Apt, versions_in_table
from dockyard_guest.system.packages.attempts import LOCK_PATIENCE, NETWORK_PATIENCE, passing_trouble
from dockyard_guest.system.packages.locks import LockHolder, lock_holder
from dockyard_guest.values import Completed

NO_NAME = """Ign:1 http://deb.debian.org/debian trixie InRelease
Err:1 http://deb.debian.org/debian trixie InRelease
  Temporary failure resolving 'deb.debian.org'
W: Failed to fetch http://deb.debian.org/debian/dists/trixie/InRelease  Temporary failure resolving 'deb.debian.org'
E: Some index files failed to download. They have been ignored, or old ones used instead.
"""
LOCKER = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.lockf(file, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""
HELD = "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 812 (unattended-upgr)"


class Clock:
    """Time that passes only when somebody waits."""

    now = 0.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Programs:
    """apt-get and its family: answers by the words of the command, used up in order; the last one stays."""

    def __init__(self, **answers: list[Completed]) -> None:
        self.answers = answers
        self.ran: list[str] = []
        self.options: list[list[str]] = []

    def find(self, program: str) -> str | None:
        return f"/usr/bin/{program}"

    def run(self, argv: Sequence[str], *, timeout: float, stdin: bytes = b"") -> Completed:
        words = [word for word in argv if not word.startswith("-") and "::" not in word]
        self.ran.append(" ".join(words))
        self.options.append([word for word in argv if "::" in word])
        key = "_".join(words[:2]).replace("-", "_")
        key = "dpkg_query" if words[0] == "dpkg-query" else key
        assert key in self.answers, f"nobody said that {words} would be started"
        left = self.answers[key]
        return left.pop(0) if len(left) > 1 else left[0]

    def stream(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        on_line: Callable[[str], None],
        environment: Mapping[str, str] | None = None,
    ) -> Completed:
        assert environment is not None
        assert environment["DEBIAN_FRONTEND"] == "noninteractive"
        completed = self.run(argv, timeout=timeout)
        for line in completed.output.splitlines():
            on_line(line)
        return completed


class SlowPrograms(Programs):
    """Each takes its time."""

    def __init__(self, clock: Clock, *, seconds: float, **answers: list[Completed]) -> None:
        super().__init__(**answers)
        self._clock, self._seconds = clock, seconds

    def run(self, argv: Sequence[str], *, timeout: float, stdin: bytes = b"") -> Completed:
        self._clock.sleep(self._seconds)
        return super().run(argv, timeout=timeout, stdin=stdin)


class Step:
    """Notes what is said; gives up when told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.superseded = False

    def say(self, text: str) -> None:
        self.said.append(text)

    def warn(self, text: str) -> None:
        raise AssertionError(text)

    def checkpoint(self) -> None:
        if self.superseded:
            raise SupersededError("something newer is wanted")


def answer(text: str = "", code: int = 0) -> Completed:
    return Completed(argv=(), exit_code=code, stdout=text.encode())


def good(**answers: list[Completed]) -> Programs:
    usual = {
        "apt_get_update": [answer()],
        "apt_get_install": [answer()],
        "apt_cache_pkgnames": [answer("docker-cli\ndocker-clients\n")],
    }
    return Programs(**{**usual, **answers})


class EmptyFiles(SystemFiles):
    """No journal of an interrupted dpkg, unless a test says so."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def names(self, folder: str) -> tuple[str, ...]:
        assert folder == "/var/lib/dpkg/updates"
        return self._names


def apt(
    programs: Programs,
    *,
    clock: Clock | None = None,
    holders: Callable[[str], LockHolder | None] = lambda _: None,
    files: SystemFiles | None = None,
) -> Apt:
    return Apt(commands=programs, clock=clock or Clock(), files=files or EmptyFiles(), holder=holders)


def test_packages_are_installed_after_the_lists_are_renewed() -> None:
    programs = good()
    apt(programs).install(["docker.io", "apparmor"], if_known=["docker-cli", "nope"], step=Step())
    assert programs.ran[0] == "apt-get update"
    assert programs.ran[-1] == "apt-get install docker.io apparmor docker-cli"


def test_a_network_that_comes_late_is_waited_for_and_its_host_is_named() -> None:
    step, clock = Step(), Clock()
    programs = good(apt_get_update=[answer(NO_NAME, 100), answer(NO_NAME, 100), answer()])
    apt(programs, clock=clock).install(["docker.io"], if_known=[], step=step)
    assert clock.now == 15
    assert "temporary failure resolving deb.debian.org; next try in 5 s" in step.said[0]


def test_the_lists_are_fetched_without_retries_of_apt_s_own() -> None:
    programs = good()
    apt(programs).install(["docker.io"], if_known=[], step=Step())
    retries = [[word for word in options if "Retries" in word][-1] for options in programs.options if options]
    assert retries == ["Acquire::Retries=0", "Acquire::Retries=2"]


def test_a_network_that_never_comes_ends_with_52_and_the_host() -> None:
    clock = Clock()
    with pytest.raises(TemporaryError) as caught:
        apt(good(apt_get_update=[answer(NO_NAME, 100)]), clock=clock).install(["docker.io"], if_known=[], step=Step())
    assert int(caught.value.exit_code) == 52
    assert "temporary failure resolving deb.debian.org" in caught.value.brief
    assert NETWORK_PATIENCE - 60 <= clock.now <= NETWORK_PATIENCE


@pytest.mark.parametrize(("seconds", "attempts"), [(30, 3), (400, 2)])
def test_attempts_that_take_long_count_but_a_second_is_made(seconds: float, attempts: int) -> None:
    clock = Clock()
    programs = SlowPrograms(clock, seconds=seconds, apt_get_update=[answer(NO_NAME, 100)])
    with pytest.raises(TemporaryError):
        apt(programs, clock=clock).install(["docker.io"], if_known=[], step=Step())
    assert programs.ran == ["apt-get update"] * attempts


def test_a_lock_is_waited_for_and_its_holder_is_named() -> None:
    step, clock = Step(), Clock()

    def holders(path: str) -> LockHolder | None:
        busy = clock.now < 30 and path.endswith("lock-frontend")
        return LockHolder(path=path, pid=812, name="unattended-upgr") if busy else None

    apt(good(), clock=clock, holders=holders).install(["docker.io"], if_known=[], step=step)
    assert step.said[0] == (
        "waiting for another package manager: unattended-upgr (process 812) holds /var/lib/dpkg/lock-frontend"
    )
    assert clock.now == 30


def test_a_lock_that_is_never_free_ends_with_52_and_the_holder() -> None:
    clock = Clock()
    holder = LockHolder(path="/var/lib/dpkg/lock", pid=9, name="dpkg")
    with pytest.raises(TemporaryError, match=r"dpkg \(process 9\) holds /var/lib/dpkg/lock") as caught:
        apt(good(), clock=clock, holders=lambda _: holder).install(["docker.io"], if_known=[], step=Step())
    assert int(caught.value.exit_code) == 52
    assert clock.now >= LOCK_PATIENCE


def test_a_lock_lost_to_somebody_quicker_is_tried_again() -> None:
    programs = good(apt_get_install=[answer(HELD, 100), answer()])
    apt(programs).install(["docker.io"], if_known=[], step=Step())
    assert programs.ran.count("apt-get install docker.io") == 2


def test_waiting_is_given_up_for_something_newer() -> None:
    step = Step()
    step.superseded = True
    with pytest.raises(SupersededError):
        apt(good(apt_get_update=[answer(NO_NAME, 100)])).install(["docker.io"], if_known=[], step=step)


def test_a_package_that_does_not_exist_is_an_error_with_apts_words() -> None:
    words = "Reading package lists...\nE: Unable to locate package docker.io"
    with pytest.raises(PermanentError, match=r"apt-get install failed: E: Unable to locate package docker\.io"):
        apt(good(apt_get_install=[answer(words, 100)])).install(["docker.io"], if_known=[], step=Step())


def test_an_interrupted_dpkg_is_repaired_first() -> None:
    programs = good(dpkg=[answer()])
    apt(programs, files=EmptyFiles("0001")).install(["docker.io"], if_known=[], step=Step())
    assert programs.ran[0] == "dpkg"


def test_only_whole_installations_count_as_installed() -> None:
    programs = Programs(dpkg_query=[answer("ii  runc 1\nrc  docker.io 2\niU  containerd 3\nii  apparmor 4\n")])
    assert apt(programs).installed() == {"runc", "apparmor"}


def test_packages_are_removed_together_when_nobody_else_needs_them() -> None:
    programs = Programs(
        dpkg_query=[answer("ii  runc 1\nii  docker.io 2\n")],
        apt_get_remove=[answer("Remv docker.io [26.1]\nRemv runc [1.1]\n"), answer()],
    )
    apt(programs).remove(["docker.io", "runc", "gone"])
    assert programs.ran[-1] == "apt-get remove docker.io runc"


def test_a_package_that_others_need_by_now_stays() -> None:
    programs = Programs(
        dpkg_query=[answer("ii  runc 1\nii  docker.io 2\n")],
        apt_get_remove=[
            answer("Remv docker.io [26.1]\nRemv podman [5]\nRemv runc [1.1]\n"),
            answer("Remv docker.io [26.1]\n"),
            answer("Remv podman [5]\nRemv runc [1.1]\n"),
            answer(),
        ],
    )
    apt(programs).remove(["docker.io", "runc"])
    assert programs.ran[-1] == "apt-get remove docker.io"


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        ("Could not resolve 'deb.debian.org'", "could not resolve deb.debian.org"),
        (
            "Could not connect to deb.debian.org:80 (1.2.3.4), connection timed out",
            "could not connect to deb.debian.org",
        ),
        ("Unable to connect to 10.0.0.9:3142:", "unable to connect to 10.0.0.9"),
        (
            "Cannot initiate the connection to deb.debian.org:80 (2a04::1). - connect (101: Network is unreachable)",
            "cannot initiate the connection to deb.debian.org",
        ),
        ("E: Failed to fetch http://x/y.deb  404  Not Found [IP: 1.2.3.4 80]", "failed to fetch http://x/y.deb"),
        (HELD, "could not get lock /var/lib/dpkg/lock-frontend"),
        ("E: Unable to lock directory /var/lib/apt/lists/", "unable to lock directory /var/lib/apt/lists/"),
    ],
)
def test_trouble_that_may_pass_is_known_by_apts_words(line: str, trouble: str) -> None:
    assert passing_trouble(f"Reading...\n{line}\nE: more\n", manner=MANNER) == trouble


POLICY = """docker.io:
  Installed: 20.10.24
  Candidate: 20.10.24
  Version table:
     26.1.5 100
        100 http://deb.debian.org/debian bookworm-backports/main amd64 Packages
 *** 20.10.24 500
        500 http://deb.debian.org/debian bookworm/main amd64 Packages
        100 /var/lib/dpkg/status
     20.10.5 -1
         -1 http://deb.debian.org/debian bullseye/main amd64 Packages
     1.0 100
        100 /var/lib/dpkg/status
"""


def test_versions_are_offered_in_the_order_of_priority_and_only_if_a_repository_has_them() -> None:
    assert versions_in_table(POLICY) == ("20.10.24", "26.1.5")


def test_a_version_that_is_named_may_be_older_than_the_one_that_is_there() -> None:
    programs = good()
    apt(programs).install(["docker.io", "apparmor"], if_known=[], versions={"docker.io": "20.10"}, step=Step())
    assert programs.ran[-1] == "apt-get install docker.io=20.10 apparmor"


def test_packages_that_would_have_to_go_and_were_not_named_stop_an_installation() -> None:
    programs = good(apt_get_install=[answer("Remv podman [5]\nRemv runc [1]\n")])
    with pytest.raises(PermanentError, match="beside podman"):
        apt(programs).install(["docker-ce"], if_known=[], replaces=["runc"], step=Step())


def test_a_wrong_signature_is_not_tried_again() -> None:
    words = "W: Failed to fetch http://x/InRelease  NO_PUBKEY 8D81803C0EBFCD88\nE: it is not signed.\n"
    with pytest.raises(PermanentError, match="apt-get update failed: E: it is not signed"):
        apt(good(apt_get_update=[answer(words, code=100)])).refresh(step=Step())


def test_other_trouble_does_not_pass() -> None:
    assert passing_trouble("E: Unable to locate package docker.io", manner=MANNER) is None


def test_the_holder_of_a_lock_is_found_by_asking_the_kernel(tmp_path: Path) -> None:

    path = tmp_path / "lock"
    path.touch()
    assert lock_holder(str(path)) is None
    with subprocess.Popen(
        [sys.executable, "-c", LOCKER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        holder = lock_holder(str(path))
        process.kill()
    assert holder is not None
    assert holder.pid == process.pid
    assert "python" in holder.name


def test_a_lock_file_that_is_not_there_has_no_holder(tmp_path: Path) -> None:
    assert lock_holder(str(tmp_path / "nope")) is None

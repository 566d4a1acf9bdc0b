"""The files door: atomic, with the final mode from the first moment, never through a link; and locks of processes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dockyard_guest.errors import PermanentError
from dockyard_guest.system.files import SystemFiles

FILES = SystemFiles()
LOCKER = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=["mask 000", "mask 022", "mask 077"])
def mask(request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    """The process's mask, whatever the agent has left it."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.parametrize("mode", [0o400, 0o444, 0o600, 0o644])
def test_a_file_has_its_mode_whatever_the_mask(tmp_path: Path, mask: int, mode: int) -> None:
    path = tmp_path / "f"
    FILES.write(str(path), b"x", mode=mode)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert os.umask(mask) == mask


def test_a_secret_is_never_readable_in_between(tmp_path: Path) -> None:
    seen: set[int] = set()
    path = str(tmp_path / "key.pem")
    watcher = _watch_modes(tmp_path, seen)
    FILES.write(path, b"k" * 100_000, mode=0o400)
    FILES.write(path, b"l" * 100_000, mode=0o400)
    sys.setprofile(None)
    assert watcher
    assert seen == {0o400}


def _watch_modes(folder: Path, seen: set[int]) -> bool:
    """Look at every file of the folder at each call the writer makes."""

    def look(_frame: object, _event: str, _argument: object) -> None:
        for entry in os.scandir(folder):
            seen.add(stat.S_IMODE(entry.stat().st_mode))

    sys.setprofile(look)
    return True


def test_a_link_in_the_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / "f").symlink_to(victim)
    FILES.write(str(tmp_path / "f"), b"new", mode=0o600)
    assert victim.read_text() == "untouched"
    assert not (tmp_path / "f").is_symlink()


def test_a_link_under_the_temporary_name_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / f"f.{os.getpid()}.new").symlink_to(victim)
    FILES.write(str(tmp_path / "f"), b"new", mode=0o600)
    assert victim.read_text() == "untouched"


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "f"
    target.mkdir()
    with pytest.raises(PermanentError, match="could not be written: Is a directory"):
        FILES.write(str(target), b"new", mode=0o600)
    assert list(tmp_path.iterdir()) == [target]


def test_what_is_not_there_is_none_or_nothing(tmp_path: Path) -> None:
    path = str(tmp_path / "nope" / "f")
    assert FILES.read(path) is None
    assert FILES.mode(path) is None
    assert FILES.size(path) == 0
    assert FILES.names(path) == ()
    FILES.remove(path)
    FILES.remove_folder(path)


def test_text_is_added_at_the_end(tmp_path: Path) -> None:
    path = str(tmp_path / "log")
    FILES.append(path, b"a\n", mode=0o640)
    FILES.append(path, b"b\n", mode=0o640)
    assert FILES.read(path) == b"a\nb\n"
    assert FILES.size(path) == 4


def test_a_folder_and_its_names(tmp_path: Path) -> None:
    folder = str(tmp_path / "a" / "b")
    FILES.make_folder(folder, mode=0o700)
    FILES.make_folder(folder, mode=0o700)
    FILES.write(f"{folder}/y", b"", mode=0o600)
    FILES.rename(f"{folder}/y", f"{folder}/x")
    assert FILES.names(folder) == ("x",)
    FILES.remove_folder(folder)
    assert FILES.names(folder) == ("x",)


@pytest.mark.parametrize("change", ["replace", "append", "mode", "remove"])
def test_a_stamp_changes_with_the_file(tmp_path: Path, change: str) -> None:
    path = tmp_path / "f"
    FILES.write(str(path), b"x", mode=0o600)
    before = FILES.stamp(str(path))
    assert FILES.stamp(str(path)) == before
    if change == "replace":
        FILES.write(str(path), b"x", mode=0o600)
    elif change == "append":
        FILES.append(str(path), b"y", mode=0o600)
    elif change == "mode":
        path.chmod(0o644)
    else:
        path.unlink()
    assert FILES.stamp(str(path)) != before


def test_a_lock_is_for_one_and_free_again_afterwards(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    lock = FILES.try_lock(path)
    assert lock is not None
    with lock:
        assert FILES.try_lock(path) is None
    again = FILES.try_lock(path)
    assert again is not None
    with again:
        pass


def test_a_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    code = (
        f"import fcntl,sys; f=open({path!r},'w'); fcntl.flock(f,fcntl.LOCK_EX); print('x',flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert FILES.try_lock(path) is None
        process.kill()
    lock = FILES.try_lock(path)
    assert lock is not None
    with lock:
        pass

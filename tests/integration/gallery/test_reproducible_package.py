"""The extension's package is the same bit for bit, whoever builds it, when, and where."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from dockyard.gallery.archive import handler_archive, program_name

SOURCES = Path(__file__).parents[3] / "src"
BUILD = """
import sys
from dockyard.gallery.archive import handler_archive
sys.stdout.buffer.write(handler_archive(handler="docker"))
"""


def build(sources: Path, *, umask: int, cwd: Path, **environment: str) -> bytes:
    """Build the package in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", BUILD],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(sources), **environment},
        umask=umask,
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout


def copied(folder: Path) -> Path:
    """The sources somewhere else, later, by somebody with other habits: other times, modes, and byte code about."""
    sources = folder / "elsewhere"
    shutil.copytree(SOURCES, sources, copy_function=shutil.copyfile)
    for path in sources.rglob("*"):
        os.utime(path, (2_000_000_000, 2_000_000_000))
        path.chmod(0o700)
    return sources


def test_two_builds_in_different_surroundings_are_equal(tmp_path: Path) -> None:
    here = build(SOURCES, umask=0o022, cwd=Path("/"), TZ="UTC", LC_ALL="C", PYTHONHASHSEED="1")
    surroundings = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2", "SOURCE_DATE_EPOCH": "9"}
    there = build(copied(tmp_path), umask=0o077, cwd=tmp_path, **surroundings)
    assert here == there
    assert here == handler_archive(handler="docker")


def test_the_package_holds_what_it_needs_and_nothing_of_its_builder() -> None:
    with zipfile.ZipFile(BytesIO(handler_archive(handler="docker"))) as archive:
        entries = archive.infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {oct(entry.external_attr >> 16) for entry in entries} == {"0o644", "0o755"}
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert not [entry.filename for entry in entries if "__pycache__" in entry.filename]


def test_the_program_is_the_common_one_with_the_handlers_name() -> None:
    with zipfile.ZipFile(BytesIO(handler_archive(handler="docker"))) as archive:
        (program,) = (name for name in archive.namelist() if name.startswith("bin/"))
        text = archive.read(program).decode()
    assert program == "bin/docker-extension"
    assert '"$folder/lib" docker "$@"' in text
    assert text.replace(" docker ", " @handler@ ") == (SOURCES / "dockyard_guest/package/bin/extension").read_text()


@pytest.mark.parametrize(
    ("handler", "name"),
    [("docker", "docker-extension"), ("vmaccess", "vmaccess-extension"), ("run_command", "run-command-extension")],
)
def test_a_program_is_named_after_its_handler(handler: str, name: str) -> None:
    assert program_name(handler) == name


@pytest.mark.parametrize("handler", ["custom_script", "run_command"])
def test_a_package_has_its_own_handler_and_no_other(handler: str) -> None:
    with zipfile.ZipFile(BytesIO(handler_archive(handler=handler))) as archive:
        names = archive.namelist()
    rooms = {name.split("/")[3] for name in names if name.startswith("lib/dockyard_guest/handlers/")}
    assert rooms == {"__init__.py", handler}
    assert "lib/dockyard_guest/scripting/running.py" in names
    assert {f"bin/{program_name(handler)}", "HandlerManifest.json"} <= set(names)


def test_the_package_for_access_has_the_doors_it_needs() -> None:
    with zipfile.ZipFile(BytesIO(handler_archive(handler="vmaccess"))) as archive:
        names = set(archive.namelist())
    assert {"lib/dockyard_guest/system/accounts.py", "lib/dockyard_guest/handlers/vmaccess/sshd.py"} <= names

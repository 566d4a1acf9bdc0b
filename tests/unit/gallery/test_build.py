"""What a host lacks for a build is told before it, with the package to install; downloads are kept for the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockyard.gallery import processes
from dockyard.gallery.build import check_host, keep_downloads
from dockyard.model.errors import Exhausted
from tests.unit.gallery.bench import is_running


def test_missing_keys_name_their_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for program in ("mmdebstrap", "mke2fs", "unshare"):
        (tmp_path / program).touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Exhausted) as caught:
        check_host(as_root=True, keyring=tmp_path / "missing.gpg")
    assert "debian-archive-keyring" in caught.value.resolution


def test_a_missing_program_names_its_package() -> None:
    with pytest.raises(Exhausted) as caught:
        processes.require("mmdebstrap-of-another-world", package="mmdebstrap")
    assert (caught.value.code, "apt-get install mmdebstrap" in caught.value.resolution) == ("ProgramMissing", True)


def test_downloads_replace_other_versions_of_theirs_alone(tmp_path: Path) -> None:
    downloads, cache = tmp_path / "downloads", tmp_path / "cache"
    downloads.mkdir()
    cache.mkdir()
    for path in (downloads / "one_2.0_amd64.deb", cache / "one_1.0_amd64.deb", cache / "one-more_1.0_all.deb"):
        path.write_bytes(b"deb")
    (downloads / "lock").touch()
    keep_downloads(downloads, cache=cache)
    assert sorted(path.name for path in cache.iterdir()) == ["one-more_1.0_all.deb", "one_2.0_amd64.deb"]


async def test_a_programs_output_is_followed_and_kept(tmp_path: Path) -> None:
    lines: list[str] = []
    code = await processes.follow(
        ["sh", "-c", 'echo "$WORD"; echo error >&2; exit 3'],
        mark="a-mark",
        environment={"WORD": "hello"},
        descriptors=[],
        log=tmp_path / "log",
        on_line=lines.append,
    )
    assert (code, lines) == (3, ["hello", "error"])
    assert (tmp_path / "log").read_text() == "hello\nerror\n"


async def test_what_a_program_leaves_running_is_ended_with_it(tmp_path: Path) -> None:
    await processes.follow(
        ["sh", "-c", f"setsid sleep 600 >/dev/null 2>&1 & echo $! > {tmp_path}/pid"],
        mark="another-mark",
        environment={},
        descriptors=[],
        log=tmp_path / "log",
        on_line=lambda _: None,
    )
    assert not is_running(int((tmp_path / "pid").read_text()))

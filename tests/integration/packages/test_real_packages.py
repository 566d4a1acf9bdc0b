"""apt, dnf and zypper themselves, with signed local repositories and tiny packages, on a layer over this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.packages.local_repositories import make_apt_repository, make_key, make_rpm_repository

ROOT = Path(__file__).parents[3]
MAKERS = {"apt": make_apt_repository, "dnf": make_rpm_repository, "zypper": make_rpm_repository}
pytestmark = [pytest.mark.privileged, pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")]
Seen = dict[str, Any]


@pytest.fixture(scope="module", params=sorted(MAKERS))
def seen(request: pytest.FixtureRequest) -> Iterator[Seen]:
    """What happened inside, once for each package manager."""
    kind: str = request.param
    # Not pytest's folder, which is root's alone: apt reads repositories as a user without rights.
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield {**_run(kind, Path(name)), "kind": kind}


def _run(kind: str, folder: Path) -> Seen:
    for name in ("gpg", "foreign"):
        (folder / f"{name}.asc").write_text(make_key(folder / name))
    MAKERS[kind](folder / "repositories", key_home=folder / "gpg")
    namespaces = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    inside = str(Path(__file__).with_name("inside.py"))
    done = subprocess.run(
        [
            *namespaces,
            sys.executable,
            inside,
            kind,
            *(str(folder / name) for name in ("repositories", "gpg.asc", "foreign.asc")),
        ],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    answer: Seen = json.loads(done.stdout)
    return answer


def test_all_versions_are_offered_the_newest_first(seen: Seen) -> None:
    assert [version.partition(":")[2][:4] for version in seen["offered"]] == ["28.2", "28.1", "27.5"]


@pytest.mark.parametrize(("stage", "version"), [("fresh", "28.1.1"), ("upgraded", "28.2.0"), ("downgraded", "27.5.1")])
def test_the_version_that_is_named_is_installed_older_or_newer(seen: Seen, stage: str, version: str) -> None:
    assert version in seen[stage]["docker-ce"]
    assert version in seen[stage]["docker-ce-cli"]


def test_a_package_that_others_need_stays(seen: Seen) -> None:
    needed = {"apt": {"docker.io", "containerd", "podman-like"}, "rpm": {"containerd.io", "needs-containerd"}}
    assert set(seen["needed stays"]) == needed["apt" if seen["kind"] == "apt" else "rpm"]


def test_nothing_is_left_at_the_end_not_even_a_trusted_key(seen: Seen) -> None:
    assert seen["left"] == []


def test_what_is_signed_by_another_key_is_refused(seen: Seen) -> None:
    assert seen["foreign key"].startswith("PermanentError 52"), seen["foreign key"]
    assert seen["by a foreign key"] == {}


def test_apt_takes_an_engine_for_another_only_when_told(seen: Seen) -> None:
    if seen["kind"] == "apt":
        assert seen["beside"].startswith("PermanentError 52")
        assert {"docker.io", "containerd"} <= set(seen["exchanged"])
        assert "docker-ce" not in seen["exchanged"]

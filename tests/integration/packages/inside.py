"""Runs in namespaces of its own, on a copy-on-write layer over this machine: real package managers, the guest's code.

Started by ``test_real_packages.py``: ``python inside.py <apt|dnf|zypper> <repositories> <key> <another key>``;
prints one JSON object.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from dockyard_guest.errors import GuestError
from dockyard_guest.ports import Packages
from dockyard_guest.system.clock import SystemClock
from dockyard_guest.system.commands import SystemCommands
from dockyard_guest.system.files import SystemFiles
from dockyard_guest.system.packages.choice import packages_of
from dockyard_guest.values import OsRelease, Repository

LAYER = Path("/run/layer")
RELEASES = {
    "apt": OsRelease("debian", codename="trixie"),
    "dnf": OsRelease("fedora", version_id="42"),
    "zypper": OsRelease("sles", version_id="42"),
}
BASES = {"apt": "linux/debian", "dnf": "linux/fedora", "zypper": "linux/fedora"}
SHOWN = ("docker-ce", "docker-ce-cli", "containerd.io", "docker.io", "containerd", "needs-containerd", "podman-like")


class Step:
    """Nobody looks on."""

    def say(self, text: str) -> None: ...

    def warn(self, text: str) -> None: ...

    def checkpoint(self) -> None: ...


def enter_layer() -> None:
    """Make everything that is written from here on go to memory, and be forgotten."""
    mount("-t", "tmpfs", "tmpfs", "/run")
    for name in ("upper", "work", "root"):
        (LAYER / name).mkdir(parents=True)
    options = f"lowerdir=/,upperdir={LAYER}/upper,workdir={LAYER}/work"
    mount("-t", "overlay", "overlay", "-o", options, f"{LAYER}/root")
    for name in ("proc", "dev", "tmp"):
        mount("--rbind", f"/{name}", f"{LAYER}/root/{name}")
    import os  # noqa: PLC0415 - only here is the process itself moved

    os.chroot(LAYER / "root")
    os.chdir("/")


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True, capture_output=True)


def forget_repositories() -> None:
    for path in ("/etc/apt/sources.list.d", "/etc/yum.repos.d", "/etc/zypp/repos.d", "/var/lib/apt/lists"):
        shutil.rmtree(path, ignore_errors=True)
        Path(path).mkdir(parents=True)
    Path("/etc/apt/sources.list").write_text("")


def have_one_rpm_database() -> None:
    """As on a distribution of rpm's: Debian's rpm keeps one in each user's home, which zypper does not look into."""
    for folder in ("/etc/rpm", "/etc/products.d"):
        Path(folder).mkdir(exist_ok=True)
    Path("/etc/rpm/macros").write_text("%_dbpath /var/lib/rpm\n")
    subprocess.run(["rpm", "--initdb"], check=True)


def shown(packages: Packages) -> dict[str, str]:
    return {name: version for name, version in packages.versions().items() if name in SHOWN}


def attempt(act: object) -> str:
    assert callable(act)
    try:
        act()
    except GuestError as error:
        return f"{type(error).__name__} {int(error.exit_code)}: {error.brief}"
    return ""


def main(kind: str, repositories: Path, key: str, foreign: str) -> dict[str, object]:
    enter_layer()
    forget_repositories()
    if kind != "apt":
        have_one_rpm_database()
    files, step, seen = SystemFiles(), Step(), dict[str, object]()
    commands = SystemCommands(log=lambda text: print(text, file=sys.stderr))
    packages = packages_of(RELEASES[kind], commands=commands, clock=SystemClock(), files=files)
    suite = RELEASES[kind].codename or RELEASES[kind].version_id
    at_first = packages.installed()

    def put(text: str, base: str) -> None:
        repository = Repository("dockyard-docker", "Docker", f"file://{repositories}/{base}", suite, text)
        found = packages.repository_files(repository)
        for file in found:
            files.make_folder(file.path.rpartition("/")[0], mode=0o755)
            files.write(file.path, file.text.encode(), mode=0o644)
        packages.trust(found)
        packages.refresh(step=step)

    def with_foreign_key() -> None:
        put(foreign, BASES[kind])
        packages.install(("containerd.io",), if_known=(), step=step)

    seen["foreign key"] = attempt(with_foreign_key)
    seen["by a foreign key"] = shown(packages)
    packages.remove(sorted(packages.installed() - at_first))
    put(key, BASES[kind])
    offered = packages.offered("docker-ce")
    clients = packages.offered("docker-ce-cli")
    seen["offered"] = offered
    for name, index in (("fresh", 1), ("upgraded", 0), ("downgraded", 2)):
        versions = {"docker-ce": offered[index], "docker-ce-cli": clients[index]}
        names = ("docker-ce", "docker-ce-cli", "containerd.io")
        packages.install(names, if_known=("nobody-has-this",), step=step, versions=versions)
        seen[name] = shown(packages)
    if kind == "apt":
        seen["beside"] = attempt(lambda: packages.install(("docker.io",), if_known=(), step=step))
        packages.install(("docker.io",), if_known=(), step=step, replaces=("docker-ce", "containerd.io"))
        seen["exchanged"] = shown(packages)
        packages.install(("podman-like",), if_known=(), step=step)
    else:
        packages.install(("needs-containerd",), if_known=(), step=step)
    brought = sorted(packages.installed() - at_first - {"podman-like", "needs-containerd"})
    packages.remove(brought)
    seen["needed stays"] = shown(packages)
    packages.remove(sorted(packages.installed() - at_first))
    seen["left"] = sorted(packages.installed() - at_first)
    return seen


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), *(Path(name).read_text() for name in sys.argv[3:5]))))

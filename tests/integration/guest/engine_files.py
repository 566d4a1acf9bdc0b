"""Real engines for tests: Debian's packages, fetched once into a cache and unpacked there, never installed."""

from __future__ import annotations

import fcntl
import subprocess
from pathlib import Path

PACKAGES = ("docker.io", "docker-cli", "containerd")
OLDEST = "bookworm"
MIRROR = "http://deb.debian.org/debian"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def engine_of(suite: str, *, cache: Path) -> Path:
    """A folder with the programs of a Debian suite's engine, fetched if they are not there yet."""
    folder = cache / suite
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{suite}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            _fetch(suite, folder)
            (folder / "complete").touch()
    return folder


def programs_of(suite: str, names: tuple[str, ...], *, cache: Path) -> Path:
    """A folder with what is in some packages of a suite, without those they need."""
    folder = cache / f"{suite}-{'-'.join(names)}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            _unpack(suite, names, folder)
            (folder / "complete").touch()
    return folder / "tree"


def _fetch(suite: str, folder: Path) -> None:
    _unpack(suite, PACKAGES, folder)
    # runc needs a C library at least as new as its own; the oldest suite's runs on them all.
    _unpack(OLDEST, ("runc",), folder)


def _unpack(suite: str, names: tuple[str, ...], folder: Path) -> None:
    options = _apt_options(suite, folder)
    _run("apt-get", *options, "update", cwd=folder)
    known = _run("apt-cache", *options, "pkgnames", cwd=folder).split()
    _run("apt-get", *options, "download", *(name for name in names if name in known), cwd=folder)
    for package in folder.glob("*.deb"):
        _run("dpkg", "-x", package.name, "tree", cwd=folder)
        package.unlink()


def _apt_options(suite: str, folder: Path) -> list[str]:
    for part in ("state/lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "state/status").touch()
    (folder / "sources.list").write_text(f"deb [signed-by={KEYRING}] {MIRROR} {suite} main\n")
    settings = {
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "state/status",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "APT::Sandbox::User": "root",
    }
    return [f"-o{name}={value}" for name, value in settings.items()]


def _run(*argv: str, cwd: Path) -> str:
    return subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=True, timeout=240).stdout

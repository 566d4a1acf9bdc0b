"""What a handler has changed on the machine, read from the upper layer of its private copy. Used by ``life``.

The layer holds what was written and nothing else, so that there is no comparison of before and after: a file that is in
the lower layer too was changed, a device with the number 0 stands for a file that was removed.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dockyard.authoring import secrets
from dockyard.authoring.fast.isolation import Layers
from dockyard.authoring.observations import LeftKind, Leftover, Step

_UNITS = re.compile(r"/(etc|run|usr/lib|lib)/systemd/system/[^/]+\.(service|socket|timer|path|mount|target)")
_OF_NOBODY = re.compile(  # what the agent, the package manager and the loader keep for themselves
    r"/(var/log/azure|var/cache/apt|var/lib/apt|var/lib/dpkg|var/log/apt|var/log/dpkg\.log|var/log/alternatives\.log"
    r"|etc/ld\.so\.cache|var/cache/ldconfig|var/log/journal)(/|$)|\.pyc$|/__pycache__/"
)
_ACCOUNTS = {LeftKind.USER: "etc/passwd", LeftKind.GROUP: "etc/group"}
_INSTALLED = "Status: install ok installed"
_BIG = 4 * 1024 * 1024


@dataclass(frozen=True)
class Written:
    """A file that was written; ``kind`` tells whether it was there before, ``is_open`` whether others can read it."""

    path: str
    kind: LeftKind
    is_open: bool


class Traces:
    """The changes of one private copy. ``ignored`` are files that the stand-in itself wrote."""

    def __init__(self, layers: Layers, *, hidden: Sequence[str], ignored: Sequence[Path]) -> None:
        self._layers = layers
        self._hidden = hidden
        self._ignored = {str(path) for path in ignored}

    def open_secrets(self) -> Iterator[str]:
        """Return the files with a secret that other users can read."""
        for written in self._written():
            if written.is_open and secrets.is_in(_content(written.path), self._hidden):
                yield written.path

    def left_secrets(self) -> Iterator[str]:
        """Return all files with a secret."""
        return (w.path for w in self._written() if secrets.is_in(_content(w.path), self._hidden))

    def leftovers(self, step: Step, *, folder: Path) -> Iterator[Leftover]:
        """Return what is on the machine that was not; ``folder`` is where the handler's versions lay."""
        packages = _packages(Path("/")) - _packages_below(self._layers.lower)
        owned = {line for name in packages for line in _files_of(name)}
        yield from (Leftover(step, LeftKind.PACKAGE, name) for name in sorted(packages))
        for written in self._written():
            if written.path in owned:
                continue
            is_unit = _UNITS.fullmatch(written.path) is not None and written.kind is LeftKind.FILE
            is_tied = is_unit and str(folder).encode() in _content(written.path)
            kind = LeftKind.UNIT if is_unit else written.kind
            yield Leftover(step, kind, written.path, is_tied)
        for kind, name in _ACCOUNTS.items():
            for account in sorted(_names(_content(f"/{name}")) - _names(_read_below(self._layers.lower, name))):
                yield Leftover(step, kind, account)

    def _written(self) -> Iterator[Written]:
        yield from (w for w in self._layer() if not self._is_ignored(w.path))
        for memory in ("/tmp", "/run", "/dev/shm"):  # noqa: S108 - looked through, not written to
            for path in sorted(Path(memory).rglob("*")):
                found = path.lstat()
                if not stat.S_ISDIR(found.st_mode):
                    yield Written(str(path), LeftKind.FILE, _is_open(path, found.st_mode))

    def _layer(self) -> Iterator[Written]:
        for folder, _, names, descriptor in os.fwalk(".", dir_fd=self._layers.upper):
            for name in sorted(names):
                path = Path("/", folder, name)
                mode = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                if stat.S_ISCHR(mode.st_mode) and mode.st_rdev == 0:
                    yield Written(str(path), LeftKind.REMOVED_FILE, is_open=False)
                    continue
                kind = LeftKind.CHANGED_FILE if _is_below(self._layers.lower, path) else LeftKind.FILE
                yield Written(str(path), kind, _is_open(path, mode.st_mode))

    def _is_ignored(self, path: str) -> bool:
        return path in self._ignored or _OF_NOBODY.search(path) is not None


def _is_open(path: Path, mode: int) -> bool:
    """Whether any user can read the file, by its own mode and those of the folders above."""
    if not stat.S_ISREG(mode) or not mode & stat.S_IROTH:
        return False
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.parents if folder.exists())


def _content(path: str) -> bytes:
    try:
        found = Path(path)
        return found.read_bytes() if found.is_file() and found.stat().st_size <= _BIG else b""
    except OSError:
        return b""


def _is_below(layer: int, path: Path) -> bool:
    try:
        os.stat(path.relative_to("/"), dir_fd=layer, follow_symlinks=False)
    except OSError:
        return False
    return True


def _read_below(layer: int, name: str) -> bytes:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=layer)
    except FileNotFoundError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _names(accounts: bytes) -> set[str]:
    return {line.partition(":")[0] for line in accounts.decode("utf-8", "replace").splitlines() if line}


def _packages(root: Path) -> set[str]:
    return _installed((root / "var/lib/dpkg/status").read_bytes() if (root / "var/lib/dpkg/status").exists() else b"")


def _packages_below(layer: int) -> set[str]:
    return _installed(_read_below(layer, "var/lib/dpkg/status"))


def _installed(status: bytes) -> set[str]:
    """Return the names of the packages that Debian's list says are installed."""
    parts = status.decode("utf-8", "replace").split("\n\n")
    return {part.partition("\n")[0].removeprefix("Package: ") for part in parts if _INSTALLED in part}


def _files_of(package: str) -> list[str]:
    lists = sorted(Path("/var/lib/dpkg/info").glob(f"{package}*.list"))
    return [line for path in lists if path.name.partition(":")[0].removesuffix(".list") == package
            for line in path.read_text("utf-8", "replace").splitlines()]  # fmt: skip

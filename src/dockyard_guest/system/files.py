"""The one door for root's files: atomic writes with the final mode from the first moment, and locks.

A file is written under a new name that did not exist before, in the target's folder, flushed to the disk and renamed,
so a reader sees the old file or the new one, a power cut leaves one of the two, and a link in the target's place is
replaced, not followed.
"""
# Why not pathlib: the calls used here need flags and file numbers, and pathlib is slow to import.
# ruff: noqa: PTH102, PTH104, PTH106, PTH108, PTH112, PTH116, PTH120, PTH123, PTH208

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from typing import TYPE_CHECKING

from dockyard_guest.errors import PermanentError

from .settled import stamp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from dockyard_guest.values import Account

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class SystemFiles:
    """Files of this machine."""

    def read(self, path: str) -> bytes | None:
        """The content, or ``None`` when there is no such file."""
        with _mapped("read", path):
            try:
                with open(path, "rb") as file:
                    return file.read()
            except (FileNotFoundError, NotADirectoryError):
                return None

    def write(self, path: str, content: bytes, *, mode: int) -> None:
        """Put a file of this content and mode in place; see `ports.Files`."""
        temporary = f"{path}.{os.getpid()}.new"
        with _mapped("written", path):
            self.remove(temporary)
            try:
                _write_new(temporary, content, mode=mode)
                os.rename(temporary, path)
            except OSError:
                self.remove(temporary)
                raise
            _sync_folder(os.path.dirname(path))

    def append(self, path: str, content: bytes, *, mode: int) -> None:
        """Add to the end of a file; see `ports.Files`."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with _mapped("written", path):
            number = os.open(path, flags, mode)
            try:
                _write_all(number, content)
            finally:
                os.close(number)

    def remove(self, path: str) -> None:
        """Remove a file; it need not be there."""
        with _mapped("removed", path), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(path)

    def rename(self, source: str, target: str) -> None:
        """Move a file within its folder."""
        with _mapped("renamed", source):
            os.rename(source, target)

    def read_part(self, path: str, *, start: int, limit: int) -> bytes:
        """At most `limit` bytes from a place on; see `ports.Files`."""
        with _mapped("read", path):
            try:
                with open(path, "rb") as file:
                    file.seek(start)
                    return file.read(limit)
            except (FileNotFoundError, NotADirectoryError):
                return b""

    def give(self, path: str, *, account: Account) -> None:
        """Make a user the owner of a folder with all that is in it; see `ports.Files`."""
        with _mapped("given away", path):
            for folder, folders, names, number in os.fwalk(path, follow_symlinks=False):
                for name in (*folders, *names):
                    os.chown(name, account.uid, account.gid, dir_fd=number, follow_symlinks=False)
                if folder == path:
                    os.fchown(number, account.uid, account.gid)

    def size(self, path: str) -> int:
        """Size in bytes; 0 when there is no such file."""
        with _mapped("examined", path):
            try:
                return os.stat(path).st_size
            except (FileNotFoundError, NotADirectoryError):
                return 0

    def mode(self, path: str) -> int | None:
        """Permission bits, or ``None`` when there is no such file."""
        with _mapped("examined", path):
            try:
                return stat.S_IMODE(os.lstat(path).st_mode)
            except (FileNotFoundError, NotADirectoryError):
                return None

    def make_folder(self, path: str, *, mode: int) -> None:
        """Make a folder and its parents; one that is there stays as it is."""
        with _mapped("made", path):
            _make_folders(path, mode=mode)

    def remove_folder(self, path: str) -> None:
        """Remove a folder if it is there and empty."""
        with contextlib.suppress(OSError):
            os.rmdir(path)

    def remove_tree(self, path: str) -> None:
        """Remove a folder with all that is in it; see `ports.Files`."""
        from shutil import rmtree  # noqa: PLC0415 - slow to import, and needed at the end of a machine's use alone

        with _mapped("removed", path), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            rmtree(path)

    def names(self, folder: str) -> tuple[str, ...]:
        """Names in a folder, sorted; none when there is no such folder."""
        with _mapped("listed", folder):
            try:
                return tuple(sorted(os.listdir(folder)))
            except (FileNotFoundError, NotADirectoryError):
                return ()

    def stamp(self, path: str) -> str:
        """A text that changes whenever the file is replaced, written or removed."""
        return stamp(path)

    def try_lock(self, path: str) -> AbstractContextManager[None] | None:
        """Take the lock of this file, or ``None`` when another process holds it."""
        with _mapped("locked", path):
            number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(number)
                return None
        return _held(number)


@contextlib.contextmanager
def _held(number: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(number)


@contextlib.contextmanager
def _mapped(deed: str, path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "unknown reason"
        resolution = "Free some space on the disk." if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        raise PermanentError(f"{path} could not be {deed}: {reason}.", resolution=resolution) from error


def _make_folders(path: str, *, mode: int) -> None:
    # The mode is given to each at its creation, and the mask, which keeps new files from others, cannot take from it.
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    mask = os.umask(0)
    try:
        for folder in reversed(missing):
            with contextlib.suppress(FileExistsError):
                os.mkdir(folder, mode)
    finally:
        os.umask(mask)


def _write_new(path: str, content: bytes, *, mode: int) -> None:
    # The mode is given at creation and the mask cannot take from it: nothing is ever changed afterwards. There is one
    # thread, so setting the mask for a moment disturbs nobody.
    mask = os.umask(0)
    try:
        number = os.open(path, _NEW_FILE, mode)
    finally:
        os.umask(mask)
    try:
        _write_all(number, content)
        os.fsync(number)
    finally:
        os.close(number)


def _write_all(number: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(number, view) :]


def _sync_folder(path: str) -> None:
    number = os.open(path or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)

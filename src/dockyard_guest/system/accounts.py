"""The one door for users and for files in their homes, which their owners may change at any moment.

Every step goes by a number of an open folder: home, folder, file. None of them follows a link, each is looked at after
it was opened, and the new file is made by root, given away by its number and moved over the old one. So a user who
swaps files and folders meanwhile reaches nothing but what is that user's already.
"""
# Why not pathlib: the calls used here need flags and file numbers.
# ruff: noqa: PTH208

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import secrets
import signal
import stat
import time
from typing import TYPE_CHECKING

from dockyard_guest.errors import PermanentError, TemporaryError
from dockyard_guest.values import Account

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LARGEST = 1024 * 1024
_FOR_OTHERS_TO_WRITE = stat.S_IWGRP | stat.S_IWOTH
_PATIENCE = 10.0
_POLL = 0.05
_ROOT = 0
_REPLACE = "With remove_prior_keys it is replaced, whatever it is."


class SystemAccounts:
    """Users of this machine."""

    def find(self, name: str) -> Account | None:
        """The user of this name, or ``None``."""
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            return None
        return Account(name=found.pw_name, uid=found.pw_uid, gid=found.pw_gid, home=found.pw_dir)

    def rewrite(self, account: Account, path: str, *, change: Callable[[bytes], bytes], reads: bool = True) -> bool:
        """Put a file of a user's own anew; see `ports.Accounts`."""
        folder, _, name = path.partition("/")
        with _mapped(account, path), _home(account) as home, _folder(home, folder, account=account) as number:
            old, is_fit = _read(number, name, path=path, account=account) if reads else (None, False)
            new = change(old or b"")
            if is_fit and new == old:
                return False
            _replace(number, name, new, account=account)
        return True

    def end_processes(self, account: Account) -> None:
        """Kill all processes of a user."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            found = [number for number in _numbers() if _end(number, uid=account.uid)]
            if not found:
                return
            if time.monotonic() >= deadline:
                raise TemporaryError(f"Processes of {account.name} do not end: {', '.join(map(str, found))}.")
            time.sleep(_POLL)


@contextlib.contextmanager
def _mapped(account: Account, path: str) -> Iterator[None]:
    place = f"{account.home}/{path}"
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise PermanentError(
                f"A part of {place} is a link or no folder.",
                details="What a user has made is never followed.",
                resolution="Put a folder in its place, by a run command for example.",
            ) from error
        reason = os.strerror(error.errno) if error.errno else "unknown reason"
        raise PermanentError(f"{place} could not be written: {reason}.") from error


@contextlib.contextmanager
def _open(path: str, flags: int, *, folder: int | None = None) -> Iterator[int]:
    number = os.open(path, flags, dir_fd=folder)
    try:
        yield number
    finally:
        os.close(number)


@contextlib.contextmanager
def _home(account: Account) -> Iterator[int]:
    with _open(account.home, _FOLDER) as number:
        _keep_from_others(number, what=account.home, owners=(account.uid, _ROOT))
        yield number


@contextlib.contextmanager
def _folder(home: int, name: str, *, account: Account) -> Iterator[int]:
    """A folder in a home, made when there is none."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=home)
    with _open(name, _FOLDER, folder=home) as number:
        # One of root's with nothing in it is the one just made, or as good as that: giving it away gives nothing away.
        if os.fstat(number).st_uid == _ROOT and not os.listdir(number):
            os.fchown(number, account.uid, account.gid)
        _keep_from_others(number, what=f"{account.home}/{name}", owners=(account.uid,))
        yield number


def _keep_from_others(number: int, *, what: str, owners: Collection[int]) -> None:
    """Have a folder be written by its owner alone: sshd uses no key of one that others can write.

    A folder of root's in a home may have been moved there by the user, so what is in it is not the user's.
    """
    found = os.fstat(number)
    if found.st_uid not in owners:
        raise PermanentError(f"{what} belongs to another user.", resolution="Give it to the user, by a run command.")
    if found.st_uid != _ROOT and found.st_mode & _FOR_OTHERS_TO_WRITE:
        os.fchmod(number, stat.S_IMODE(found.st_mode) & ~_FOR_OTHERS_TO_WRITE)


def _read(folder: int, name: str, *, path: str, account: Account) -> tuple[bytes | None, bool]:
    """What is in a file, and whether it may stay as it is. Nothing that the user could not read is taken over."""
    try:
        number = os.open(name, _FILE, dir_fd=folder)
    except FileNotFoundError:
        return None, False
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENXIO):
            raise
        raise _unfit(account, path, "is no regular file") from error
    try:
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode):
            raise _unfit(account, path, "is no regular file")
        is_own = found.st_uid == account.uid
        if not is_own and not (found.st_uid == _ROOT and found.st_mode & stat.S_IROTH):
            raise _unfit(account, path, "belongs to another user")
        if found.st_size > _LARGEST:
            raise _unfit(account, path, "is larger than 1 MiB")
        content = b""
        while chunk := os.read(number, _LARGEST):
            content += chunk
        return content, is_own and not found.st_mode & _FOR_OTHERS_TO_WRITE
    finally:
        os.close(number)


def _unfit(account: Account, path: str, reason: str) -> PermanentError:
    return PermanentError(f"{account.home}/{path} {reason}.", resolution=_REPLACE)


def _replace(folder: int, name: str, content: bytes, *, account: Account) -> None:
    temporary = f".{name}.{secrets.token_hex(8)}"
    number = os.open(temporary, _NEW_FILE, 0o600, dir_fd=folder)
    try:
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(number, view) :]
            os.fchmod(number, 0o600)
            os.fchown(number, account.uid, account.gid)
            os.fsync(number)
        finally:
            os.close(number)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise


def _numbers() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _end(number: int, *, uid: int) -> bool:
    """Kill a process if it is this user's. Answers whether it was."""
    try:
        process = os.pidfd_open(number)
    except OSError:
        return False
    try:
        # Looked at while it is held, so that the number cannot have become another process's.
        if not _is_alive_of(number, uid=uid):
            return False
        signal.pidfd_send_signal(process, signal.SIGKILL)
    except OSError:
        return False
    finally:
        os.close(process)
    return True


def _is_alive_of(number: int, *, uid: int) -> bool:
    """Whether a process was started by a user and has not ended; one that has waits for its parent alone."""
    with open(f"/proc/{number}/status", "rb") as file:  # noqa: PTH123 - as above
        members = dict(line.partition(b":")[::2] for line in file.read().splitlines())
    return members[b"Uid"].split()[0] == b"%d" % uid and members[b"State"].strip()[:1] not in (b"Z", b"X")

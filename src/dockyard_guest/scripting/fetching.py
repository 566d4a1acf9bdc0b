"""Files that a script needs, fetched from http or https addresses into its folder, with patience and with proof.

The tries and pauses are those that the extension of Azure documents. No text holds the query of an address: it may be
a signature.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError, TemporaryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockyard_contract.documents import JsonValue
    from dockyard_guest.ports import Machine, Step

_TRIES = 7
_FIRST_PAUSE = 3.0
_MODE = 0o500
_TEXT_ENDINGS = (".sh", ".txt", ".py", ".pl")
_LARGEST_TEXT = 16 * 1024 * 1024
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


@dataclass(frozen=True)
class FileWanted:
    """One file: where it is, what it is to be called, and its SHA-256 in hexadecimal if that is known."""

    url: str = field(repr=False)
    name: str
    sha256: str | None = None


def address(value: JsonValue) -> str:
    """A member as an http or https address.

    Raises:
        MalformedDocument: It is none. The error does not quote it.
    """
    text = value.string()
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or any(ord(letter) < 33 for letter in text):
        raise value.malformed(expected="an http or https address", found="another text")
    return text


def name_in(url: str) -> str:
    """The last part of an address's path: what its file is called."""
    return unquote(urlsplit(url).path.rpartition("/")[2])


def check_names(wanted: Sequence[FileWanted], *, reserved: Sequence[str]) -> None:
    """Make sure that each file has a name of its own that stays in its folder.

    Raises:
        PermanentError: One has not.
    """
    taken = set(reserved)
    for file in wanted:
        if file.name in ("", ".", "..") or "/" in file.name or "\0" in file.name or len(file.name.encode()) > 255:
            raise _refused("An address of a file does not end in the file's name.")
        if file.name in taken:
            raise _refused(f"Two files would be called {file.name!r}: the second would replace the first.")
        taken.add(file.name)


def fetch_all(
    machine: Machine, wanted: Sequence[FileWanted], *, folder: str, proxy: str | None, unix_lines: bool, step: Step
) -> None:
    """Fetch the files one after the other; texts get the line ends of Unix.

    Raises:
        TemporaryError: One could not be had after all tries.
        PermanentError: The server refuses one, or it is not what it should be.
        SupersededError: A newer command has been given.
    """
    for file in wanted:
        path = f"{folder}/{file.name}"
        _check(file, _fetched(machine, file, path=path, proxy=proxy, step=step))
        if unix_lines:
            _with_unix_lines(machine, path)


def unix_text(name: str, content: bytes) -> bytes:
    """A script or text with Unix line ends and without a byte order mark, in UTF-8; anything else as it is."""
    encoding = next((word for mark, word in _MARKS if content.startswith(mark)), None)
    text = content if encoding is None else _decoded(content, encoding=encoding)
    if not name.lower().endswith(_TEXT_ENDINGS) and not text.startswith(b"#!"):
        return content
    return text.replace(b"\r\n", b"\n")


def _decoded(content: bytes, *, encoding: str) -> bytes:
    return content.decode(encoding, errors="replace").lstrip("\ufeff").encode()


def _fetched(machine: Machine, file: FileWanted, *, path: str, proxy: str | None, step: Step) -> str:
    pause = _FIRST_PAUSE
    for left in range(_TRIES - 1, -1, -1):
        step.checkpoint()
        step.say(f"fetching {file.name}")
        try:
            return machine.downloads.fetch(file.url, path, mode=_MODE, proxy=proxy)
        except TemporaryError as error:
            if not left:
                raise
            step.say(f"{error} Trying again in {pause:.0f} seconds, {left} more times.")
        _wait(machine, pause, step=step)
        pause *= 2
    raise AssertionError("the last try ends this")


def _wait(machine: Machine, seconds: float, *, step: Step) -> None:
    until = machine.clock.monotonic() + seconds
    while machine.clock.monotonic() < until:
        step.checkpoint()
        machine.clock.sleep(1.0)


def _check(file: FileWanted, found: str) -> None:
    if file.sha256 is not None and found != file.sha256.lower():
        raise PermanentError(
            f"The file {file.name} is not the one that was asked for: its SHA-256 is {found}.",
            resolution="Correct the checksum, or the file at its address.",
            exit_code=ExitCode.BAD_CONFIGURATION,
        )


def _with_unix_lines(machine: Machine, path: str) -> None:
    if machine.files.size(path) > _LARGEST_TEXT:
        return
    content = machine.files.read(path) or b""
    text = unix_text(path, content)
    if text != content:
        machine.files.write(path, text, mode=_MODE)


def _refused(text: str) -> PermanentError:
    return PermanentError(text, exit_code=ExitCode.BAD_CONFIGURATION)

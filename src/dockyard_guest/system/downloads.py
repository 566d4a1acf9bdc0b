"""The one door for what comes from the network by way of the standard library, and for what goes to a blob.

The keys of repositories are small and come over https alone; files of scripts may be large and come as their address
says. Certificates are always checked.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import GuestError, PermanentError, TemporaryError

if TYPE_CHECKING:
    from http.client import HTTPResponse
    from urllib.request import OpenerDirector, Request

_TIMEOUT = 20.0
_FILE_TIMEOUT = 60.0
_LONGEST = 1024 * 1024
_PIECE = 256 * 1024
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)
_LATER = (408, 429, 500, 502, 503, 504)


class SystemDownloads:
    """Fetches small files over https alone, and files of scripts."""

    def get(self, url: str) -> bytes:
        """The content of a file; see `ports.Downloads`."""
        if not url.startswith("https://"):
            raise PermanentError(f"{url} is not an https address.", exit_code=ExitCode.BAD_CONFIGURATION)
        # Slow to import, and needed only where a key is fetched.
        from http.client import HTTPException  # noqa: PLC0415
        from urllib.request import Request, urlopen  # noqa: PLC0415

        try:
            with urlopen(Request(url), timeout=_TIMEOUT) as answer:  # noqa: S310 - https, checked above
                if not answer.geturl().startswith("https://"):
                    raise PermanentError(f"{url} leads away from https.", exit_code=ExitCode.MISSING_DEPENDENCY)
                content: bytes = answer.read(_LONGEST)
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise TemporaryError(
                f"{url} cannot be fetched: {reason}.", exit_code=ExitCode.MISSING_DEPENDENCY
            ) from error
        return content

    def fetch(self, url: str, path: str, *, mode: int, proxy: str | None = None) -> str:
        """Put the content of an address into a new file; see `ports.Downloads`."""
        from urllib.request import Request  # noqa: PLC0415 - slow to import

        with _answer(Request(url), deed="fetched", proxy=proxy) as answer:  # noqa: S310 - checked in `_answer`
            return _kept(answer, url=url, path=path, mode=mode)


class SystemUploads:
    """Writes blobs whose addresses carry their own signatures."""

    def put(self, url: str, content: bytes) -> None:
        """Replace a block blob; see `ports.Uploads`."""
        from urllib.request import Request  # noqa: PLC0415 - slow to import

        headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": "text/plain; charset=utf-8"}
        request = Request(url, data=content, method="PUT", headers=headers)  # noqa: S310 - checked in `_answer`
        with _answer(request, deed="written", proxy=None):
            pass


def without_query(url: str) -> str:
    """The address without user, query and fragment, which may be secrets."""
    scheme, mark, rest = url.partition("://")
    place = rest.partition("#")[0].partition("?")[0]
    host, slash, path = place.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"


def _answer(request: Request, *, deed: str, proxy: str | None) -> HTTPResponse:
    from http.client import HTTPException  # noqa: PLC0415 - slow to import
    from urllib.error import HTTPError  # noqa: PLC0415

    shown = without_query(request.full_url)
    if request.type not in ("http", "https"):
        raise PermanentError(f"{shown} is not an http or https address.", exit_code=ExitCode.BAD_CONFIGURATION)
    try:
        answer: HTTPResponse = _opener(proxy).open(request, timeout=_FILE_TIMEOUT)
    except HTTPError as error:
        error.close()
        kind: type[GuestError] = TemporaryError if error.code in _LATER else PermanentError
        raise kind(
            f"{shown} cannot be {deed}: the server answers {error.code}.", exit_code=ExitCode.MISSING_DEPENDENCY
        ) from None
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise TemporaryError(f"{shown} cannot be {deed}: {reason}.", exit_code=ExitCode.MISSING_DEPENDENCY) from None
    return answer


def _opener(proxy: str | None) -> OpenerDirector:
    # No proxy of the environment, and no address of a file.
    from urllib import request  # noqa: PLC0415 - slow to import

    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler({} if proxy is None else {"http": proxy, "https": proxy}),
        request.HTTPHandler(),
        request.HTTPSHandler(),
        request.HTTPDefaultErrorHandler(),
        request.HTTPErrorProcessor(),
        request.HTTPRedirectHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _kept(answer: HTTPResponse, *, url: str, path: str, mode: int) -> str:
    import hashlib  # noqa: PLC0415 - slow to import
    import os  # noqa: PLC0415
    from http.client import HTTPException  # noqa: PLC0415

    digest = hashlib.sha256()
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    except OSError as error:
        raise PermanentError(f"{path} could not be written: {error.strerror}.") from error
    with os.fdopen(number, "wb") as file:
        try:
            while piece := answer.read(_PIECE):
                digest.update(piece)
                file.write(piece)
            file.flush()
            if answer.length:  # what http.client leaves unsaid when a connection ends early
                raise _broken_off(url, "its end is missing")
        except HTTPException as error:
            raise _broken_off(url, error) from None
        except OSError as error:
            if error.filename is None and error.errno in _DISK:
                raise PermanentError(f"{path} could not be written: {error.strerror}.") from error
            raise _broken_off(url, error) from None
    return digest.hexdigest()


def _broken_off(url: str, error: object) -> TemporaryError:
    return TemporaryError(f"{without_query(url)} broke off: {error}.", exit_code=ExitCode.MISSING_DEPENDENCY)

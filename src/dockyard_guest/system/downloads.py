"""The one door for fetching a small file from the network, by way of the standard library.

Used for the keys of repositories; packages are the package managers' business. Certificates are always checked.
"""

from __future__ import annotations

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError, TemporaryError

_TIMEOUT = 20.0
_LONGEST = 1024 * 1024


class SystemDownloads:
    """Fetches over https alone."""

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

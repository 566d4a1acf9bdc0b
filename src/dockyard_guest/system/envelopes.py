"""Protected settings: a CMS envelope opened with the openssl program, which is there because the agent needs it.

The plaintext comes through a pipe of its own, never mixed with the program's messages, is never written to a file and
never put into an error or a log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

if TYPE_CHECKING:
    from dockyard_guest.ports import Commands
    from dockyard_guest.values import Completed

_TIMEOUT = 60.0


class OpensslEnvelopes:
    """CMS envelopes opened by openssl."""

    def __init__(self, *, commands: Commands) -> None:
        self._commands = commands

    def open(self, envelope: bytes, *, certificate: str, key: str) -> bytes:
        """Decrypt an envelope; ``cms`` first, ``smime`` for an openssl that cannot read it so."""
        first = self._decrypt("cms", envelope, certificate=certificate, key=key)
        if first.succeeded:
            return first.stdout
        second = self._decrypt("smime", envelope, certificate=certificate, key=key)
        if second.succeeded:
            return second.stdout
        raise PermanentError(
            "The protected settings cannot be decrypted.",
            details=f"openssl cms: {_first_line(first)}",
            resolution="Send the settings again, encrypted to this machine's current certificate.",
            exit_code=ExitCode.BAD_CONFIGURATION,
        )

    def _decrypt(self, program: str, envelope: bytes, *, certificate: str, key: str) -> Completed:
        argv = ["openssl", program, "-decrypt", "-inform", "DER", "-recip", certificate, "-inkey", key]
        return self._commands.run(argv, stdin=envelope, timeout=_TIMEOUT)


def _first_line(completed: Completed) -> str:
    lines = completed.complaint.splitlines()
    return lines[0] if lines else f"exit code {completed.exit_code}"

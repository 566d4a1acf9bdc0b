"""Questions about certificates, answered by the openssl program, which is there because the agent needs it.

The private key goes to openssl through its standard input. Certificates are public and go through a private folder that
is removed at once. `-trusted` keeps the system's own authorities out of the judgement, which `-CAfile` would not.
Modules that only this work needs are imported when it is done: every command of the handler imports this one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError
from dockyard_guest.values import CertificateFacts

if TYPE_CHECKING:
    from dockyard_guest.ports import Commands, Files
    from dockyard_guest.values import Completed

_TIMEOUT = 60.0
_SERVER_AUTH = "TLS Web Server Authentication"
_ANY_USE = "Any Extended Key Usage"


class OpensslCertificates:
    """Certificates examined by openssl."""

    def __init__(self, *, commands: Commands, files: Files) -> None:
        self._commands = commands
        self._files = files

    def inspect(self, *, authority: bytes, certificate: bytes, key: bytes) -> CertificateFacts:
        """What there is to know about a server's certificate; see `ports.Certificates`."""
        shown = self._openssl(
            "x509",
            "-noout",
            "-subject",
            "-startdate",
            "-enddate",
            "-pubkey",
            stdin=certificate,
            what="server certificate",
        )
        self._openssl("x509", "-noout", stdin=authority, what="certificate of the authority")
        public_key = self._openssl("pkey", "-pubout", "-passin", "pass:", stdin=key, what="private key")
        return CertificateFacts(
            subject=_member(shown, "subject"),
            not_before=_moment(_member(shown, "notBefore")),
            not_after=_moment(_member(shown, "notAfter")),
            key_matches=_pem_block(shown) == _pem_block(public_key),
            chain_problem=self._chain_problem(authority=authority, certificate=certificate),
            serves=self._serves(certificate),
        )

    def _serves(self, certificate: bytes) -> bool:
        text = self._openssl("x509", "-noout", "-text", stdin=certificate, what="server certificate")
        lines = [line.strip() for line in text.splitlines()]
        starts = [index for index, line in enumerate(lines) if line.startswith("X509v3 Extended Key Usage")]
        uses = [lines[index + 1] for index in starts if index + 1 < len(lines)]
        return not uses or any(_SERVER_AUTH in line or _ANY_USE in line for line in uses)

    def _chain_problem(self, *, authority: bytes, certificate: bytes) -> str:
        from tempfile import TemporaryDirectory  # noqa: PLC0415 - see the module's docstring

        with TemporaryDirectory(prefix="dockyard-") as folder:
            self._files.write(f"{folder}/authority", authority, mode=0o600)
            self._files.write(f"{folder}/chain", certificate, mode=0o600)
            completed = self._commands.run(
                [
                    *("openssl", "verify", "-no_check_time"),
                    *("-trusted", f"{folder}/authority", "-untrusted", f"{folder}/chain", f"{folder}/chain"),
                ],
                timeout=_TIMEOUT,
            )
        return "" if completed.succeeded else _verify_reason(completed)

    def _openssl(self, *words: str, stdin: bytes, what: str) -> str:
        completed = self._commands.run(["openssl", *words], stdin=stdin, timeout=_TIMEOUT)
        if not completed.succeeded:
            raise PermanentError(
                f"The {what} cannot be read.",
                details=f"openssl {words[0]}: {completed.complaint.partition(chr(10))[0]}",
                exit_code=ExitCode.BAD_CONFIGURATION,
            )
        return completed.output


def _member(shown: str, name: str) -> str:
    for line in shown.splitlines():
        if line.startswith(f"{name}="):
            return line.partition("=")[2].strip()
    return ""


def _moment(text: str) -> float:
    from calendar import timegm  # noqa: PLC0415 - see the module's docstring

    return float(timegm(time.strptime(text, "%b %d %H:%M:%S %Y GMT")))


def _pem_block(text: str) -> str:
    _, _, rest = text.partition("-----BEGIN PUBLIC KEY-----")
    return "".join(rest.partition("-----END PUBLIC KEY-----")[0].split())


def _verify_reason(completed: Completed) -> str:
    lines = completed.complaint.splitlines() + completed.output.splitlines()
    reasons = [line.partition("lookup:")[2].strip() for line in lines if "lookup:" in line]
    return reasons[0] if reasons else "openssl verify refused it"

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
        begin, end = self._validity(authority)
        extensions = self._extensions(certificate)
        public_key = self._openssl("pkey", "-pubout", "-passin", "pass:", stdin=key, what="private key")
        return CertificateFacts(
            subject=_member(shown, "subject"),
            names=_names(extensions.get("Subject Alternative Name", "")),
            not_before=_moment(_member(shown, "notBefore")),
            not_after=_moment(_member(shown, "notAfter")),
            authority_not_before=begin,
            authority_not_after=end,
            key_matches=_pem_block(shown) == _pem_block(public_key),
            chain_problem=self._chain_problem(authority=authority, certificate=certificate),
            serves=_serves(extensions.get("Extended Key Usage")),
        )

    def _validity(self, authorities: bytes) -> tuple[float, float]:
        """From the first begin to the last end: while one authority follows another, a file holds both."""
        mark = b"-----BEGIN CERTIFICATE-----"
        blocks = [mark + block for block in authorities.split(mark)[1:]] or [authorities]
        words = ("x509", "-noout", "-startdate", "-enddate")
        shown = [self._openssl(*words, stdin=block, what="certificate of the authority") for block in blocks]
        begins = [_moment(_member(text, "notBefore")) for text in shown]
        return min(begins), max(_moment(_member(text, "notAfter")) for text in shown)

    def _extensions(self, certificate: bytes) -> dict[str, str]:
        """The certificate's extensions by openssl's names for them, each as one line."""
        text = self._openssl("x509", "-noout", "-text", stdin=certificate, what="server certificate")
        lines = [line.strip() for line in text.splitlines()]
        mark = "X509v3 "
        return {
            head[len(mark) :].partition(":")[0]: line for head, line in zip(lines, lines[1:]) if head.startswith(mark)
        }

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


def _serves(uses: str | None) -> bool:
    return uses is None or _SERVER_AUTH in uses or _ANY_USE in uses


def _names(alternatives: str) -> tuple[str, ...]:
    parts = [part.strip().partition(":") for part in alternatives.split(",")]
    return tuple(name for kind, _, name in parts if kind in ("DNS", "IP Address"))


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

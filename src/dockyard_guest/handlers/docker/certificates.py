"""Judging the server's certificate before the engine gets it: a bad one must not take down what works.

Pure: from what the openssl program found out to an error or a sentence.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

if TYPE_CHECKING:
    from dockyard_guest.values import CertificateFacts

EXPIRY_NOTICE = 14 * 24 * 3600.0
"""Seconds before the end of its validity from which a certificate is worth a warning."""


def judge(facts: CertificateFacts, *, now: float) -> None:
    """Make sure that the engine can use the certificate and that clients can trust it.

    A certificate without any extended key usage passes: the instructions of 2016 made them so, and clients take them.

    Raises:
        PermanentError: It cannot be used, and why.
    """
    if not facts.key_matches:
        raise _unusable("the private key `certs.key` does not belong to the certificate `certs.cert`")
    if facts.chain_problem:
        raise _unusable(f"`certs.cert` does not lead to the authority `certs.ca` ({facts.chain_problem})")
    if not facts.serves:
        raise _unusable("`certs.cert` may not be used by a server: its extended key usage lacks serverAuth")
    if now < facts.not_before:
        raise _unusable(
            f"`certs.cert` is valid only from {_moment(facts.not_before)}, and this machine's clock says {_moment(now)}"
        )
    if now >= facts.not_after:
        raise _unusable(
            f"`certs.cert` has expired at {_moment(facts.not_after)}, and this machine's clock says {_moment(now)}"
        )


def sentence(facts: CertificateFacts) -> str:
    """What the certificate is, in a sentence."""
    return f"{facts.subject or 'the certificate'}, valid until {_moment(facts.not_after)}"


def expires_soon(facts: CertificateFacts, *, now: float) -> bool:
    """Whether the certificate should be replaced now."""
    return facts.not_after - now < EXPIRY_NOTICE


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def _unusable(reason: str) -> PermanentError:
    return PermanentError(
        f"The certificates cannot be used: {reason}.",
        resolution="Send new certificates in the protected settings; the ones in use have not been touched.",
        exit_code=ExitCode.BAD_CONFIGURATION,
    )

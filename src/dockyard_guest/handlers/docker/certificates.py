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
    if not facts.names:
        raise _unusable(
            "`certs.cert` names no host: its subject alternative name has neither a DNS name nor an IP address, and "
            "docker clients look nowhere else"
        )
    _judge_dates("certs.cert", begin=facts.not_before, end=facts.not_after, now=now)
    _judge_dates("certs.ca", begin=facts.authority_not_before, end=facts.authority_not_after, now=now)


def sentence(facts: CertificateFacts) -> str:
    """What the certificate is, in a sentence."""
    subject = facts.subject or "the certificate"
    text = f"{subject} for {', '.join(facts.names)}, valid until {_moment(facts.not_after)}"
    if facts.authority_not_after < facts.not_after:
        text += f"; its authority only until {_moment(facts.authority_not_after)}"
    return text


def expires_soon(facts: CertificateFacts, *, now: float) -> bool:
    """Whether the certificate should be replaced now."""
    return _end(facts) - now <= EXPIRY_NOTICE


def next_look(facts: CertificateFacts, *, now: float) -> float:
    """When there will be something new to say about the certificate: that it expires soon, or that it has expired."""
    return _end(facts) if expires_soon(facts, now=now) else _end(facts) - EXPIRY_NOTICE


def _end(facts: CertificateFacts) -> float:
    return min(facts.not_after, facts.authority_not_after)


def _judge_dates(member: str, *, begin: float, end: float, now: float) -> None:
    if now < begin:
        raise _unusable(f"`{member}` is valid only from {_moment(begin)}, and this machine's clock says {_moment(now)}")
    if now >= end:
        raise _unusable(f"`{member}` has expired at {_moment(end)}, and this machine's clock says {_moment(now)}")


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def _unusable(reason: str) -> PermanentError:
    return PermanentError(
        f"The certificates cannot be used: {reason}.",
        resolution="Send new certificates in the protected settings; the ones in use have not been touched.",
        exit_code=ExitCode.BAD_CONFIGURATION,
    )

"""Certificates and protected settings, which the openssl program reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dockyard_guest.values import CertificateFacts


class Certificates(Protocol):
    """Questions about certificates, answered by the openssl program."""

    def inspect(self, *, authority: bytes, certificate: bytes, key: bytes) -> CertificateFacts:
        """What there is to know about a server's certificate.

        Raises:
            PermanentError: One of the three cannot be read.
        """


class Envelopes(Protocol):
    """Protected settings."""

    def open(self, envelope: bytes, *, certificate: str, key: str) -> bytes:
        """Decrypt a DER CMS envelope with the recipient's certificate and key files.

        Raises:
            PermanentError: It cannot be decrypted. The error never holds plaintext.
        """

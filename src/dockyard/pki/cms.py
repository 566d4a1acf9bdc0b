"""CMS EnvelopedData (RFC 5652): what Azure carries protected settings and certificates in.

AES-256-CBC content; ``openssl cms -decrypt -inform DER`` opens it in the guest. Used by ``tenant`` and ``wire``.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.serialization import pkcs7


def envelope(*, plaintext: bytes, certificate: x509.Certificate) -> bytes:
    """Encrypt for the holder of the certificate's RSA key; return DER.

    Raises:
        TypeError: the certificate's key is not RSA, the only kind CMS key transport knows here.
    """
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(plaintext).add_recipient(certificate)
    builder = builder.set_content_encryption_algorithm(algorithms.AES256)
    return builder.encrypt(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])

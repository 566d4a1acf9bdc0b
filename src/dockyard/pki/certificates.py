"""Issue X.509 certificates: P-256 for TLS. No files are touched here.

Used by the client (the user's Docker certificates) and by the composition (the API's own certificate). The chains
satisfy Python 3.13's strict verification: critical basicConstraints, key usage, subject and authority key ids.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dockyard.model.errors import InvalidRequest

_CLOCK_SKEW = timedelta(hours=1)  # guests' clocks may lag behind the host's


@dataclass(frozen=True)
class KeyPair:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """The certificate as PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The private key as unencrypted PKCS#8 PEM."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def __repr__(self) -> str:
        return f"KeyPair({self.certificate.subject.rfc4514_string()})"


def certificate_authority(*, common_name: str, days: int) -> KeyPair:
    """Make a self-signed authority that may sign leaves only (path length 0)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(common_name=common_name)
    usage = _key_usage(digital_signature=False, certificate_sign=True)
    builder = (
        _builder(subject=name, issuer=name, key=key, days=days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
    )
    return KeyPair(builder.sign(key, hashes.SHA256()), key)


def server_certificate(
    *, authority: KeyPair, common_name: str, dns_names: Sequence[str], ip_addresses: Sequence[str], days: int
) -> KeyPair:
    """Issue a certificate for a TLS server under every one of the given names and addresses."""
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in dns_names]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in ip_addresses]
    return _leaf(
        authority=authority,
        subject=_name(common_name=common_name),
        usage=ExtendedKeyUsageOID.SERVER_AUTH,
        alternative_names=names,
        days=days,
    )


def client_certificate(*, authority: KeyPair, common_name: str, organization: str | None = None, days: int) -> KeyPair:
    """Issue a certificate for a TLS client; ``organization`` carries its role."""
    return _leaf(
        authority=authority,
        subject=_name(common_name=common_name, organization=organization),
        usage=ExtendedKeyUsageOID.CLIENT_AUTH,
        alternative_names=[],
        days=days,
    )


def load(*, certificate: bytes, key: bytes) -> KeyPair:
    """Read a PEM pair.

    Raises:
        InvalidRequest: not PEM, not an elliptic-curve key, or the key does not belong to the certificate.
    """
    try:
        parsed = x509.load_pem_x509_certificate(certificate)
        private = serialization.load_pem_private_key(key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InvalidRequest(
            "The certificate or its key cannot be read",
            resolution="Give both as PEM; the key without a passphrase.",
            code="InvalidCertificate",
        ) from error
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise InvalidRequest(
            "The key is not an elliptic-curve key",
            resolution="Use a P-256 key, or let Dockyard make the certificates.",
            code="InvalidCertificate",
        )
    if private.public_key() != parsed.public_key():
        raise InvalidRequest(
            "The key does not belong to the certificate",
            details=f"certificate: {parsed.subject.rfc4514_string()}",
            resolution="Give the key that the certificate was issued for.",
            code="CertificateKeyMismatch",
        )
    return KeyPair(parsed, private)


def _leaf(
    *,
    authority: KeyPair,
    subject: x509.Name,
    usage: x509.ObjectIdentifier,
    alternative_names: Sequence[x509.GeneralName],
    days: int,
) -> KeyPair:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer_key_id = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        _builder(subject=subject, issuer=authority.certificate.subject, key=key, days=days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(digital_signature=True, certificate_sign=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key_id), critical=False)
    )
    if alternative_names:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternative_names), critical=False)
    return KeyPair(builder.sign(authority.key, hashes.SHA256()), key)


def _builder(
    *, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(*, common_name: str, organization: str | None = None) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(attributes)


def _key_usage(*, digital_signature: bool, certificate_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=certificate_sign,
        crl_sign=certificate_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )

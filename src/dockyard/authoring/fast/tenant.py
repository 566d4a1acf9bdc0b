"""The throw-away certificate that a test's protected settings are encrypted for. Used by ``agent``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from dockyard import files
from dockyard.pki import cms, tenant


@dataclass(frozen=True)
class Tenant:
    """A certificate, and the PEM text of its key."""

    certificate: x509.Certificate
    key: bytes

    @classmethod
    def new(cls) -> Tenant:
        """Make one as the fabric makes them."""
        key, certificate, _ = pkcs12.load_key_and_certificates(tenant.new_pair(common_name="tenant"), None)
        if key is None or certificate is None:
            raise ValueError("a pair without its key or its certificate")
        form = serialization.PrivateFormat.PKCS8
        return cls(certificate, key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))

    @property
    def thumbprint(self) -> str:
        """Azure's name of the certificate."""
        return tenant.thumbprint(self.certificate)

    def seal(self, plaintext: bytes) -> bytes:
        """Encrypt for this tenant; DER CMS EnvelopedData."""
        return cms.envelope(plaintext=plaintext, certificate=self.certificate)

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write both where the agent keeps them; return certificate and key."""
        certificate, key = folder / f"{self.thumbprint}.crt", folder / f"{self.thumbprint}.prv"
        files.write(certificate, self.certificate.public_bytes(serialization.Encoding.PEM), mode=files.PUBLIC)
        files.write(key, self.key, mode=files.SECRET)
        return certificate, key

"""Each machine's tenant certificate: made once, kept in the machine's own folder, handed to its guest alone.

Implements ``fabric.ports.TenantKeys``. RSA, because CMS key transport and the agent need it (protocol: WALinuxAgent
2.12 names key files by the SHA-1 thumbprint of this certificate).
"""

from __future__ import annotations

import base64
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from dockyard import files
from dockyard.model.errors import NotFound
from dockyard.pki import cms

_FILE = "tenant.pfx"
_YEARS = 10


class TenantKeyFiles:
    """Tenant keys as one PKCS#12 file a machine, mode 0600, below a folder."""

    def __init__(self, *, folder: Path) -> None:
        self._folder = folder

    def create(self, *, vm_id: str) -> str:
        """Make the pair when there is none; return its thumbprint, upper-case SHA-1."""
        path = self._path(vm_id)
        if not path.exists():
            files.write(path, new_pair(common_name=vm_id), mode=files.SECRET)
        return thumbprint(self._certificate(vm_id))

    def encrypt(self, *, vm_id: str, plaintext: bytes) -> str:
        """Return base64 DER CMS EnvelopedData that only this machine can open. Raises NotFound."""
        der = cms.envelope(plaintext=plaintext, certificate=self._certificate(vm_id))
        return base64.b64encode(der).decode("ascii")

    def pkcs12(self, *, vm_id: str) -> bytes:
        """Return the pair as PKCS#12 with an empty password. Raises NotFound."""
        try:
            return self._path(vm_id).read_bytes()
        except FileNotFoundError as error:
            raise NotFound(f"Machine {vm_id} has no tenant certificate") from error

    def delete(self, *, vm_id: str) -> None:
        """Forget the pair; no error when there is none."""
        shutil.rmtree(self._path(vm_id).parent, ignore_errors=True)

    def _path(self, vm_id: str) -> Path:
        return self._folder / vm_id / _FILE

    def _certificate(self, vm_id: str) -> x509.Certificate:
        _, certificate, _ = pkcs12.load_key_and_certificates(self.pkcs12(vm_id=vm_id), None)
        if certificate is None:
            raise NotFound(f"Machine {vm_id} has a damaged tenant certificate")
        return certificate


def thumbprint(certificate: x509.Certificate) -> str:
    """Return Azure's name of a certificate: the SHA-1 of its DER form in upper-case hexadecimal."""
    return certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - a name, not a proof


def new_pair(*, common_name: str) -> bytes:
    """Return a new certificate and its key as PKCS#12 with an empty password."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * _YEARS))
        .sign(key, hashes.SHA256())
    )
    return pkcs12.serialize_key_and_certificates(b"tenant", key, certificate, None, serialization.NoEncryption())

"""The user's Docker certificates: one authority that stays on this machine, a folder of certificates for each VM.

    <data>/certs/ca.pem, ca-key.pem                              the user's authority, made once, used for every VM
    <data>/certs/<vm>/{ca,cert,key,server-cert}.pem              what Docker's client needs to reach one VM

Used by the CLI and the portal. The server's private key is never written: it goes into the protected settings. With a
folder of the user's own (``--docker-cert-dir``), its authority and client certificate are used instead.
"""

from __future__ import annotations

import base64
import getpass
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID

from dockyard import files
from dockyard.client import locking
from dockyard.client.names import MachineName
from dockyard.config import Paths
from dockyard.model.errors import InvalidRequest, NotFound, OperationFailed
from dockyard.pki import certificates as pki
from dockyard.pki.certificates import KeyPair

AUTHORITY_DAYS = 3650
LEAF_DAYS = 365
_RENEWABLE = "'dockyard vm docker renew NAME' makes new ones."


@dataclass(frozen=True)
class Folder:
    """The certificate folder of one VM, laid out as DOCKER_CERT_PATH wants it."""

    path: Path

    @property
    def authority(self) -> Path:
        """The authority both sides trust."""
        return self.path / "ca.pem"

    @property
    def certificate(self) -> Path:
        """The client's certificate."""
        return self.path / "cert.pem"

    @property
    def key(self) -> Path:
        """The client's private key."""
        return self.path / "key.pem"

    @property
    def server_certificate(self) -> Path:
        """The certificate the VM was given, kept to know when it expires."""
        return self.path / "server-cert.pem"

    @property
    def is_complete(self) -> bool:
        """Whether Docker's client can work with it."""
        return all(path.exists() for path in (self.authority, self.certificate, self.key))


@dataclass(frozen=True)
class Bundle:
    """All certificates of one VM, in memory."""

    authority_pem: bytes
    client: KeyPair
    server: KeyPair

    def protected_settings(self) -> Mapping[str, Any]:
        """Return the ``certs`` member of the Docker extension's protected settings: base64 of PEM files."""
        return {
            "certs": {
                "ca": _base64(self.authority_pem),
                "cert": _base64(self.server.certificate_pem),
                "key": _base64(self.server.key_pem),
            }
        }

    def write(self, folder: Folder) -> None:
        """Put everything but the server's key into ``folder``, each file with its final mode."""
        files.make_folder(folder.path)
        files.write(folder.authority, self.authority_pem, mode=files.PUBLIC)
        files.write(folder.key, self.client.key_pem, mode=files.SECRET)
        files.write(folder.certificate, self.client.certificate_pem, mode=files.PUBLIC)
        files.write(folder.server_certificate, self.server.certificate_pem, mode=files.PUBLIC)

    @property
    def expires_at(self) -> datetime:
        """When the first of the certificates expires."""
        return min(self.client.certificate.not_valid_after_utc, self.server.certificate.not_valid_after_utc)


def folder_of(paths: Paths, name: MachineName) -> Folder:
    """Return where a VM's certificates are or will be."""
    return Folder(paths.data / "certs" / name.slug)


def issue(paths: Paths, name: MachineName, *, own: Path | None) -> Bundle:
    """Return certificates for a VM: from the user's authority, or from the folder ``own`` when one is given.

    Raises:
        InvalidRequest: ``own`` lacks files, or a certificate there does not match its key or its authority.
        OperationFailed: the user's authority is there without its key, or has expired.
    """
    authority, client = _from_folder(own) if own is not None else (_user_authority(paths), None)
    server = pki.server_certificate(
        authority=authority,
        common_name=name.name,
        dns_names=[name.name, "localhost"],
        ip_addresses=["127.0.0.1", "::1"],
        days=LEAF_DAYS,
    )
    return Bundle(authority.certificate_pem, client or _client_certificate(authority), server)


def expires_at(folder: Folder) -> datetime | None:
    """Return when the first certificate of a folder expires; None when it holds none."""
    ends = []
    for path in (folder.certificate, folder.server_certificate):
        try:
            ends.append(x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc)
        except FileNotFoundError:
            continue
        except ValueError as error:
            raise OperationFailed(
                f"{path} is not a certificate", resolution=_RENEWABLE, code="InvalidCertificate"
            ) from error
    return min(ends, default=None)


def require(folder: Folder, name: MachineName, *, now: datetime) -> datetime:
    """Return when a VM's certificates expire.

    Raises:
        NotFound: this machine has none for the VM.
        OperationFailed: they have expired.
    """
    end = expires_at(folder) if folder.is_complete else None
    if end is None:
        raise NotFound(
            f"There are no Docker certificates for {name} on this machine",
            details=f"looked in {folder.path}",
            resolution="'dockyard vm docker renew NAME' makes new ones and hands them to the machine.",
            code="CertificatesNotFound",
        )
    if end <= now:
        raise OperationFailed(
            f"The Docker certificates of {name} expired on {end:%Y-%m-%d}",
            resolution="'dockyard vm docker renew NAME' makes new ones and hands them to the machine.",
            code="CertificateExpired",
        )
    return end


def remove(folder: Folder) -> bool:
    """Delete a VM's folder; False when there was none. The authority stays."""
    if not folder.path.is_dir():
        return False
    shutil.rmtree(folder.path)
    return True


def _user_authority(paths: Paths) -> KeyPair:
    """Load the user's authority, made on the first use; two processes at once make one."""
    root = paths.data / "certs"
    certificate, key = root / "ca.pem", root / "ca-key.pem"
    with locking.locked(root / ".lock", what="another process to make certificates", deadline=30):
        if not certificate.exists():
            _make_authority(certificate=certificate, key=key)
        if not key.exists():
            raise OperationFailed(
                f"The private key of your certificate authority is missing: {key}",
                resolution=f"Put it back, or give certificates by --docker-cert-dir, or move {certificate} away: "
                "a new authority is then made, and existing machines keep the old one.",
                code="CertificateAuthorityIncomplete",
            )
        pair = pki.load(certificate=certificate.read_bytes(), key=key.read_bytes())
    _check_not_expired(pair.certificate, certificate, resolution=f"Move {certificate} and {key} away.")
    return pair


def _make_authority(*, certificate: Path, key: Path) -> None:
    """Write the key first: a certificate on disk always has its key beside it."""
    pair = pki.certificate_authority(common_name=f"Dockyard ({_user()})", days=AUTHORITY_DAYS)
    files.write(key, pair.key_pem, mode=files.SECRET)
    files.write(certificate, pair.certificate_pem, mode=files.PUBLIC)


def _client_certificate(authority: KeyPair) -> KeyPair:
    return pki.client_certificate(authority=authority, common_name=_user(), days=LEAF_DAYS)


def _from_folder(folder: Path) -> tuple[KeyPair, KeyPair]:
    """Return authority and client certificate of a folder; both are made when it is empty or missing."""
    names = ("ca.pem", "ca-key.pem", "cert.pem", "key.pem")
    missing = [name for name in names if not (folder / name).exists()]
    if len(missing) == len(names):
        _fill(folder)
    elif missing:
        raise InvalidRequest(
            f"{folder} is not a complete set of Docker certificates",
            details=f"missing: {', '.join(missing)}",
            resolution="Add what is missing, or give an empty folder: it is then filled. Nothing was changed.",
            code="CertificatesIncomplete",
        )
    authority = _pair(folder, certificate="ca.pem", key="ca-key.pem")
    client = _pair(folder, certificate="cert.pem", key="key.pem")
    _check_issued(client, authority, folder)
    return authority, client


def _fill(folder: Path) -> None:
    _make_authority(certificate=folder / "ca.pem", key=folder / "ca-key.pem")
    client = _client_certificate(_pair(folder, certificate="ca.pem", key="ca-key.pem"))
    files.write(folder / "key.pem", client.key_pem, mode=files.SECRET)
    files.write(folder / "cert.pem", client.certificate_pem, mode=files.PUBLIC)


def _pair(folder: Path, *, certificate: str, key: str) -> KeyPair:
    try:
        pair = pki.load(certificate=(folder / certificate).read_bytes(), key=(folder / key).read_bytes())
    except InvalidRequest as error:
        raise InvalidRequest(
            f"{error.brief}: {folder / certificate} and {folder / key}",
            details=error.details,
            resolution=error.resolution,
            code=error.code,
        ) from error
    _check_not_expired(pair.certificate, folder / certificate, resolution="Renew it, or give another folder.")
    return pair


def _check_issued(client: KeyPair, authority: KeyPair, folder: Path) -> None:
    try:
        client.certificate.verify_directly_issued_by(authority.certificate)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise InvalidRequest(
            f"{folder / 'cert.pem'} was not issued by {folder / 'ca.pem'}",
            resolution="Give a folder whose client certificate its own authority signed.",
            code="CertificateIssuerMismatch",
        ) from error
    if not _is_for_clients(client.certificate):
        raise InvalidRequest(
            f"{folder / 'cert.pem'} may not be used by a TLS client",
            resolution="Give a certificate with the extended key usage clientAuth.",
            code="InvalidCertificate",
        )


def _is_for_clients(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.CLIENT_AUTH in usage


def _check_not_expired(certificate: x509.Certificate, path: Path, *, resolution: str) -> None:
    end = certificate.not_valid_after_utc
    if end <= datetime.now(UTC):
        raise OperationFailed(
            f"The certificate {path} expired on {end:%Y-%m-%d}", resolution=resolution, code="CertificateExpired"
        )


def _user() -> str:
    """Return who the certificates are for; a user without an account name is named by number."""
    try:
        return getpass.getuser()[:40]
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")

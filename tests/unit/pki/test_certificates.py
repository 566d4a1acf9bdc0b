"""Certificates are what TLS peers and the agent accept: chains, uses, names, keys that match."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from dockyard.model.errors import InvalidRequest, NotFound
from dockyard.pki import certificates
from dockyard.pki.certificates import KeyPair
from dockyard.pki.tenant import TenantKeyFiles


@pytest.fixture(scope="module")
def authority() -> KeyPair:
    return certificates.certificate_authority(common_name="test CA", days=10)


def server(authority: KeyPair) -> KeyPair:
    return certificates.server_certificate(
        authority=authority, common_name="web", dns_names=["web", "localhost"], ip_addresses=["127.0.0.1"], days=5
    )


def openssl(*argv: str, input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["openssl", *argv], input=input, capture_output=True, check=False)


def test_openssl_verifies_the_chain_strictly(tmp_path: Path, authority: KeyPair) -> None:
    (tmp_path / "ca").write_bytes(authority.certificate_pem)
    (tmp_path / "leaf").write_bytes(server(authority).certificate_pem)
    strict = ["-x509_strict", "-purpose", "sslserver", "-verify_hostname", "localhost"]
    done = openssl("verify", *strict, "-CAfile", str(tmp_path / "ca"), str(tmp_path / "leaf"))
    assert done.returncode == 0, done.stderr


def test_a_server_certificate_serves_and_a_client_one_asks(authority: KeyPair) -> None:
    client = certificates.client_certificate(authority=authority, common_name="me", organization="admin", days=5)
    assert usage(server(authority)) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert usage(client) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def usage(pair: KeyPair) -> list[x509.ObjectIdentifier]:
    return list(pair.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def test_a_pair_is_read_back(authority: KeyPair) -> None:
    pair = server(authority)
    loaded = certificates.load(certificate=pair.certificate_pem, key=pair.key_pem)
    assert loaded.certificate == pair.certificate


def test_a_key_of_another_certificate_is_refused(authority: KeyPair) -> None:
    with pytest.raises(InvalidRequest, match="does not belong") as caught:
        certificates.load(certificate=server(authority).certificate_pem, key=server(authority).key_pem)
    assert caught.value.code == "CertificateKeyMismatch"


@pytest.mark.parametrize("junk", [b"", b"not PEM", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_refused(authority: KeyPair, junk: bytes) -> None:
    with pytest.raises(InvalidRequest, match="cannot be read"):
        certificates.load(certificate=junk, key=authority.key_pem)


def test_a_pair_does_not_show_its_key(authority: KeyPair) -> None:
    assert "PRIVATE" not in repr(authority)


def test_openssl_opens_what_is_sealed_to_a_tenant_as_the_guest_does(tmp_path: Path) -> None:
    keys = TenantKeyFiles(folder=tmp_path)
    keys.create(vm_id="vm")
    sealed = keys.encrypt(vm_id="vm", plaintext=b'{"certs":"secret"}')
    pem = openssl("pkcs12", "-nodes", "-passin", "pass:", input=keys.pkcs12(vm_id="vm")).stdout
    (tmp_path / "tenant.pem").write_bytes(pem)
    recipient = ["-recip", str(tmp_path / "tenant.pem"), "-inkey", str(tmp_path / "tenant.pem")]
    der = openssl("base64", "-d", "-A", input=sealed.encode()).stdout
    assert openssl("cms", "-decrypt", "-inform", "DER", *recipient, input=der).stdout == b'{"certs":"secret"}'


def test_a_tenant_key_is_made_once_and_private(tmp_path: Path) -> None:
    keys = TenantKeyFiles(folder=tmp_path)
    assert keys.create(vm_id="vm") == keys.create(vm_id="vm")
    assert (tmp_path / "vm" / "tenant.pfx").stat().st_mode & 0o777 == 0o600


def test_a_forgotten_tenant_is_unknown(tmp_path: Path) -> None:
    keys = TenantKeyFiles(folder=tmp_path)
    keys.create(vm_id="vm")
    keys.delete(vm_id="vm")
    keys.delete(vm_id="vm")
    with pytest.raises(NotFound):
        keys.encrypt(vm_id="vm", plaintext=b"")

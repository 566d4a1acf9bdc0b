"""The user's certificates: who signs, what is written where and with which mode, what of the user's own is taken."""

from __future__ import annotations

import base64
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from dockyard.client import certificates
from dockyard.client.certificates import Bundle, Folder
from dockyard.client.names import MachineName
from dockyard.config import Paths
from dockyard.model.errors import InvalidRequest, NotFound, OperationFailed
from dockyard.pki import certificates as pki

WEB = MachineName("dockyard", "web")


def issue(paths: Paths, *, own: Path | None = None, name: MachineName = WEB) -> tuple[Bundle, Folder]:
    bundle = certificates.issue(paths, name, own=own)
    folder = certificates.folder_of(paths, name)
    bundle.write(folder)
    return bundle, folder


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def openssl_verify(folder: Folder, leaf: Path, purpose: str) -> None:
    argv = ["openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", str(folder.authority), str(leaf)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_both_chains_satisfy_openssl_at_its_strictest(paths: Paths) -> None:
    _, folder = issue(paths)
    openssl_verify(folder, folder.certificate, "sslclient")
    openssl_verify(folder, folder.server_certificate, "sslserver")


def test_server_certificate_holds_every_name_it_is_reached_by(paths: Paths) -> None:
    bundle, _ = issue(paths)
    names = bundle.server.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["web", "localhost"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]


def test_keys_are_p256(paths: Paths) -> None:
    bundle, _ = issue(paths)
    assert all(isinstance(pair.key.curve, ec.SECP256R1) for pair in (bundle.client, bundle.server))


def test_secret_files_are_the_users_alone(paths: Paths) -> None:
    _, folder = issue(paths)
    root = paths.data / "certs"
    assert [mode(root), mode(folder.path)] == [0o700, 0o700]
    assert [mode(root / "ca-key.pem"), mode(folder.key)] == [0o600, 0o600]


def test_server_key_is_sent_and_not_kept(paths: Paths) -> None:
    bundle, folder = issue(paths)
    sent = base64.b64decode(bundle.protected_settings()["certs"]["key"])
    assert sent == bundle.server.key_pem
    kept = b"".join(path.read_bytes() for path in (paths.data / "certs").rglob("*.pem"))
    assert sent not in kept
    assert sorted(path.name for path in folder.path.iterdir()) == ["ca.pem", "cert.pem", "key.pem", "server-cert.pem"]


def test_all_machines_share_one_authority(paths: Paths) -> None:
    first, _ = issue(paths)
    second, _ = issue(paths, name=MachineName("dockyard", "db"))
    assert first.authority_pem == second.authority_pem


def test_same_name_in_two_groups_has_two_folders(paths: Paths) -> None:
    folders = {certificates.folder_of(paths, MachineName(group, "web")).path.name for group in ("dockyard", "Team.A")}
    assert folders == {"web", "team.a.web"}


def test_lost_authority_key_is_an_error_not_a_new_authority(paths: Paths) -> None:
    issue(paths)
    before = (paths.data / "certs/ca.pem").read_bytes()
    (paths.data / "certs/ca-key.pem").unlink()
    with pytest.raises(OperationFailed, match="private key of your certificate authority is missing"):
        certificates.issue(paths, WEB, own=None)
    assert (paths.data / "certs/ca.pem").read_bytes() == before


def test_empty_folder_of_ones_own_is_filled_and_used_again(paths: Paths, tmp_path: Path) -> None:
    own = tmp_path / "own"
    first, _ = issue(paths, own=own)
    second, folder = issue(paths, own=own)
    assert first.authority_pem == second.authority_pem == (own / "ca.pem").read_bytes()
    assert folder.certificate.read_bytes() == (own / "cert.pem").read_bytes()
    assert not (paths.data / "certs/ca.pem").exists()


def test_incomplete_folder_is_left_as_it_is(paths: Paths, tmp_path: Path) -> None:
    own = tmp_path / "own"
    issue(paths, own=own)
    (own / "key.pem").unlink()
    before = {path.name: path.read_bytes() for path in own.glob("*.pem")}
    with pytest.raises(InvalidRequest, match="not a complete set") as caught:
        certificates.issue(paths, WEB, own=own)
    assert caught.value.details == "missing: key.pem"
    assert {path.name: path.read_bytes() for path in own.glob("*.pem")} == before


def test_certificate_that_does_not_match_its_key_is_named(paths: Paths, tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    issue(paths, own=own)
    issue(paths, own=other)
    (own / "key.pem").write_bytes((other / "key.pem").read_bytes())
    with pytest.raises(InvalidRequest) as caught:
        certificates.issue(paths, WEB, own=own)
    assert caught.value.code == "CertificateKeyMismatch"
    assert str(own / "cert.pem") in caught.value.brief


def test_client_certificate_of_another_authority_is_refused(paths: Paths, tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    issue(paths, own=own)
    issue(paths, own=other)
    for name in ("cert.pem", "key.pem"):
        (own / name).write_bytes((other / name).read_bytes())
    with pytest.raises(InvalidRequest) as caught:
        certificates.issue(paths, WEB, own=own)
    assert caught.value.code == "CertificateIssuerMismatch"


def test_server_certificate_does_not_pass_for_a_clients(paths: Paths, tmp_path: Path) -> None:
    own = tmp_path / "own"
    issue(paths, own=own)
    authority = pki.load(certificate=(own / "ca.pem").read_bytes(), key=(own / "ca-key.pem").read_bytes())
    wrong = pki.server_certificate(authority=authority, common_name="x", dns_names=["x"], ip_addresses=[], days=1)
    (own / "cert.pem").write_bytes(wrong.certificate_pem)
    (own / "key.pem").write_bytes(wrong.key_pem)
    with pytest.raises(InvalidRequest, match="may not be used by a TLS client"):
        certificates.issue(paths, WEB, own=own)


def test_expiry_is_the_first_of_both_certificates(paths: Paths) -> None:
    bundle, folder = issue(paths)
    assert certificates.expires_at(folder) == bundle.expires_at
    days = (bundle.expires_at - datetime.now(UTC)) / timedelta(days=1)
    assert days == pytest.approx(certificates.LEAF_DAYS, abs=0.1)


def test_expired_certificates_name_the_command_that_renews(paths: Paths) -> None:
    _, folder = issue(paths)
    later = datetime.now(UTC) + timedelta(days=400)
    with pytest.raises(OperationFailed, match="expired on") as caught:
        certificates.require(folder, WEB, now=later)
    assert "vm docker renew" in caught.value.resolution


def test_machine_without_certificates_here_is_not_found(paths: Paths) -> None:
    with pytest.raises(NotFound, match="no Docker certificates for 'web'"):
        certificates.require(certificates.folder_of(paths, WEB), WEB, now=datetime.now(UTC))


def test_removal_spares_the_authority(paths: Paths) -> None:
    _, folder = issue(paths)
    assert certificates.remove(folder)
    assert not certificates.remove(folder)
    assert (paths.data / "certs/ca-key.pem").exists()

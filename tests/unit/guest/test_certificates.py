"""Certificates and envelopes as the real openssl sees them, and what the Docker extension makes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dockyard_guest.errors import PermanentError
from dockyard_guest.handlers.docker.certificates import expires_soon, judge, next_look, sentence
from dockyard_guest.system.certificates import OpensslCertificates
from dockyard_guest.system.commands import SystemCommands
from dockyard_guest.system.envelopes import OpensslEnvelopes
from dockyard_guest.system.files import SystemFiles
from dockyard_guest.values import CertificateFacts
from tests.support.openssl_pki import Pair, make_authority, make_leaf, openssl, seal

LOG: list[str] = []
COMMANDS = SystemCommands(log=LOG.append)
DAY = 86400.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pki")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Pair:
    return make_authority(folder)


@pytest.fixture(scope="module")
def server(folder: Path, authority: Pair) -> Pair:
    return make_leaf(folder, "server", authority=authority, use="serverAuth")


def inspect(authority: Pair, certificate: Pair, key: Pair | None = None) -> CertificateFacts:
    return OpensslCertificates(commands=COMMANDS, files=SystemFiles()).inspect(
        authority=authority.certificate.read_bytes(),
        certificate=certificate.certificate.read_bytes(),
        key=(key or certificate).key.read_bytes(),
    )


def test_a_good_certificate_is_known_as_such(authority: Pair, server: Pair) -> None:
    facts = inspect(authority, server)
    assert "server" in facts.subject
    assert (facts.key_matches, facts.chain_problem, facts.serves) == (True, "", True)
    assert 19 * DAY < facts.not_after - facts.not_before < 21 * DAY
    judge(facts, now=facts.not_before + 60)


def test_a_key_of_another_certificate_is_noticed(folder: Path, authority: Pair, server: Pair) -> None:
    other = make_leaf(folder, "other", authority=authority, use="serverAuth")
    facts = inspect(authority, server, other)
    assert not facts.key_matches


def test_a_foreign_authority_is_noticed(folder: Path, server: Pair) -> None:
    facts = inspect(make_authority(folder, "foreign"), server)
    assert "issuer" in facts.chain_problem


def test_the_systems_own_authorities_are_no_help(folder: Path, authority: Pair) -> None:
    system = Path("/etc/ssl/certs/ca-certificates.crt")
    if not system.is_file():
        pytest.skip("this machine has no trusted authorities")
    trusted = system.read_text().partition("-----END CERTIFICATE-----")
    root = Pair(certificate=folder / "trusted.pem", key=authority.key)
    root.certificate.write_text(trusted[0] + trusted[1] + "\n")
    assert inspect(authority, root, authority).chain_problem


def test_an_intermediate_after_the_certificate_completes_the_chain(folder: Path, authority: Pair) -> None:
    middle = make_leaf(folder, "middle", authority=authority, authorised=True)
    leaf = make_leaf(folder, "deep", authority=middle, use="serverAuth")
    assert inspect(authority, leaf).chain_problem
    leaf.certificate.write_bytes(leaf.certificate.read_bytes() + middle.certificate.read_bytes())
    assert inspect(authority, leaf).chain_problem == ""


@pytest.mark.parametrize(("use", "serves"), [("clientAuth", False), ("serverAuth,clientAuth", True), ("", True)])
def test_the_extended_key_usage_decides_who_may_serve(folder: Path, authority: Pair, use: str, serves: bool) -> None:
    leaf = make_leaf(folder, f"use-{use}", authority=authority, use=use)
    assert inspect(authority, leaf).serves is serves


def test_an_expired_certificate_still_tells_its_chain(folder: Path, authority: Pair) -> None:
    expired = make_leaf(folder, "expired", authority=authority, use="serverAuth", days=0)
    facts = inspect(authority, expired)
    assert facts.chain_problem == ""
    with pytest.raises(PermanentError, match="has expired at"):
        judge(facts, now=facts.not_after + 60)


@pytest.mark.parametrize("part", ["authority", "certificate", "key"])
def test_what_cannot_be_read_is_named_and_not_quoted(authority: Pair, server: Pair, part: str) -> None:
    parts = {
        "authority": authority.certificate.read_bytes(),
        "certificate": server.certificate.read_bytes(),
        "key": server.key.read_bytes(),
    }
    parts[part] = b"-----BEGIN CERTIFICATE-----\nY2FuYXJ5\n-----END CERTIFICATE-----\n"
    with pytest.raises(PermanentError, match="cannot be read") as caught:
        OpensslCertificates(commands=COMMANDS, files=SystemFiles()).inspect(**parts)
    assert "Y2FuYXJ5" not in caught.value.full_text


def test_an_encrypted_key_is_refused_without_asking_for_its_password(
    folder: Path, authority: Pair, server: Pair
) -> None:
    locked = folder / "locked.key"
    locked.write_bytes(openssl("pkey", "-in", str(server.key), "-aes256", "-passout", "pass:x"))
    with pytest.raises(PermanentError, match="private key cannot be read"):
        inspect(authority, server, Pair(certificate=server.certificate, key=locked))


def test_no_key_ever_stands_in_the_log(server: Pair) -> None:
    lines = server.key.read_text().splitlines()
    assert not any(line in entry for line in lines for entry in LOG)


FACTS = CertificateFacts(
    subject="CN=x",
    names=("x", "127.0.0.1"),
    not_before=0.0,
    not_after=100 * DAY,
    authority_not_before=0.0,
    authority_not_after=1000 * DAY,
    key_matches=True,
    chain_problem="",
    serves=True,
)


def test_expiry_is_announced_two_weeks_before() -> None:
    assert not expires_soon(FACTS, now=85 * DAY)
    assert expires_soon(FACTS, now=87 * DAY)
    assert sentence(FACTS) == "CN=x for x, 127.0.0.1, valid until 1970-04-11 00:00 UTC"


def test_the_authoritys_end_counts_when_it_comes_first() -> None:
    facts = replace(FACTS, authority_not_after=50 * DAY)
    assert expires_soon(facts, now=37 * DAY)
    assert sentence(facts).endswith("; its authority only until 1970-02-20 00:00 UTC")


def test_there_is_something_new_to_say_two_weeks_before_the_end_and_at_the_end() -> None:
    assert next_look(FACTS, now=20 * DAY) == 86 * DAY
    assert next_look(FACTS, now=86.5 * DAY) == 100 * DAY


@pytest.mark.parametrize(
    "facts",
    [
        replace(FACTS, key_matches=False),
        replace(FACTS, chain_problem="x"),
        replace(FACTS, serves=False),
        replace(FACTS, not_before=50 * DAY),
        replace(FACTS, not_after=10 * DAY),
    ],
)
def test_a_bad_certificate_is_the_users_matter(facts: CertificateFacts) -> None:
    with pytest.raises(PermanentError) as caught:
        judge(facts, now=20 * DAY)
    assert int(caught.value.exit_code) == 53


# ---------------------------------------------------------------- envelopes


def opened(envelope: bytes, pair: Pair) -> bytes:
    return OpensslEnvelopes(commands=COMMANDS).open(envelope, certificate=str(pair.certificate), key=str(pair.key))


@pytest.fixture(scope="module")
def recipient(folder: Path) -> Pair:
    pair = Pair(certificate=folder / "tenant.crt", key=folder / "tenant.prv")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(pair.key), "-out", str(pair.certificate),
            "-subj", "/CN=tenant", "-days", "3")  # fmt: skip
    return pair


def test_an_envelope_is_opened_byte_for_byte(recipient: Pair) -> None:
    plaintext = b'{"a": "\xc3\xa4\r\n\x00"}'
    assert opened(seal(plaintext, recipient=recipient.certificate), recipient) == plaintext


def test_an_envelope_with_the_platforms_old_cipher_is_opened(recipient: Pair) -> None:
    words = ("cms", "-encrypt", "-des3", "-binary", "-outform", "DER", str(recipient.certificate))
    assert opened(openssl(*words, stdin=b"{}"), recipient) == b"{}"


def test_an_envelope_for_somebody_else_cannot_be_opened(folder: Path, recipient: Pair) -> None:
    other = Pair(certificate=folder / "o.crt", key=folder / "o.prv")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(other.key), "-out", str(other.certificate),
            "-subj", "/CN=o")  # fmt: skip
    with pytest.raises(PermanentError, match="cannot be decrypted") as caught:
        opened(seal(b"canary", recipient=other.certificate), recipient)
    assert int(caught.value.exit_code) == 53


@pytest.mark.parametrize("damage", [b"", b"no envelope", b"0" * 2000])
def test_a_damaged_envelope_cannot_be_opened(recipient: Pair, damage: bytes) -> None:
    with pytest.raises(PermanentError, match="cannot be decrypted"):
        opened(damage, recipient)


def test_a_cut_envelope_never_shows_what_was_in_it(recipient: Pair) -> None:
    envelope = seal(b"canary-" * 1000, recipient=recipient.certificate)
    with pytest.raises(PermanentError) as caught:
        opened(envelope[:-40], recipient)
    assert "canary" not in caught.value.full_text + repr(caught.value.__context__) + "".join(LOG)

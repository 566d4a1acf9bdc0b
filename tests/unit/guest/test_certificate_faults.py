"""Every fault a server's certificate can have, made with the real openssl: exit code 53 and a text that says which."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from dockyard_guest.errors import PermanentError
from dockyard_guest.handlers.docker.certificates import judge
from dockyard_guest.system.certificates import OpensslCertificates
from dockyard_guest.system.commands import SystemCommands
from dockyard_guest.system.files import SystemFiles
from tests.support.openssl_pki import Pair, make_authority, make_leaf

DAY = 86400.0


@dataclass(frozen=True)
class Given:
    """What is sent, and how far the machine's clock is from the time the certificates were made."""

    authority: Pair
    certificate: Pair
    key: Pair
    clock: float = 0.0


def good(folder: Path) -> Given:
    authority = make_authority(folder)
    leaf = make_leaf(folder, "server", authority=authority, use="serverAuth")
    return Given(authority=authority, certificate=leaf, key=leaf)


def leaf_of(folder: Path, *, use: str = "serverAuth", days: int = 20, alternatives: str = "DNS:web") -> Given:
    authority = make_authority(folder)
    leaf = make_leaf(folder, "server", authority=authority, use=use, days=days, alternatives=alternatives)
    return Given(authority=authority, certificate=leaf, key=leaf)


def with_foreign_key(folder: Path) -> Given:
    given = good(folder)
    other = make_leaf(folder, "other", authority=given.authority, use="serverAuth")
    return Given(authority=given.authority, certificate=given.certificate, key=other)


def by_another_authority(folder: Path) -> Given:
    given = good(folder)
    return Given(authority=make_authority(folder, "foreign"), certificate=given.certificate, key=given.key)


def by_one_who_is_no_authority(folder: Path) -> Given:
    root = make_authority(folder)
    plain = make_leaf(folder, "plain", authority=root)
    leaf = make_leaf(folder, "server", authority=plain, use="serverAuth")
    return Given(authority=plain, certificate=leaf, key=leaf)


def with_an_old_authority(folder: Path) -> Given:
    authority = make_authority(folder, days=5)
    leaf = make_leaf(folder, "server", authority=authority, use="serverAuth", days=20)
    return Given(authority=authority, certificate=leaf, key=leaf, clock=6 * DAY)


FAULTS: dict[str, tuple[Callable[[Path], Given], str]] = {
    "a key of another certificate": (with_foreign_key, "`certs.key` does not belong to the certificate `certs.cert`"),
    "another authority": (by_another_authority, "does not lead to the authority `certs.ca` \\(.*issuer"),
    "no authority": (by_one_who_is_no_authority, "does not lead to the authority `certs.ca`"),
    "for clients only": (lambda folder: leaf_of(folder, use="clientAuth"), "extended key usage lacks serverAuth"),
    "no name": (lambda folder: leaf_of(folder, alternatives=""), "names no host: its subject alternative name"),
    "a mail address": (lambda folder: leaf_of(folder, alternatives="email:a@b"), "names no host"),
    "expired": (lambda folder: leaf_of(folder, days=0), "`certs.cert` has expired at "),
    "not valid yet": (lambda folder: good_at(folder, clock=-DAY), "`certs.cert` is valid only from "),
    "an expired authority": (with_an_old_authority, "`certs.ca` has expired at "),
}


def good_at(folder: Path, *, clock: float) -> Given:
    given = good(folder)
    return Given(authority=given.authority, certificate=given.certificate, key=given.key, clock=clock)


def judged(given: Given) -> None:
    facts = OpensslCertificates(commands=SystemCommands(log=lambda _: None), files=SystemFiles()).inspect(
        authority=given.authority.certificate.read_bytes(),
        certificate=given.certificate.certificate.read_bytes(),
        key=given.key.key.read_bytes(),
    )
    judge(facts, now=time.time() + given.clock)


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_ends_with_53_and_is_named(tmp_path: Path, fault: str) -> None:
    make, words = FAULTS[fault]
    with pytest.raises(PermanentError, match=words) as caught:
        judged(make(tmp_path))
    assert int(caught.value.exit_code) == 53
    assert "Send new certificates in the protected settings" in caught.value.resolution


@pytest.mark.parametrize("alternatives", ["DNS:web", "IP:10.0.0.4", "DNS:*.example,IP:127.0.0.1,email:a@b"])
def test_a_certificate_with_a_host_name_or_an_address_passes(tmp_path: Path, alternatives: str) -> None:
    judged(leaf_of(tmp_path, alternatives=alternatives))


def test_an_old_authority_beside_its_successor_passes(tmp_path: Path) -> None:
    old = make_authority(tmp_path, "old", days=1)
    given = good_at(tmp_path, clock=2 * DAY)
    given.authority.certificate.write_bytes(old.certificate.read_bytes() + given.authority.certificate.read_bytes())
    judged(given)


def test_a_certificate_as_the_instructions_of_2016_made_them_passes(tmp_path: Path) -> None:
    judged(leaf_of(tmp_path, use="", alternatives="IP:10.10.10.20,IP:127.0.0.1"))

"""OpenPGP keys: the fingerprint gpg itself gives, and every text that is not one key refused without quoting it."""

from __future__ import annotations

import base64

import pytest

from dockyard_guest.handlers.docker.signing_key import KeyTextError, fingerprint, public_key_block
from tests.support.signing_keys import FINGERPRINT, KEY, TWO_KEYS


def armoured(data: bytes) -> str:
    text = base64.b64encode(data).decode()
    return f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{text}\n-----END PGP PUBLIC KEY BLOCK-----\n"


def test_the_fingerprint_is_the_one_gpg_gives() -> None:
    assert fingerprint(KEY) == FINGERPRINT


@pytest.mark.parametrize(
    "text", [KEY.replace("\n", "\r\n"), f"a word\n{KEY}\nand more", KEY.replace("\n\n", "\nVersion: 1\n\n")]
)
def test_only_the_block_itself_is_taken(text: str) -> None:
    block = public_key_block(text)
    assert fingerprint(block) == FINGERPRINT
    assert block.startswith("-----BEGIN PGP")
    assert block.endswith("BLOCK-----\n")


@pytest.mark.parametrize(
    "header", [b"\x98\x02", b"\x99\x00\x02", b"\x9a\x00\x00\x00\x02", b"\xc6\x02", b"\xc6\xff\x00\x00\x00\x02"]
)
def test_every_form_of_a_packets_length_gives_the_same_fingerprint(header: bytes) -> None:
    assert fingerprint(armoured(header + b"\x04\x2a")) == "53B72FCD6BBBF884691C6FC2EA70DC89C5691842"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "without exactly one block"),
        (KEY + KEY, "without exactly one block"),
        (KEY.replace("PUBLIC", "PRIVATE"), "without exactly one block"),
        (TWO_KEYS, "2 keys"),
        (armoured(b""), "0 keys"),
        (armoured(b"plain text"), "not OpenPGP"),
        (armoured(b"\x94\x02\x04\x2a"), "a private key"),
        (armoured(b"\x98\x02\x06\x2a"), "another version than 4"),
        (armoured(b"\x98\x09\x04\x2a"), "cut short"),
        (armoured(b"\x9b\x04\x2a"), "without a length"),
        (armoured(b"\xc6\xe1\x04\x2a"), "without a length"),
        (armoured(b"").replace("\n\n\n", "\n\n!!!\n"), "not base64"),
    ],
)
def test_a_text_that_is_not_one_key_is_refused(text: str, words: str) -> None:
    with pytest.raises(KeyTextError, match=words):
        public_key_block(text)

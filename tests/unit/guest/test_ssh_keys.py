"""Public keys as people paste them, and what becomes of a file of keys."""

from __future__ import annotations

import base64

import pytest

from dockyard_contract.documents import JsonValue
from dockyard_contract.errors import MalformedDocument
from dockyard_guest.handlers.vmaccess.keys import Form, parse_keys, with_keys


def blob(kind: str, more: bytes = b"x") -> str:
    return base64.b64encode(b"".join(len(text).to_bytes(4, "big") + text for text in (kind.encode(), more))).decode()


def line(kind: str = "ssh-ed25519", comment: str = "me@home", more: bytes = b"x") -> str:
    return f"{kind} {blob(kind, more)} {comment}".strip()


def given(raw: object) -> JsonValue:
    return JsonValue(document="0.settings", path="ssh_key", raw=raw)


@pytest.mark.parametrize(
    "kind",
    [
        "ssh-rsa",
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
    ],
)
def test_every_type_of_openssh_is_a_key(kind: str) -> None:
    (key,) = parse_keys(given(f"  {line(kind)}\r\n"))
    assert (key.form, key.text) == (Form.OPENSSH, line(kind))


def test_several_keys_come_in_lines_and_in_an_array() -> None:
    one, two = line(comment="a"), line("ssh-rsa")
    assert [key.text for key in parse_keys(given(f"# mine\n{one}\n\n{two}\n{one}"))] == [one, two]
    assert [key.text for key in parse_keys(given([one, two]))] == [one, two]


def test_a_block_of_rfc_4716_is_the_key_it_holds() -> None:
    body = blob("ssh-rsa", b"\x00" * 90)
    text = f'---- BEGIN SSH2 PUBLIC KEY ----\nComment: "2048-bit \\\nRSA"\nSubject: me\n{body[:70]}\n{body[70:]}\n'
    (key,) = parse_keys(given(f"{text}---- END SSH2 PUBLIC KEY ----\n"))
    assert key.text == f"ssh-rsa {body} 2048-bit RSA"


@pytest.mark.parametrize(
    ("title", "form"),
    [
        ("PUBLIC KEY", Form.PUBLIC_KEY),
        ("RSA PUBLIC KEY", Form.RSA_PUBLIC_KEY),
        ("CERTIFICATE", Form.CERTIFICATE),
    ],
)
def test_a_block_of_pem_is_left_for_a_program(title: str, form: Form) -> None:
    text = f"-----BEGIN {title}-----\nMIIB\n-----END {title}-----\n"
    (key,) = parse_keys(given(text))
    assert (key.form, key.text) == (form, text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("hello", "another text"),
        ("ssh-ed25519", "another text"),
        (f"ssh-rsa {blob('ssh-ed25519')}", "another text"),
        (line(more=b"x" * 32)[:44], "another text"),
        (line("ssh-dss"), "a DSA key"),
        (line("ssh-ed25519-cert-v01@openssh.com"), "a certificate"),
        (f'command="ls" {line()}', "options before a key"),
        (f"{line()}\x07", "a character that has no shape"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----", "a private key"),
        ("-----BEGIN PGP MESSAGE-----\nc2VjcmV0\n-----END PGP MESSAGE-----", "a block of another kind"),
        ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA", "cut short"),
        (7, "an integer"),
    ],
)
def test_what_is_no_usable_key_is_told_and_never_repeated(text: object, found: str) -> None:
    with pytest.raises(MalformedDocument, match=found) as caught:
        parse_keys(given(text))
    assert "c2VjcmV0" not in str(caught.value)


def test_a_new_key_comes_before_what_is_there_and_nothing_is_glued() -> None:
    old, new = line(comment="old", more=b"old"), line(comment="new", more=b"new")
    assert with_keys(old.encode(), [new]).decode() == f"{new}\n{old}\n"
    assert with_keys(b"", [new]).decode() == f"{new}\n"


def test_a_key_is_there_once_whatever_its_comment() -> None:
    there = f"{line(comment='old')}\n".encode()
    assert with_keys(there, [line(comment="new")]) == there
    assert with_keys(b"", [line(), line()]).decode() == f"{line()}\n"


def test_a_key_that_is_there_with_options_only_is_added_before_them() -> None:
    there = f'command="/bin/false" {line()}\n'
    assert with_keys(there.encode(), [line()]).decode() == f"{line()}\n{there}"


def test_a_key_in_a_comment_is_not_there() -> None:
    assert with_keys(f"# {line()}\n".encode(), [line()]).decode().startswith(f"{line()}\n")

"""Public SSH keys: what users paste, and the lines of ``authorized_keys``. Pure.

A key in OpenSSH's form is its type, its blob in base64 and a comment; the blob says the type once more (RFC 4253, 6.6),
so any type OpenSSH has, or will have, is known by that. RFC 4716's block holds the same blob. A public key or a
certificate in PEM is left for a program to convert.
"""

from __future__ import annotations

import base64
import binascii
import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dockyard_contract.documents import JsonValue

_TYPE = re.compile(r"(ssh|ecdsa|sk-ssh|sk-ecdsa)-[A-Za-z0-9@.+-]+")
_BEGIN = re.compile(r"-{4,5} ?BEGIN ([A-Z0-9 ]+?) ?-{4,5}")
_COMMENT = re.compile(r'^Comment: "?([^"\n]*)"?', re.IGNORECASE | re.MULTILINE)
_LONGEST_LINE = 16 * 1024
_GONE = "ssh-dss"
_WANTED = "public SSH keys, one a line: type, base64 and comment, as in a file that ends in .pub"


class Form(enum.Enum):
    """How a key is written."""

    OPENSSH = "OpenSSH"
    PUBLIC_KEY = "PKCS8"
    RSA_PUBLIC_KEY = "PEM"
    CERTIFICATE = "CERTIFICATE"


_PEM = {
    "PUBLIC KEY": Form.PUBLIC_KEY,
    "RSA PUBLIC KEY": Form.RSA_PUBLIC_KEY,
    "CERTIFICATE": Form.CERTIFICATE,
}


@dataclass(frozen=True)
class GivenKey:
    """One key: a line in OpenSSH's form, or a block in PEM."""

    form: Form
    text: str


def parse_keys(value: JsonValue) -> tuple[GivenKey, ...]:
    """Read a text with keys, or an array of such texts; each may hold several lines and blocks.

    Raises:
        MalformedDocument: One is no public key, or one that cannot be used. Its text is never repeated.
    """
    parts = value.array() if isinstance(value.raw, list) else (value,)
    return tuple(dict.fromkeys(key for part in parts for key in _parsed(part)))


def _parsed(value: JsonValue) -> Iterator[GivenKey]:
    lines = [line.strip() for line in value.string().splitlines()]
    while lines:
        line = lines.pop(0)
        begin = _BEGIN.fullmatch(line)
        if begin:
            block = _block(value, lines)
            yield _from_block(value, begin[1], block, text="\n".join((line, *block, line.replace("BEGIN", "END"))))
        elif line and not line.startswith("#"):
            _check_line(value, line)
            yield GivenKey(Form.OPENSSH, " ".join(line.split()))


def _block(value: JsonValue, lines: list[str]) -> list[str]:
    """Take the lines of a block, and the one that ends it."""
    ends = [index for index, line in enumerate(lines) if "END " in line and line.startswith("----")]
    if not ends:
        raise value.malformed(expected="a block with its last line", found="one that was cut short")
    block = lines[: ends[0]]
    del lines[: ends[0] + 1]
    return block


def _from_block(value: JsonValue, title: str, block: list[str], *, text: str) -> GivenKey:
    if "PRIVATE" in title:
        raise value.malformed(expected=_WANTED, found="a private key, which should stay where it is")
    if title == "SSH2 PUBLIC KEY":
        return GivenKey(Form.OPENSSH, _from_rfc4716(value, block))
    if title not in _PEM:
        raise value.malformed(expected=_WANTED, found="a block of another kind")
    return GivenKey(_PEM[title], f"{text}\n")


def _from_rfc4716(value: JsonValue, block: list[str]) -> str:
    joined = "\n".join(block).replace("\\\n", "")
    body = "".join(line for line in joined.splitlines() if ":" not in line)
    comment = _COMMENT.search(joined)
    line = f"{_type_in(body) or 'unknown'} {body} {comment[1] if comment else ''}".strip()
    _check_line(value, line)
    return line


def _check_line(value: JsonValue, line: str) -> None:
    words = line.split()
    if len(line) > _LONGEST_LINE or not line.isprintable():
        raise value.malformed(expected=_WANTED, found="a line that is too long, or with a character that has no shape")
    if "-cert-v01@" in words[0]:
        raise value.malformed(expected=_WANTED, found="a certificate, which no file of keys can hold")
    if words[0] == _GONE:
        raise value.malformed(expected=_WANTED, found="a DSA key, which OpenSSH takes no more")
    if len(words) > 1 and _TYPE.fullmatch(words[0]) and _type_in(words[1]) == words[0]:
        return
    has_key_behind = any(_TYPE.fullmatch(word) and _type_in(after) == word for word, after in zip(words, words[1:]))
    if has_key_behind:
        raise value.malformed(expected=_WANTED, found="options before a key; write them on the machine itself")
    raise value.malformed(expected=_WANTED, found="another text, or a key that was cut short")


def _type_in(body: str) -> str | None:
    """The type that a whole blob in base64 names; a blob is texts with their lengths before them, two at least."""
    try:
        blob = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        return None
    texts, place = [], 0
    while place + 4 <= len(blob):
        end = place + 4 + int.from_bytes(blob[place : place + 4], "big")
        texts.append(blob[place + 4 : end])
        place = end
    return texts[0].decode("ascii", "replace") if place == len(blob) and len(texts) > 1 else None


def check_converted(line: str) -> bool:
    """Whether what a program made of a key is a key."""
    words = line.split()
    return len(words) > 1 and _type_in(words[1]) == words[0]


def with_keys(existing: bytes, lines: Sequence[str]) -> bytes:
    """The content of ``authorized_keys`` with some keys; those that are there already are not added.

    New ones come first: sshd counts the first line of a key, and there may be one with options further down. So what
    lacks its final newline is glued to nothing, either.
    """
    new = [line for line in dict.fromkeys(lines) if not _is_plainly_there(existing, line)]
    kept = existing if existing.endswith(b"\n") or not existing else existing + b"\n"
    return "".join(f"{line}\n" for line in new).encode() + kept


def _is_plainly_there(existing: bytes, line: str) -> bool:
    kind, blob = (word.encode() for word in line.split()[:2])
    for known in existing.splitlines():
        words = known.split()
        if blob in words and not known.lstrip().startswith(b"#"):
            return words[0] == kind
    return False

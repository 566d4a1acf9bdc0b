"""OpenPGP public keys: which one a text holds, and whether it is the one that is expected.

Pure, and standard library only: there may be no gpg on the machine. Reads no more of RFC 9580 than what a version 4
fingerprint needs; signatures are the package manager's business.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEGIN = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
_END = "-----END PGP PUBLIC KEY BLOCK-----"
_PUBLIC_KEY = 6
_SECRET_KEYS = (5, 7)
_LONGEST = 256 * 1024


class KeyTextError(ValueError):
    """A text that is not one public key; the message says what it is instead and quotes nothing."""


@dataclass(frozen=True)
class Packet:
    """One OpenPGP packet: its kind and its content."""

    tag: int
    body: bytes


def public_key_block(text: str) -> str:
    """The armoured key out of a text, with nothing before or after it, ending in a newline.

    Raises:
        KeyTextError: It is not exactly one public key.
    """
    if text.count("-----BEGIN ") != 1 or text.count(_BEGIN) != 1 or text.count(_END) != 1:
        raise KeyTextError("a text without exactly one block of that kind")
    if len(text) > _LONGEST:
        raise KeyTextError("a text too long for a key")
    lines = [line.strip() for line in text[text.index(_BEGIN) : text.index(_END)].splitlines()]
    block = "\n".join((*lines, _END)) + "\n"
    fingerprint(block)
    return block


def fingerprint(block: str) -> str:
    """The fingerprint of the primary key in an armoured block: 40 capital hexadecimal digits (RFC 9580, 5.5.4.2).

    Raises:
        KeyTextError: The block does not hold exactly one primary key of version 4.
    """
    packets = list(_packets(_dearmoured(block)))
    if any(packet.tag in _SECRET_KEYS for packet in packets):
        raise KeyTextError("a private key")
    keys = [packet.body for packet in packets if packet.tag == _PUBLIC_KEY]
    # A second key would be trusted as well: whoever expects one key must be given one.
    if len(keys) != 1:
        raise KeyTextError(f"{len(keys)} keys")
    body = keys[0]
    if body[:1] != b"\x04":
        raise KeyTextError("a key of another version than 4")
    # The standard's own choice of hash; it names a key here and signs nothing.
    prefix = b"\x99" + len(body).to_bytes(2, "big")
    return hashlib.sha1(prefix + body, usedforsecurity=False).hexdigest().upper()


def _dearmoured(block: str) -> bytes:
    # Header lines end at the first empty line; the checksum begins with "=" and is no longer asked for by the standard.
    _, _, rest = block.partition(_BEGIN)
    lines = [line.strip() for line in rest.partition(_END)[0].splitlines()[1:]]
    start = lines.index("") + 1 if "" in lines else 0
    data = [line for line in lines[start:] if not line.startswith("=")]
    try:
        return base64.b64decode("".join(data), validate=True)
    except (binascii.Error, ValueError):
        raise KeyTextError("a block that is not base64") from None


def _packets(data: bytes) -> Iterator[Packet]:
    rest = data
    while rest:
        tag, start, length = _header(rest)
        if start + length > len(rest):
            raise KeyTextError("a key that was cut short")
        yield Packet(tag=tag, body=rest[start : start + length])
        rest = rest[start + length :]


def _header(data: bytes) -> tuple[int, int, int]:
    """Tag, length of the header, and length of the body of the packet that begins here (RFC 9580, 4.2)."""
    first = data[0]
    if not first & 0x80:
        raise KeyTextError("bytes that are not OpenPGP")
    if first & 0x40:
        return (first & 0x3F, *_new_length(data))
    size = {0: 1, 1: 2, 2: 4}.get(first & 0x03)
    if size is None or len(data) <= size:
        raise KeyTextError("a packet without a length")
    return (first >> 2) & 0x0F, 1 + size, int.from_bytes(data[1 : 1 + size], "big")


def _new_length(data: bytes) -> tuple[int, int]:
    octets = data[1:6]
    if octets and octets[0] < 192:
        return 2, octets[0]
    if len(octets) >= 2 and octets[0] < 224:
        return 3, ((octets[0] - 192) << 8) + octets[1] + 192
    if len(octets) == 5 and octets[0] == 255:
        return 6, int.from_bytes(octets[1:], "big")
    raise KeyTextError("a packet without a length")

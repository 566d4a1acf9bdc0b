"""Passwords of guests' users as ``/etc/shadow`` keeps them: SHA-512 crypt(3). Used by ``fabric``.

The scheme is Ulrich Drepper's "Unix crypt using SHA-256 and SHA-512" (2008), which every guest's ``chpasswd -e`` takes.
Python no longer has ``crypt``, and no program that is given a password on its command line would do.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

ROUNDS = 50_000
"""Ten times the scheme's default: about a tenth of a second a try."""

_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SALT_LENGTH = 16
_FIRST_OF_GROUP = (0, 21, 42)  # the order of the digest's bytes: each group is the one before, turned and moved on


def hash_password(password: str, *, rounds: int = ROUNDS) -> str:
    """Return ``$6$rounds=N$salt$digest`` with a new salt."""
    salt = "".join(secrets.choice(_ALPHABET) for _ in range(_SALT_LENGTH))
    return sha512_crypt(password, salt=salt, rounds=rounds)


def is_password(password: str, hashed: str) -> bool:
    """Tell whether a password is the one that ``hash_password`` was given."""
    _, _, rounds, salt, _ = hashed.split("$")
    again = sha512_crypt(password, salt=salt, rounds=int(rounds.removeprefix("rounds=")))
    return hmac.compare_digest(again, hashed)


def sha512_crypt(password: str, *, salt: str, rounds: int) -> str:
    """Return the SHA-512 crypt(3) of a password."""
    key, seed = password.encode(), salt.encode()
    digest = _first_digest(key, seed)
    p = _stretched(hashlib.sha512(key * len(key)).digest(), len(key))
    s = _stretched(hashlib.sha512(seed * (16 + digest[0])).digest(), len(seed))
    for number in range(rounds):
        parts = [p if number & 1 else digest]
        parts += [s] if number % 3 else []
        parts += [p] if number % 7 else []
        parts += [digest if number & 1 else p]
        digest = hashlib.sha512(b"".join(parts)).digest()
    return f"$6$rounds={rounds}${salt}${_encoded(digest)}"


def _first_digest(key: bytes, seed: bytes) -> bytes:
    other = hashlib.sha512(key + seed + key).digest()
    mixed = bytearray(key + seed + _stretched(other, len(key)))
    bits = len(key)
    while bits:
        mixed += other if bits & 1 else key
        bits >>= 1
    return hashlib.sha512(mixed).digest()


def _stretched(digest: bytes, length: int) -> bytes:
    return (digest * (length // len(digest) + 1))[:length]


def _encoded(digest: bytes) -> str:
    text, group = "", _FIRST_OF_GROUP
    for _ in range(21):
        text += _base64(digest[group[0]] << 16 | digest[group[1]] << 8 | digest[group[2]], length=4)
        group = (group[1] + 1, group[2] + 1, group[0] + 1)
    return text + _base64(digest[63], length=2)


def _base64(value: int, *, length: int) -> str:
    return "".join(_ALPHABET[value >> 6 * place & 0x3F] for place in range(length))

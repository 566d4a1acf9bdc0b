"""Secrets of service principals: made, hashed with scrypt, recognised. Used by ``fabric.principals``."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from dockyard.model.principal import SecretHash

COST = 2**14  # with blocks of 8: 16 MiB and about 50 ms a try
_BLOCKS = 8
_BYTES = 32


def new_secret() -> str:
    """Return a new secret of 256 random bits."""
    return secrets.token_urlsafe(_BYTES)


def hash_secret(secret: str, *, cost: int = COST) -> SecretHash:
    """Return what a secret will be recognised by."""
    salt = secrets.token_bytes(16)
    return SecretHash(salt=salt.hex(), digest=_digest(secret, salt=salt, cost=cost).hex(), cost=cost)


def is_secret(secret: str, known: SecretHash) -> bool:
    """Tell whether a secret is the one that was hashed; always takes as long as hashing."""
    found = _digest(secret, salt=bytes.fromhex(known.salt), cost=known.cost)
    return hmac.compare_digest(found, bytes.fromhex(known.digest))


def _digest(secret: str, *, salt: bytes, cost: int) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, n=cost, r=_BLOCKS, p=1, maxmem=64 * 2**20, dklen=_BYTES)

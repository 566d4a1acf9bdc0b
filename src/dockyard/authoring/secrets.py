"""The secrets of a test: which texts they are, the canary put among them, and the mask over them. Pure.

A value of the protected settings counts when it is long enough not to be a word that stands everywhere.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

CANARY_MEMBER = "dockyardCanary"
PLACEHOLDER = "@canary@"
SHORTEST = 8
MASK = "(secret)"


def new_canary() -> str:
    """Return a text that stands nowhere else."""
    return f"canary-{secrets.token_hex(12)}"


def with_canary(protected: Mapping[str, Any] | None, *, canary: str) -> dict[str, Any]:
    """Return the protected settings with the canary in them.

    It takes the place of each ``@canary@``; settings that were not given at all are the canary alone.
    """
    if protected is None:
        return {CANARY_MEMBER: canary}
    filled: dict[str, Any] = json.loads(json.dumps(dict(protected)).replace(PLACEHOLDER, canary))
    return filled


def texts(protected: Mapping[str, Any], *, canary: str) -> tuple[str, ...]:
    """Return the texts in protected settings that must not be seen anywhere.

    They are the canary alone where it was put; without one, every text, and each line of a longer one.
    """
    if any(canary in text for text in _strings(protected)):
        return (canary,)
    found = {line.strip() for text in _strings(protected) for line in text.splitlines()}
    return tuple(sorted((line for line in found if len(line) >= SHORTEST and not line.startswith("-----")), key=len))


def mask(text: str, hidden: Sequence[str]) -> str:
    """Return ``text`` with every secret in it hidden, the longest first."""
    for secret in sorted(hidden, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def is_in(content: bytes, hidden: Sequence[str]) -> bool:
    """Whether a secret stands in it."""
    return any(secret.encode() in content for secret in hidden)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from _strings(member)
    elif isinstance(value, list):
        for member in value:
            yield from _strings(member)

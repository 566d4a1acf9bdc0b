"""Hiding secrets in the words of other programs.

Pure; called by `compose` and `logins` before anything a program said goes into a status, a log or an error.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK = "***"
_SHORT = 4


class Masks:
    """Replaces known secrets in texts."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # The longest first: a secret may be a part of another.
        found = sorted({part for secret in secrets for part in (secret, *secret.splitlines()) if part.strip()})
        self._pattern = re.compile("|".join(_words(secret) for secret in sorted(found, key=len, reverse=True)))
        self._any = bool(found)

    def hide(self, text: str) -> str:
        """The text without secrets."""
        return self._pattern.sub(MASK, text) if self._any else text


def _words(secret: str) -> str:
    """A pattern for a secret; one of a few characters is looked for as a whole word only."""
    literal = re.escape(secret)
    return literal if len(secret) >= _SHORT else rf"(?<!\w){literal}(?!\w)"

"""Makes text from guests and servers fit for a terminal.

Used wherever the client or the CLI shows what it did not write itself: a guest's console may hold any byte.
"""

from __future__ import annotations

import re

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~])"
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def printable(text: str) -> str:
    """Return ``text`` without escape sequences and control characters; line feeds and tabs stay."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n")))


def last_lines(text: str, *, count: int) -> list[str]:
    """Return the last ``count`` lines that are not blank, fit for a terminal."""
    lines = [line.rstrip() for line in printable(text).splitlines()]
    return [line for line in lines if line][-count:] if count else []

"""Turn what a guest wrote to its serial console into text that is safe to show.

Pure; called by every driver's ``console_tail``. A guest is not trusted: whatever it wrote must not steer the terminal
or the page that shows it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_ESCAPES = re.compile(
    r"""
    \x1b\[ [0-?]* [ -/]* [@-~]                  # control sequences: colours, cursor movements
    | \x9b [0-?]* [ -/]* [@-~]                  # the same, introduced by one character
    | \x1b[\]PX^_] .*? (?: \x07 | \x1b\\ | $ )  # strings for the terminal: titles, links, device control
    | \x1b [ -/]* [0-~]                         # two-character sequences
    """,
    re.VERBOSE,
)
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")


def clean(raw: bytes) -> Sequence[str]:
    """Return the lines a reader of the console would have seen, without escape sequences and control characters.

    A carriage return within a line starts it anew, as on a terminal, so progress counters leave only their last value.
    """
    text = raw.decode("utf-8", errors="replace")
    lines = [_clean_line(line) for line in text.split("\n")]
    return lines[:-1] if lines[-1] == "" else lines


def _clean_line(line: str) -> str:
    parts = [_CONTROLS.sub("", part) for part in _ESCAPES.sub("", line).split("\r")]
    return next((part for part in reversed(parts) if part), "").rstrip()

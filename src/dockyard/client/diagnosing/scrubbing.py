"""Takes secrets out of texts: those known by their value, and those known by their form. Pure.

Used for every text before ``archive`` writes it, and once more to prove that nothing is left. Better a harmless value
too many than a secret: what is removed is counted and marked, so that a reader knows that something stood there.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence

MARK = "(removed)"
SHORTEST = 12
"""Characters of a known secret; a shorter one is a word that stands everywhere."""

_NAMES = (
    r"(?:[\w.-]*(?:password|passwd|passphrase|secret|accesskey|accountkey|apikey|api_key|privatekey|private_key|sastoken)"
    r"|protectedsettings|token|access_token|refresh_token|auth|authorization|credential|credentials)"
)
_KEY = r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----"
_KEY_END = re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY-----")
_KEY_LINE = re.compile(r"[A-Za-z0-9+/=]{4,}")
_KEY_START = re.compile(r"[A-Za-z0-9+/=]{16,}\Z")
_LINE_ENDS = re.compile(r"((?:\\r|\\n|\r|\n)+)")
_FORMS = (
    re.compile(rf"{_KEY}(?:(?!-----).)*{_KEY_END.pattern}", re.DOTALL),
    re.compile(rf"{_KEY}(?:(?:\\r|\\n|\s)*[A-Za-z0-9+/=]{{16,}})*"),  # one whose end is cut off
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),  # a JSON web token
    re.compile(r"(?<=\bBearer )[\w.~+/=-]{8,}", re.IGNORECASE),
    re.compile(r"(?<=\bBasic )[A-Za-z0-9+/=]{8,}", re.IGNORECASE),
    re.compile(r"(?<=[?&;]sig=)(?!\(removed\))[^&\s\"'<]+", re.IGNORECASE),
    re.compile(r"(?<=://)[^/\s:@\"']+:[^/\s@\"']+(?=@)"),
)
_MEMBERS = (  # of JSON; of JSON within a text of JSON; of JSON within XML; of what Python prints
    re.compile(rf'("{_NAMES}"\s*:\s*")(?!\(removed\))(?:[^"\\]|\\.)+', re.IGNORECASE),
    re.compile(rf'(\\+"{_NAMES}\\+"\s*:\s*\\+")(?!\(removed\))(?:(?!\\+").)+', re.IGNORECASE),
    re.compile(rf"(&quot;{_NAMES}&quot;\s*:\s*&quot;)(?!\(removed\))(?:(?!&quot;).)+", re.IGNORECASE),
    re.compile(rf"('{_NAMES}'\s*:\s*')(?!\(removed\))(?:[^'\\]|\\.)+", re.IGNORECASE),
    re.compile(
        r"((?<![\w.-])[\w.-]*(?:password|passwd|passphrase|secret|accountkey|api_key|token)=)"
        r"(?!\(removed\))[^\s;,&\"']+",
        re.IGNORECASE | re.MULTILINE,
    ),
)


class Scrubber:
    """Removes secrets; ``known`` are their values."""

    def __init__(self, known: Sequence[str]) -> None:
        forms = {form for secret in known for form in _spellings(secret) if len(form) >= SHORTEST}
        self._known = sorted(forms, key=len, reverse=True)

    def scrub(self, text: str) -> tuple[str, int]:
        """Return the text without secrets, and how many were removed."""
        removed = 0
        for secret in self._known:
            removed += text.count(secret)
            text = text.replace(secret, MARK)
        for pattern in _FORMS:
            text, count = pattern.subn(MARK, text)
            removed += count
        for pattern in _MEMBERS:
            text, count = pattern.subn(rf"\1{MARK}", text)
            removed += count
        text, count = _without_key_ends(text)
        return text, removed + count

    def is_clean(self, text: str) -> bool:
        """Whether nothing would be removed from a text."""
        return self.scrub(text)[1] == 0


def of_key_file(content: str) -> list[str]:
    """Return what of a PEM or OpenSSH key file is secret: each line of its body."""
    return [line.strip() for line in content.splitlines() if line.strip() and not line.startswith("-----")]


def _without_key_ends(text: str) -> tuple[str, int]:
    """Remove the ends of private keys whose beginnings are cut off, as at the beginning of a log's last part."""
    removed = 0
    while end := _KEY_END.search(text):
        pieces = _LINE_ENDS.split(text[: end.start()])
        while len(pieces) > 1 and (not pieces[-1] or _KEY_LINE.fullmatch(pieces[-1])):
            pieces[-2:] = []  # a line of the key, and the end of the line before
        pieces[-1] = _KEY_START.sub("", pieces[-1])
        text = "".join((*pieces, MARK, text[end.end() :]))
        removed += 1
    return text, removed


def _spellings(secret: str) -> tuple[str, ...]:
    """Return how a secret may stand in a text: as it is, within JSON, in base64."""
    return secret, json.dumps(secret)[1:-1], base64.b64encode(secret.encode()).decode().rstrip("=")

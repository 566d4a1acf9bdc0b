""".NET's composite formatting (``format``) and its patterns of dates, as far as templates use them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dockyard.templates.errors import ExpressionError
from dockyard.templates.values import Json, as_text

_STANDARD = {
    "d": "M/d/yyyy",
    "D": "dddd, MMMM d, yyyy",
    "G": "M/d/yyyy h:mm:ss tt",
    "g": "M/d/yyyy h:mm tt",
    "o": "yyyy-MM-ddTHH:mm:ss.fffffffZ",
    "O": "yyyy-MM-ddTHH:mm:ss.fffffffZ",
    "R": "ddd, dd MMM yyyy HH:mm:ss GMT",
    "r": "ddd, dd MMM yyyy HH:mm:ss GMT",
    "s": "yyyy-MM-ddTHH:mm:ss",
    "T": "h:mm:ss tt",
    "t": "h:mm tt",
    "u": "yyyy-MM-dd HH:mm:ssZ",
}


def composite(pattern: str, values: Sequence[Json]) -> str:
    """Return ``pattern`` with its places filled; ``{{`` and ``}}`` are braces. Raises ExpressionError."""
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        if pattern[at : at + 2] in ("{{", "}}"):
            parts.append(character)
            at += 2
        elif character == "{":
            end = pattern.find("}", at)
            if end < 0:
                raise ExpressionError("The pattern of 'format' has a '{' without its '}'")
            parts.append(_filled(pattern[at + 1 : end], values))
            at = end + 1
        elif character == "}":
            raise ExpressionError("The pattern of 'format' has a '}' without its '{'")
        else:
            parts.append(character)
            at += 1
    return "".join(parts)


def _filled(place: str, values: Sequence[Json]) -> str:
    head, _, how = place.partition(":")
    number, _, width = head.partition(",")
    if not number.strip().isdecimal() or int(number) >= len(values):
        raise ExpressionError(f"The pattern of 'format' names '{{{place}}}', but has {len(values)} values")
    text = _formatted(values[int(number)], how)
    columns = width.strip()
    if not columns:
        return text
    if not columns.removeprefix("-").isdecimal():
        raise ExpressionError(f"The pattern of 'format' has the width '{columns}', which is no integer")
    return text.ljust(-int(columns)) if columns.startswith("-") else text.rjust(int(columns))


def _formatted(value: Json, how: str) -> str:
    if not how:
        return as_text(value)
    letter, digits = how[0].upper(), how[1:]
    if isinstance(value, bool) or not isinstance(value, int) or (digits and not digits.isdecimal()):
        raise ExpressionError(f"'format' knows '{how}' for integers only")
    size = int(digits or 0)
    if letter == "D":
        return f"{'-' if value < 0 else ''}{abs(value):0{size}d}"
    if letter == "X":
        return f"{value:0{size}{how[0]}}"
    if letter in "NF":
        return f"{value:{',' if letter == 'N' else ''}.{int(digits or 2)}f}"
    raise ExpressionError(f"'format' does not know the specifier '{how}'")


def date_text(moment: datetime, pattern: str) -> str:
    """Return a moment in a .NET pattern, standard or custom. Raises ExpressionError for one that is not known."""
    if len(pattern) == 1:
        if pattern not in _STANDARD:
            raise ExpressionError(f"'{pattern}' is not a known format of dates")
        pattern = _STANDARD[pattern]
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        size, text = _date_part(moment, pattern, at)
        parts.append(text)
        at += size
    return "".join(parts)


def _date_part(moment: datetime, pattern: str, at: int) -> tuple[int, str]:
    character = pattern[at]
    if character in "'\"":
        end = pattern.find(character, at + 1)
        end = len(pattern) if end < 0 else end
        return end + 1 - at, pattern[at + 1 : end]
    if character == "\\":
        return 2, pattern[at + 1 : at + 2]
    size = len(pattern) - at - len(pattern[at:].lstrip(character))
    known = _date_fields(moment, size)
    return (size, known[character]) if character in known else (1, character)


def _date_fields(moment: datetime, size: int) -> dict[str, str]:
    hour = moment.hour % 12 or 12
    return {
        "y": f"{moment.year:0{size}d}" if size > 2 else f"{moment.year % 100:0{size}d}",
        "M": _named(moment, size, short="%b", full="%B") or f"{moment.month:0{size}d}",
        "d": _named(moment, size, short="%a", full="%A") or f"{moment.day:0{size}d}",
        "H": f"{moment.hour:0{size}d}",
        "h": f"{hour:0{size}d}",
        "m": f"{moment.minute:0{size}d}",
        "s": f"{moment.second:0{size}d}",
        "f": f"{moment.microsecond:06d}0"[:size],
        "t": ("AM" if moment.hour < 12 else "PM")[:size],
    }


def _named(moment: datetime, size: int, *, short: str, full: str) -> str:
    return "" if size < 3 else moment.strftime(short if size == 3 else full)

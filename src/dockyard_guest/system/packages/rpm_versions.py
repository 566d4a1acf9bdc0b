"""The order of rpm's versions, as rpm itself has it (rpm-version(7)). Pure."""

from __future__ import annotations

import re
from functools import cmp_to_key

_PART = re.compile(r"[0-9]+|[A-Za-z]+|~|\^")


def newest_first(versions: list[str]) -> list[str]:
    """Versions of the form ``epoch:version-release``, sorted."""
    return sorted(versions, key=cmp_to_key(compare), reverse=True)


def compare(left: str, right: str) -> int:
    """Negative, zero or positive, as the left version is older, the same or newer."""
    for one, other in zip(_fields(left), _fields(right)):
        order = _compare_field(one, other)
        if order:
            return order
    return 0


def _fields(version: str) -> tuple[str, str, str]:
    epoch, colon, rest = version.partition(":")
    number, _, release = (rest if colon else version).rpartition("-")
    return (epoch if colon else "0"), number, release


def _compare_field(left: str, right: str) -> int:
    mine, yours = _PART.findall(left), _PART.findall(right)
    for one, other in zip(mine, yours):
        if one != other:
            order = _compare_part(one, other)
            if order:
                return order
    longer = mine[len(yours) :] or yours[len(mine) :]
    if not longer:
        return 0
    # What follows makes a version newer, but a tilde makes it older than the same without.
    sign = 1 if len(mine) > len(yours) else -1
    return -sign if longer[0] == "~" else sign


def _compare_part(left: str, right: str) -> int:
    ranks = _rank(left) - _rank(right)
    if ranks:
        return ranks
    if left.isdigit():
        return int(left) - int(right)
    return (left > right) - (left < right)


def _rank(part: str) -> int:
    # A tilde is older than anything, a caret older than what goes on with a number or a word.
    return {"~": 0, "^": 1}.get(part, 3 if part.isdigit() else 2)

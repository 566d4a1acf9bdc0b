"""``$filter`` and ``$top`` as far as lists here take them: comparisons joined by ``and``. Pure.

resourceType eq 'Microsoft.Compute/virtualMachines' and tagName eq 'env' and tagValue eq 'test'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dockyard.model.errors import InvalidRequest

_COMPARISON = re.compile(r"\s*(\w+)\s+(eq|ne)\s+'((?:[^']|'')*)'\s*(and\s|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Comparison:
    """``name`` in lower case."""

    name: str
    equal: bool
    value: str

    def holds(self, text: str) -> bool:
        """Tell whether it holds for a text; case does not matter, as in Azure."""
        return (text.lower() == self.value.lower()) is self.equal


def parse_filter(text: str, *, names: Sequence[str]) -> tuple[Comparison, ...]:
    """Return the comparisons of a filter over these names; none for an empty one.

    Raises:
        InvalidRequest: (code InvalidFilterInQueryString) it says something else.
    """
    known = {name.lower() for name in names}
    found: list[Comparison] = []
    at, more = 0, bool(text.strip())
    while more:
        match = _COMPARISON.match(text, at)
        if match is None or match[1].lower() not in known:
            raise InvalidRequest(
                f"Invalid $filter '{text[:200]}' specified in the query string",
                resolution=f"Join comparisons by 'and', each NAME eq 'VALUE'; the names are {', '.join(names)}.",
                code="InvalidFilterInQueryString",
            )
        found.append(Comparison(match[1].lower(), match[2].lower() == "eq", match[3].replace("''", "'")))
        at, more = match.end(), bool(match[4])
    return tuple(found)


def holds(
    asked: Sequence[Comparison], *, tags: Mapping[str, str], members: Mapping[str, Callable[[], str]] | None = None
) -> bool:
    """Tell whether all comparisons hold for what has these tags and members (by their names in lower case)."""
    own = members or {}
    plain = all(each.holds(own[each.name]()) for each in asked if each.name in own)
    return plain and _tags_hold([each for each in asked if each.name not in own], tags)


def _tags_hold(asked: Sequence[Comparison], tags: Mapping[str, str]) -> bool:
    """Tell whether one and the same tag has the name and the value asked for."""
    if not asked:
        return True
    return any(
        all(each.holds(name if each.name == "tagname" else value) for each in asked) for name, value in tags.items()
    )


def parse_top(text: str) -> int | None:
    """Return how many entries ``$top`` asks for, None for all. Raises InvalidRequest (code InvalidTopInQueryString)."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise InvalidRequest(
            f"Invalid $top '{text[:40]}' specified in the query string",
            resolution="Give a whole number above 0.",
            code="InvalidTopInQueryString",
        )
    return int(text)

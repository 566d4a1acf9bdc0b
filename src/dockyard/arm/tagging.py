"""Tags as Azure takes them: how many, how long, and how a change is joined with what is there. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dockyard.model.errors import InvalidRequest

MAX_TAGS = 50
MAX_NAME = 512
MAX_VALUE = 256
_FORBIDDEN = frozenset("<>%&\\?/")
Tags = Mapping[str, str]


def check_tags(tags: Tags) -> dict[str, str]:
    """Return the tags when Azure would take them, else raise InvalidRequest; names are one whatever their case."""
    if len(tags) > MAX_TAGS:
        raise InvalidRequest(
            f"The number of tags {len(tags)} exceeded the maximum allowed of {MAX_TAGS}", code="InvalidTags"
        )
    seen: set[str] = set()
    for name, value in tags.items():
        _check_tag(name, value)
        if name.lower() in seen:
            raise InvalidRequest(f"The tag name '{name[:60]}' is given twice", code="DuplicateTagNames")
        seen.add(name.lower())
    return dict(tags)


def _check_tag(name: str, value: str) -> None:
    if not name.strip() or set(name) & _FORBIDDEN:
        raise InvalidRequest(
            f"The tag name '{name[:60]}' is not valid",
            resolution="A tag's name is not empty and has none of <, >, %, &, \\, ?, /.",
            code="InvalidTagNameCharacters",
        )
    if len(name) > MAX_NAME:
        raise InvalidRequest(
            f"A tag name of {len(name)} characters exceeds the limit of {MAX_NAME}",
            details=f"It begins with '{name[:60]}'.",
            code="TagNameTooLong",
        )
    if len(value) > MAX_VALUE:
        raise InvalidRequest(
            f"The value of the tag '{name[:60]}' has {len(value)} characters and exceeds the limit of {MAX_VALUE}",
            code="TagValueTooLong",
        )


def merged(present: Tags, given: Tags) -> dict[str, str]:
    """Return the present tags with those given added or put in their place."""
    names = {name.lower() for name in given}
    return {**{name: text for name, text in present.items() if name.lower() not in names}, **given}


def without(present: Tags, given: Tags) -> dict[str, str]:
    """Return the present tags without those given by name and value."""
    gone = {(name.lower(), text) for name, text in given.items()}
    return {name: text for name, text in present.items() if (name.lower(), text) not in gone}


def replaced(_present: Tags, given: Tags) -> dict[str, str]:
    """Return the tags given."""
    return dict(given)


OPERATIONS: Mapping[str, Callable[[Tags, Tags], dict[str, str]]] = {
    "merge": merged,
    "replace": replaced,
    "delete": without,
}

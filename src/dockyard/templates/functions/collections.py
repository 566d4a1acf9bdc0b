"""Functions on arrays and objects, and those that take strings as well."""

from __future__ import annotations

from dockyard.templates.errors import ExpressionError
from dockyard.templates.functions.registry import Family
from dockyard.templates.values import MISSING, Json, as_text, element, member, same

FAMILY = Family()
_MAX_RANGE = 10_000


@FAMILY.define("length")
def length(value: str | list[Json] | dict[str, Json]) -> int:
    """Return how many characters, elements or members there are."""
    return len(value)


@FAMILY.define("empty")
def empty(value: str | list[Json] | dict[str, Json] | None) -> bool:
    """Whether there is nothing in it."""
    return not value


@FAMILY.define("first")
def first(value: str | list[Json]) -> Json:
    """Return the first element or character; null, or an empty string, when there is none."""
    return value[0] if value else _nothing(value)


@FAMILY.define("last")
def last(value: str | list[Json]) -> Json:
    """Return the last element or character; null, or an empty string, when there is none."""
    return value[-1] if value else _nothing(value)


@FAMILY.define("take")
def take(value: str | list[Json], number: int) -> Json:
    """Return the first so many."""
    return value[: max(number, 0)]


@FAMILY.define("skip")
def skip(value: str | list[Json], number: int) -> Json:
    """Return all but the first so many."""
    return value[max(number, 0) :]


@FAMILY.define("contains")
def contains(value: str | list[Json] | dict[str, Json], wanted: Json) -> bool:
    """Whether a string has a part, an array an element, an object a member (whose case does not matter)."""
    if isinstance(value, str):
        return as_text(wanted) in value
    if isinstance(value, list):
        return any(same(item, wanted) for item in value)
    return member(value, as_text(wanted)) is not MISSING


@FAMILY.define("indexOf")
def index_of(value: str | list[Json], wanted: Json) -> int:
    """Return where it is first, -1 when nowhere; in strings case does not matter."""
    if isinstance(value, str):
        return value.lower().find(as_text(wanted).lower())
    return next((at for at, item in enumerate(value) if same(item, wanted)), -1)


@FAMILY.define("lastIndexOf")
def last_index_of(value: str | list[Json], wanted: Json) -> int:
    """Return where it is last, -1 when nowhere; in strings case does not matter."""
    if isinstance(value, str):
        return value.lower().rfind(as_text(wanted).lower())
    return next((at for at in reversed(range(len(value))) if same(value[at], wanted)), -1)


@FAMILY.define("union")
def union(one: list[Json] | dict[str, Json], *more: list[Json] | dict[str, Json]) -> Json:
    """Return what is in any: arrays without repeats, objects merged member by member, the last word wins."""
    values = (one, *more)
    if all(isinstance(value, list) for value in values):
        return _distinct([item for value in values for item in value])
    if all(isinstance(value, dict) for value in values):
        merged: dict[str, Json] = {}
        for value in values:
            merged = _merged(merged, value if isinstance(value, dict) else {})
        return merged
    raise ExpressionError("The function 'union' joins arrays or objects, not both")


@FAMILY.define("intersection")
def intersection(one: list[Json] | dict[str, Json], *more: list[Json] | dict[str, Json]) -> Json:
    """Return what is in all."""
    if isinstance(one, list) and all(isinstance(value, list) for value in more):
        return _distinct([item for item in one if all(_among(item, other) for other in more)])
    if isinstance(one, dict) and all(isinstance(value, dict) for value in more):
        return {
            name: value
            for name, value in one.items()
            if all(isinstance(other, dict) and same(member(other, name), value) for other in more)
        }
    raise ExpressionError("The function 'intersection' compares arrays or objects, not both")


@FAMILY.define("array")
def array(value: Json) -> list[Json]:
    """Return an array with the value in it; an array as it is."""
    return value if isinstance(value, list) else [value]


@FAMILY.define("createArray")
def create_array(*values: Json) -> list[Json]:
    """Return an array of the arguments."""
    return list(values)


@FAMILY.define("createObject")
def create_object(*pairs: Json) -> dict[str, Json]:
    """Return an object of names and values in turn."""
    if len(pairs) % 2 or not all(isinstance(name, str) for name in pairs[::2]):
        raise ExpressionError("The function 'createObject' takes names and values in turn")
    return dict(zip(pairs[::2], pairs[1::2], strict=True))


@FAMILY.define("range")
def range_(start: int, count: int) -> list[int]:
    """Return so many integers from ``start`` on."""
    if not 0 <= count <= _MAX_RANGE:
        raise ExpressionError(f"The function 'range' counts from 0 to {_MAX_RANGE}")
    return list(range(start, start + count))


@FAMILY.define("objectKeys")
def object_keys(value: dict[str, Json]) -> list[str]:
    """Return the names of an object's members."""
    return sorted(value, key=str.lower)


@FAMILY.define("items")
def items(value: dict[str, Json]) -> list[dict[str, Json]]:
    """Return an object as an array of ``key`` and ``value``, by key."""
    return [{"key": name, "value": value[name]} for name in sorted(value, key=str.lower)]


@FAMILY.define("flatten")
def flatten(value: list[Json]) -> list[Json]:
    """Return the elements of an array's arrays."""
    if not all(isinstance(item, list) for item in value):
        raise ExpressionError("The function 'flatten' takes an array of arrays")
    return [item for inner in value for item in inner]


@FAMILY.define("shallowMerge")
def shallow_merge(values: list[Json]) -> dict[str, Json]:
    """Return the objects of an array as one; the last word wins."""
    if not all(isinstance(value, dict) for value in values):
        raise ExpressionError("The function 'shallowMerge' takes an array of objects")
    return {name: each for value in values for name, each in value.items()}


@FAMILY.define("tryGet")
def try_get(value: list[Json] | dict[str, Json] | None, index: str | int, *more: str | int) -> Json:
    """Return what is found along the indexes, null when there is nothing."""
    found: Json = value
    for each in (index, *more):
        if found is None:
            return None
        found = element(found, each, safe=True)
    return found


def _nothing(value: str | list[Json]) -> Json:
    return "" if isinstance(value, str) else None


def _among(item: Json, others: list[Json] | dict[str, Json]) -> bool:
    return any(same(item, other) for other in others)


def _distinct(values: list[Json]) -> list[Json]:
    kept: list[Json] = []
    for value in values:
        if not _among(value, kept):
            kept.append(value)
    return kept


def _merged(left: dict[str, Json], right: dict[str, Json]) -> dict[str, Json]:
    merged = dict(left)
    for name, value in right.items():
        before = merged.get(name)
        both = isinstance(before, dict) and isinstance(value, dict)
        merged[name] = _merged(before, value) if both and isinstance(before, dict) else value
    return merged

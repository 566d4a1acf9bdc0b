"""What expressions compute with: JSON values, and ARM's rules for looking into them and turning them to text. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dockyard.templates.errors import ExpressionError

Json = Any
"""A JSON value. Its type is decided at run time, as ARM decides it: ``functions.registry`` checks every argument."""

MISSING = object()


def kind_of(value: Json) -> str:
    """Return the type of a value in words; never the value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    words = ((str, "a string"), (int, "an integer"), (float, "a number"), (list, "an array"), (dict, "an object"))
    return next((word for kind, word in words if isinstance(value, kind)), "an unknown value")


def member(target: Mapping[str, Json], name: str) -> Json:
    """Return a member of an object without regard to case, ``MISSING`` when there is none."""
    if name in target:
        return target[name]
    wanted = name.lower()
    return next((value for key, value in target.items() if key.lower() == wanted), MISSING)


def element(target: Json, index: Json, *, safe: bool = False) -> Json:
    """Return ``target[index]`` of an array or an object. Raises ExpressionError unless ``safe``."""
    if target is None and safe:
        return None
    found = _element(target, index)
    if found is not MISSING:
        return found
    if safe:
        return None
    if isinstance(target, dict):
        have = ", ".join(f"'{name}'" for name in target)
        raise ExpressionError(f"There is no property '{index}'; there are: {have or 'none'}")
    raise ExpressionError(f"The index {index} is outside the array, which has {len(target)} elements")


def _element(target: Json, index: Json) -> Json:
    if isinstance(target, dict) and isinstance(index, str):
        return member(target, index)
    if isinstance(target, list) and isinstance(index, int) and not isinstance(index, bool):
        return target[index] if 0 <= index < len(target) else MISSING
    raise ExpressionError(f"{kind_of(target)} has nothing at {kind_of(index)}".capitalize())


def as_text(value: Json) -> str:
    """Return a value as ``string()`` and ``concat()`` write it."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, (int, float)):
        return json.dumps(value)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def same(left: Json, right: Json) -> bool:
    """Whether two values are equal; true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    return bool(left == right)

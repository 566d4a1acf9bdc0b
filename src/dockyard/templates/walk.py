"""Whole values of a template evaluated: every expression in them, every copy of properties. Pure.

Errors of expressions get their place here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dockyard.templates.errors import ExpressionError, StateUnknown
from dockyard.templates.evaluate import evaluate_text
from dockyard.templates.places import Place
from dockyard.templates.scope import Scope
from dockyard.templates.syntax import Call, calls, is_expression, parse
from dockyard.templates.values import Json, kind_of

MAX_COPIES = 800


def resolve(value: Json, scope: Scope, place: Place) -> Json:
    """Return ``value`` with all its expressions evaluated. Raises TemplateError, ResourceNeeded."""
    if isinstance(value, str):
        return _text(value, scope, place)
    if isinstance(value, list):
        return [resolve(item, scope, place.child(at)) for at, item in enumerate(value)]
    if isinstance(value, dict):
        return _object(value, scope, place)
    return value


def resolve_text(value: Json, scope: Scope, place: Place) -> str:
    """Return a value that must come out as a string. Raises TemplateError, ResourceNeeded."""
    found = resolve(value, scope, place)
    if not isinstance(found, str):
        raise place.error(f"A string is needed, but this is {kind_of(found)}", expression=_shown(value))
    return found


def copies(loop: Json, scope: Scope, place: Place) -> int:
    """Return how often a ``copy`` element repeats. Raises TemplateError."""
    if not isinstance(loop, dict) or "count" not in loop:
        raise place.error("A copy loop is an object with 'count'")
    count = resolve(loop["count"], scope, place.child("count"))
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= MAX_COPIES:
        raise place.child("count").error(
            f"A copy loop repeats 0 to {MAX_COPIES} times", expression=_shown(loop["count"])
        )
    return count


def repeated(loop: Mapping[str, Json], scope: Scope, place: Place, *, name: str) -> list[Json]:
    """Return ``input`` of a copy loop evaluated once a turn. Raises TemplateError."""
    if "input" not in loop:
        raise place.error("This copy loop needs 'input'")
    turns = range(copies(loop, scope, place))
    return [resolve(loop["input"], scope.looped(name, turn), place.child("input")) for turn in turns]


def called(value: Json) -> Iterator[Call]:
    """Yield every call in every expression of a value; texts that cannot be read are passed over."""
    if isinstance(value, str) and is_expression(value):
        try:
            yield from calls(parse(value))
        except ExpressionError:
            return
    elif isinstance(value, list):
        for item in value:
            yield from called(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from called(name)
            yield from called(item)


def _object(value: dict[str, Json], scope: Scope, place: Place) -> dict[str, Json]:
    made: dict[str, Json] = {}
    for name, item in value.items():
        if name.lower() == "copy" and _is_copy(item):
            made.update(_copied(item, scope, place.child(name)))
        else:
            made[_text_name(name, scope, place)] = resolve(item, scope, place.child(name))
    return made


def _is_copy(value: Json) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) and {"name", "count"} <= item.keys() for item in value
    )


def _copied(loops: list[dict[str, Json]], scope: Scope, place: Place) -> dict[str, Json]:
    made: dict[str, Json] = {}
    for at, loop in enumerate(loops):
        name = resolve_text(loop["name"], scope, place.child(at, "name"))
        made[name] = repeated(loop, scope, place.child(at), name=name)
    return made


def _text_name(name: str, scope: Scope, place: Place) -> str:
    return resolve_text(name, scope, place) if is_expression(name) else name


def _text(value: str, scope: Scope, place: Place) -> Json:
    try:
        return evaluate_text(value, scope)
    except ExpressionError as error:
        if isinstance(error, StateUnknown) and scope.runtime is not None and scope.runtime.tolerant:
            return value
        raise place.error(str(error), expression=value) from error


def _shown(value: Json) -> str:
    return value if isinstance(value, str) and is_expression(value) else ""

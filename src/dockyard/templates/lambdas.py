"""Functions that take a function: ``map(array, lambda('x', ...))`` and its kin. Called by ``evaluate`` alone."""

from __future__ import annotations

from dataclasses import replace
from functools import cmp_to_key
from typing import Any

from dockyard.templates.errors import ExpressionError
from dockyard.templates.scope import Evaluate, Scope
from dockyard.templates.special import Form
from dockyard.templates.syntax import Call, Literal
from dockyard.templates.values import Json, as_text, kind_of


class _Lambda:
    """``lambda('x', 'y', body)`` at its place."""

    def __init__(self, call: Call, place: int, scope: Scope, evaluate: Evaluate) -> None:
        found = call.arguments[place] if place < len(call.arguments) else None
        if not isinstance(found, Call) or found.key != "lambda" or not found.arguments:
            raise ExpressionError(f"Argument {place + 1} of '{call.name}' must be a lambda")
        *names, self._body = found.arguments
        if not all(isinstance(name, Literal) and isinstance(name.value, str) for name in names):
            raise ExpressionError("The parameters of a lambda are strings")
        self._names = [str(name.value).lower() for name in names if isinstance(name, Literal)]
        self._scope = scope
        self._evaluate = evaluate

    def __call__(self, *values: Json) -> Json:
        if len(self._names) > len(values):
            raise ExpressionError(
                f"A lambda here has at most {len(values)} parameters, but this one {len(self._names)}"
            )
        own = dict(zip(self._names, values, strict=False))
        return self._evaluate(self._body, replace(self._scope, lambdas={**self._scope.lambdas, **own}))


def lambda_variables(call: Call, scope: Scope, evaluate: Evaluate) -> Json:
    """Return the value of a lambda's parameter."""
    name = evaluate(call.arguments[0], scope) if len(call.arguments) == 1 else None
    if not isinstance(name, str) or name.lower() not in scope.lambdas:
        raise ExpressionError("There is no such parameter of a lambda around")
    return scope.lambdas[name.lower()]


def lambda_(_call: Call, _scope: Scope, _evaluate: Evaluate) -> Json:
    """Refuse a lambda that stands alone."""
    raise ExpressionError("A lambda stands only as an argument of map, filter, reduce, sort and toObject")


def map_(call: Call, scope: Scope, evaluate: Evaluate) -> Json:
    """Return what the lambda makes of each element."""
    each = _Lambda(call, 1, scope, evaluate)
    return [each(item, at) for at, item in enumerate(_array(call, scope, evaluate))]


def filter_(call: Call, scope: Scope, evaluate: Evaluate) -> Json:
    """Return the elements for which the lambda is true."""
    keep = _Lambda(call, 1, scope, evaluate)
    return [item for at, item in enumerate(_array(call, scope, evaluate)) if keep(item, at) is True]


def reduce_(call: Call, scope: Scope, evaluate: Evaluate) -> Json:
    """Return ``lambda(so far, element)`` of all elements, from a first value on."""
    step = _Lambda(call, 2, scope, evaluate)
    value = evaluate(call.arguments[1], scope)
    for at, item in enumerate(_array(call, scope, evaluate)):
        value = step(value, item, at)
    return value


def sort(call: Call, scope: Scope, evaluate: Evaluate) -> Json:
    """Return the elements in order; the lambda tells whether the first comes before the second."""
    before = _Lambda(call, 1, scope, evaluate)

    def compare(left: Any, right: Any) -> int:
        return -1 if before(left, right) is True else (1 if before(right, left) is True else 0)

    return sorted(_array(call, scope, evaluate), key=cmp_to_key(compare))


def to_object(call: Call, scope: Scope, evaluate: Evaluate) -> Json:
    """Return an object: one lambda makes the names, another, if given, the values."""
    name = _Lambda(call, 1, scope, evaluate)
    value = _Lambda(call, 2, scope, evaluate) if len(call.arguments) > 2 else None
    items = _array(call, scope, evaluate)
    return {as_text(name(item)): value(item) if value else item for item in items}


def _array(call: Call, scope: Scope, evaluate: Evaluate) -> list[Json]:
    value = evaluate(call.arguments[0], scope)
    if not isinstance(value, list):
        raise ExpressionError(f"Argument 1 of '{call.name}' must be an array, but is {kind_of(value)}")
    return value


FORMS: dict[str, Form] = {
    "lambda": lambda_,
    "lambdavariables": lambda_variables,
    "map": map_,
    "filter": filter_,
    "reduce": reduce_,
    "sort": sort,
    "toobject": to_object,
}

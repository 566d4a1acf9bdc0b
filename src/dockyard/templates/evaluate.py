"""The meaning of expressions: a tree and a scope in, a value out. Pure.

Functions that need only their arguments live in ``functions``; those that choose what to evaluate, or look at the
scope, in ``special`` and ``lambdas``.
"""

from __future__ import annotations

from dataclasses import replace

from dockyard.templates import lambdas, special
from dockyard.templates.errors import ExpressionError
from dockyard.templates.functions import collections, dates, numbers, strings
from dockyard.templates.functions.registry import Function
from dockyard.templates.scope import Scope, UserFunction
from dockyard.templates.special import Form
from dockyard.templates.syntax import Call, Expression, Index, Literal, Member, is_expression, literal, parse
from dockyard.templates.values import Json, element

FUNCTIONS: dict[str, Function] = {
    name: function
    for family in (strings.FAMILY, collections.FAMILY, numbers.FAMILY, dates.FAMILY)
    for name, function in family.functions.items()
}
FORMS: dict[str, Form] = {**special.FORMS, **lambdas.FORMS}


def evaluate_text(text: str, scope: Scope) -> Json:
    """Return the value of a string of a template, an expression or not. Raises ExpressionError, ResourceNeeded."""
    return evaluate(parse(text), scope) if is_expression(text) else literal(text)


def evaluate(expression: Expression, scope: Scope) -> Json:
    """Return the value of an expression. Raises ExpressionError, ResourceNeeded."""
    if isinstance(expression, Literal):
        return expression.value
    if isinstance(expression, Member):
        return element(evaluate(expression.target, scope), expression.name, safe=expression.safe)
    if isinstance(expression, Index):
        target = evaluate(expression.target, scope)
        return element(target, evaluate(expression.index, scope), safe=expression.safe)
    return _call(expression, scope)


def _call(call: Call, scope: Scope) -> Json:
    form = FORMS.get(call.key)
    if form is not None:
        return form(call, scope, evaluate)
    arguments = [evaluate(argument, scope) for argument in call.arguments]
    if call.key in scope.functions:
        return _call_own(call.name, scope.functions[call.key], arguments, scope)
    function = FUNCTIONS.get(call.key)
    if function is None:
        raise ExpressionError(f"There is no template function '{call.name}'")
    return function(arguments)


def _call_own(name: str, function: UserFunction, arguments: list[Json], scope: Scope) -> Json:
    if len(arguments) != len(function.parameters):
        wanted = len(function.parameters)
        raise ExpressionError(f"The function '{name}' takes {wanted} arguments, but has {len(arguments)}")
    values = {key.lower(): value for key, value in zip(function.parameters, arguments, strict=True)}
    inner = replace(scope.still(), parameters=values, variables=None, functions={})
    if isinstance(function.output, str):
        return evaluate_text(function.output, inner)
    return function.output

"""How a family declares its functions: a typed Python function under ARM's name.

Number and types of arguments are checked against the annotations before the call, so that every function refuses
wrong ones with the same words. Used by the families and by ``evaluate``.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dockyard.templates.errors import ExpressionError
from dockyard.templates.values import Json, kind_of

_WORDS: dict[type, str] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "a boolean",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


@dataclass(frozen=True)
class Function:
    """One function. ``kinds`` has the types each place takes (None: any); ``rest`` those of all further places."""

    name: str
    implementation: Callable[..., Json]
    kinds: tuple[frozenset[type] | None, ...]
    least: int
    takes_rest: bool
    rest: frozenset[type] | None

    def __call__(self, arguments: Sequence[Json]) -> Json:
        """Check the arguments, then compute. Raises ExpressionError."""
        self._check_number(len(arguments))
        for place, value in enumerate(arguments):
            kinds = self.kinds[place] if place < len(self.kinds) else self.rest
            if kinds is not None and type(value) not in kinds:
                wanted = " or ".join(sorted(_WORDS[kind] for kind in kinds))
                raise ExpressionError(
                    f"Argument {place + 1} of '{self.name}' must be {wanted}, but is {kind_of(value)}"
                )
        return self.implementation(*arguments)

    def _check_number(self, given: int) -> None:
        most = None if self.takes_rest else len(self.kinds)
        if given < self.least or (most is not None and given > most):
            bounds = f"{self.least} or more" if most is None else str(self.least)
            if most is not None and most != self.least:
                bounds = f"{self.least} to {most}"
            raise ExpressionError(f"The function '{self.name}' takes {bounds} arguments, but has {given}")


class Family:
    """A set of functions being declared."""

    def __init__(self) -> None:
        self.functions: dict[str, Function] = {}

    def define(self, name: str) -> Callable[[Callable[..., Json]], Callable[..., Json]]:
        """Return a decorator that declares a function under ARM's name."""

        def declare(implementation: Callable[..., Json]) -> Callable[..., Json]:
            self.functions[name.lower()] = _function(name, implementation)
            return implementation

        return declare


def _function(name: str, implementation: Callable[..., Json]) -> Function:
    hints = typing.get_type_hints(implementation)
    parameters = inspect.signature(implementation).parameters.values()
    fixed = [parameter for parameter in parameters if parameter.kind is not parameter.VAR_POSITIONAL]
    rest = next((parameter for parameter in parameters if parameter.kind is parameter.VAR_POSITIONAL), None)
    return Function(
        name=name,
        implementation=implementation,
        kinds=tuple(_kinds(hints[parameter.name]) for parameter in fixed),
        least=sum(parameter.default is parameter.empty for parameter in fixed),
        takes_rest=rest is not None,
        rest=_kinds(hints[rest.name]) if rest else None,
    )


def _kinds(hint: Any) -> frozenset[type] | None:
    if hint is Any:
        return None
    parts = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return frozenset(typing.get_origin(part) or part for part in parts)

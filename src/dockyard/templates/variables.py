"""The variables of a template: evaluated when they are first asked for, each once. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dockyard.templates.errors import ExpressionError
from dockyard.templates.places import Place
from dockyard.templates.scope import Scope
from dockyard.templates.values import Json
from dockyard.templates.walk import repeated, resolve


@dataclass(frozen=True)
class _Declared:
    value: Json
    place: Place
    loop: str | None = None


class Variables:
    """All variables; ``get`` finds them without regard to case."""

    def __init__(self, members: Mapping[str, Json], place: Place) -> None:
        self._declared = {key.lower(): each for key, each in _declared(members, place)}
        self._known: dict[str, Json] = {}
        self._open: list[str] = []

    def names(self) -> tuple[str, ...]:
        """Return the names, in lower case."""
        return tuple(self._declared)

    def get(self, name: str, *, scope: Scope) -> Json:
        """Return a variable's value.

        Raises:
            ExpressionError: there is none, or it refers to itself.
            TemplateError: an expression in it is wrong.
        """
        key = name.lower()
        if key in self._known:
            return self._known[key]
        if key not in self._declared:
            raise ExpressionError(f"There is no variable '{name}'")
        if key in self._open:
            raise ExpressionError(f"The variable '{name}' refers to itself: {' > '.join([*self._open, key])}")
        self._open.append(key)
        try:
            self._known[key] = self._value(self._declared[key], scope.still())
        finally:
            self._open.pop()
        return self._known[key]

    def _value(self, declared: _Declared, scope: Scope) -> Json:
        if declared.loop is None:
            return resolve(declared.value, scope, declared.place)
        return repeated(declared.value, scope, declared.place, name=declared.loop)


def _declared(members: Mapping[str, Json], place: Place) -> list[tuple[str, _Declared]]:
    found: list[tuple[str, _Declared]] = []
    for name, value in members.items():
        if name.lower() != "copy":
            found.append((name, _Declared(value, place.child(name))))
            continue
        if not isinstance(value, list):
            raise place.child(name).error("The member 'copy' of the variables is an array of loops")
        for at, loop in enumerate(value):
            here = place.child(name, at)
            if not isinstance(loop, dict) or not isinstance(loop.get("name"), str):
                raise here.error("A copy loop of variables is an object with 'name', 'count' and 'input'")
            found.append((loop["name"], _Declared(loop, here, loop["name"])))
    return found

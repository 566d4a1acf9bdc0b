"""What an expression can see at its place: parameters, variables, loops, and where the deployment goes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from dockyard.model.resource_group import ResourceGroup
from dockyard.templates.errors import ExpressionError
from dockyard.templates.syntax import Expression
from dockyard.templates.values import Json


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a deployment goes: what ``resourceGroup()``, ``subscription()``, ``deployment()`` tell of."""

    group: ResourceGroup
    tenant_id: str
    deployment: str
    endpoint: str


@dataclass(frozen=True)
class Moment:
    """The present and a fresh identifier, for the defaults of parameters alone: an evaluation repeats itself."""

    now: datetime
    guid: str


@dataclass(frozen=True)
class Loop:
    """One turn of a copy loop."""

    name: str
    index: int


@dataclass(frozen=True)
class UserFunction:
    """A function the template defines: its parameters' names and the expression of its value."""

    parameters: tuple[str, ...]
    output: Json


class Runtime(Protocol):
    """The states of resources, where expressions may ask for them.

    A ``tolerant`` one lets expressions stay as they are that ask for what does not exist yet.
    """

    tolerant: bool

    def reference(self, *, wanted: str, api_version: str, full: bool) -> Json:
        """Return a resource's properties, or all of it. Raises ResourceNeeded, ExpressionError."""


class VariableSource(Protocol):
    """The variables of a template."""

    def get(self, name: str, *, scope: Scope) -> Json:
        """Return a variable's value. Raises ExpressionError, TemplateError."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """``parameters`` and ``functions`` go by lower-case names; the innermost loop comes last."""

    target: Target
    parameters: Mapping[str, Json] = field(default_factory=dict, repr=False)
    variables: VariableSource | None = None
    functions: Mapping[str, UserFunction] = field(default_factory=dict)
    loops: tuple[Loop, ...] = ()
    lambdas: Mapping[str, Json] = field(default_factory=dict)
    runtime: Runtime | None = None
    moment: Moment | None = None

    def looped(self, name: str, index: int) -> Scope:
        """Return the scope inside one turn of a loop."""
        return replace(self, loops=(*self.loops, Loop(name, index)))

    def running(self, runtime: Runtime) -> Scope:
        """Return the scope in which states of resources can be asked for."""
        return replace(self, runtime=runtime)

    def still(self) -> Scope:
        """Return the scope of a variable: no loops, no states."""
        return replace(self, loops=(), lambdas={}, runtime=None, moment=None)

    def turn(self, name: str) -> int:
        """Return the index of the loop ``name``, of the innermost one when it is empty. Raises ExpressionError."""
        for loop in reversed(self.loops):
            if not name or loop.name.lower() == name.lower():
                return loop.index
        raise ExpressionError(f"There is no copy loop '{name}' around" if name else "There is no copy loop around")


class Evaluate(Protocol):
    """The evaluator, as special forms call it."""

    def __call__(self, expression: Expression, scope: Scope) -> Json:
        """Return the value of an expression."""

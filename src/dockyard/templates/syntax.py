"""The expression language between ``[`` and ``]``: text in, a tree out. Pure.

The grammar is Lark's, because a language deserves a grammar: strings in single quotes (a quote is written twice),
integers, calls, members and indexes. ``evaluate`` gives the trees their meaning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from lark import Lark, Token, Transformer
from lark.exceptions import LarkError, UnexpectedInput

from dockyard.templates.errors import ExpressionError

_MAX_LENGTH = 24_576
_MAX_DEPTH = 100
_GRAMMAR = r"""
start: expression
?expression: primary
    | expression "." NAME            -> member
    | expression ".?" NAME           -> safe_member
    | expression "[" expression "]"  -> index
    | expression "[?" expression "]" -> safe_index
?primary: STRING                     -> string
    | INTEGER                        -> integer
    | NAME "(" arguments ")"         -> call
    | NAME "." NAME "(" arguments ")" -> own_call
arguments: [expression ("," expression)*]
STRING: "'" ( /[^']/ | "''" )* "'"
INTEGER: /-?[0-9]+/
NAME: /[A-Za-z_][A-Za-z0-9_-]*/
WHITESPACE: /[ \t\r\n]+/
%ignore WHITESPACE
"""


@dataclass(frozen=True)
class Literal:
    """A string or an integer."""

    value: str | int


@dataclass(frozen=True)
class Call:
    """A function with its arguments; ``name`` has a dot in it when the template itself defines the function."""

    name: str
    arguments: tuple[Expression, ...]

    @property
    def key(self) -> str:
        """The name without regard to case, as ARM compares it."""
        return self.name.lower()


@dataclass(frozen=True)
class Member:
    """``target.name``; a ``safe`` one is null where there is none."""

    target: Expression
    name: str
    safe: bool = False


@dataclass(frozen=True)
class Index:
    """``target[index]``; a ``safe`` one is null where there is none."""

    target: Expression
    index: Expression
    safe: bool = False


Expression = Literal | Call | Member | Index


class _Tree(Transformer[Token, Expression]):
    """Lark's tree turned into ours, from the leaves up."""

    def start(self, items: list[Expression]) -> Expression:
        return items[0]

    def string(self, items: list[Token]) -> Literal:
        return Literal(str(items[0])[1:-1].replace("''", "'"))

    def integer(self, items: list[Token]) -> Literal:
        return Literal(int(items[0]))

    def arguments(self, items: list[Expression | None]) -> tuple[Expression, ...]:
        return tuple(item for item in items if item is not None)

    def call(self, items: list[object]) -> Call:
        name, arguments = items
        return Call(str(name), _expressions(arguments))

    def own_call(self, items: list[object]) -> Call:
        space, name, arguments = items
        return Call(f"{space}.{name}", _expressions(arguments))

    def member(self, items: list[Expression]) -> Member:
        return Member(items[0], str(items[1]))

    def safe_member(self, items: list[Expression]) -> Member:
        return Member(items[0], str(items[1]), safe=True)

    def index(self, items: list[Expression]) -> Index:
        return Index(items[0], items[1])

    def safe_index(self, items: list[Expression]) -> Index:
        return Index(items[0], items[1], safe=True)


def _expressions(items: object) -> tuple[Expression, ...]:
    return items if isinstance(items, tuple) else ()


_parser = Lark(_GRAMMAR, parser="lalr", transformer=_Tree(), maybe_placeholders=True)


def is_expression(text: str) -> bool:
    """Whether ARM evaluates ``text``: it begins with one ``[`` and ends with ``]``."""
    return text.startswith("[") and text.endswith("]") and not text.startswith("[[")


def literal(text: str) -> str:
    """Return what a text that is no expression stands for: ``[[x]`` is ``[x]``."""
    return text[1:] if text.startswith("[[") and text.endswith("]") else text


def escaped(text: str) -> str:
    """Return ``text`` so that an evaluation gives it back unchanged."""
    return f"[{text}" if text.startswith("[") and text.endswith("]") else text


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """Return the tree of an expression, given with its brackets.

    Raises:
        ExpressionError: it is not one, or is longer or deeper than ARM takes.
    """
    _check_size(text)
    try:
        return _parser.parse(text[1:-1])  # type: ignore[return-value] # the transformer makes it ours
    except UnexpectedInput as error:
        place = f"at column {error.column + 1}" if error.column > 0 else "at its end"
        raise ExpressionError(f"The expression cannot be read {place}") from error
    except LarkError as error:
        raise ExpressionError("The expression cannot be read") from error


def _check_size(text: str) -> None:
    if len(text) > _MAX_LENGTH:
        raise ExpressionError(f"The expression has {len(text)} characters; {_MAX_LENGTH} are the most")
    depth = deepest = 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        deepest = max(deepest, depth)
    if deepest > _MAX_DEPTH:
        raise ExpressionError(f"The expression is more than {_MAX_DEPTH} calls deep")


def calls(expression: Expression) -> Iterator[Call]:
    """Yield every call in a tree."""
    if isinstance(expression, Call):
        yield expression
        for argument in expression.arguments:
            yield from calls(argument)
    elif isinstance(expression, Member):
        yield from calls(expression.target)
    elif isinstance(expression, Index):
        yield from calls(expression.target)
        yield from calls(expression.index)

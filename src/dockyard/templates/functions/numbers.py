"""Arithmetic and comparisons; whole numbers, as in ARM."""

from __future__ import annotations

from dockyard.templates.errors import ExpressionError
from dockyard.templates.functions.registry import Family
from dockyard.templates.values import Json, kind_of, same

FAMILY = Family()


@FAMILY.define("add")
def add(left: int, right: int) -> int:
    """Return the sum."""
    return left + right


@FAMILY.define("sub")
def sub(left: int, right: int) -> int:
    """Return the difference."""
    return left - right


@FAMILY.define("mul")
def mul(left: int, right: int) -> int:
    """Return the product."""
    return left * right


@FAMILY.define("div")
def div(left: int, right: int) -> int:
    """Return the quotient, rounded towards zero."""
    _check_divisor(right)
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


@FAMILY.define("mod")
def mod(left: int, right: int) -> int:
    """Return the remainder, which has the sign of the dividend."""
    _check_divisor(right)
    remainder = abs(left) % abs(right)
    return -remainder if left < 0 else remainder


@FAMILY.define("min")
def min_(first: int | list[Json], *rest: int) -> int:
    """Return the smallest of the arguments, or of one array."""
    return min(_numbers("min", first, rest))


@FAMILY.define("max")
def max_(first: int | list[Json], *rest: int) -> int:
    """Return the largest of the arguments, or of one array."""
    return max(_numbers("max", first, rest))


@FAMILY.define("equals")
def equals(left: Json, right: Json) -> bool:
    """Whether two values are the same; strings are compared with regard to case."""
    return same(left, right)


@FAMILY.define("less")
def less(left: int | str, right: int | str) -> bool:
    """Whether the first is smaller."""
    return _order(left, right) < 0


@FAMILY.define("lessOrEquals")
def less_or_equals(left: int | str, right: int | str) -> bool:
    """Whether the first is not greater."""
    return _order(left, right) <= 0


@FAMILY.define("greater")
def greater(left: int | str, right: int | str) -> bool:
    """Whether the first is greater."""
    return _order(left, right) > 0


@FAMILY.define("greaterOrEquals")
def greater_or_equals(left: int | str, right: int | str) -> bool:
    """Whether the first is not smaller."""
    return _order(left, right) >= 0


@FAMILY.define("not")
def not_(value: bool) -> bool:  # noqa: FBT001 - it is the function's one argument
    """Return the opposite."""
    return not value


@FAMILY.define("true")
def true() -> bool:
    """Return true."""
    return True


@FAMILY.define("false")
def false() -> bool:
    """Return false."""
    return False


@FAMILY.define("null")
def null() -> None:
    """Return null."""


def _check_divisor(number: int) -> None:
    if number == 0:
        raise ExpressionError("A number cannot be divided by zero")


def _numbers(name: str, first: int | list[Json], rest: tuple[int, ...]) -> list[int]:
    numbers = [*first, *rest] if isinstance(first, list) else [first, *rest]
    if not numbers or not all(type(number) is int for number in numbers):
        raise ExpressionError(f"The function '{name}' takes integers, or one array of them")
    return numbers


def _order(left: int | str, right: int | str) -> int:
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    if isinstance(left, int) and isinstance(right, int):
        return (left > right) - (left < right)
    raise ExpressionError(f"{kind_of(left)} cannot be compared with {kind_of(right)}".capitalize())

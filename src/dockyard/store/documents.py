"""The stored form of the model's values: JSON text and back. Pure; used by ``database`` alone."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from cattrs.preconf.json import make_converter

_REMEMBERED = 4096  # documents of a few kilobytes each
_converter = make_converter()
_converter.register_unstructure_hook(Path, str)
_converter.register_structure_hook(Path, lambda value, _: Path(value))

T = TypeVar("T")


def dump(value: object) -> str:
    """Return one value of the model as JSON text."""
    return _converter.dumps(value, separators=(",", ":"), sort_keys=True)


def load(text: str, kind: type[T]) -> T:
    """Return the value that ``dump`` wrote.

    Decoding costs far more than reading: a list of 500 machines spends its time here. Values are frozen, so those of
    the same text are one.
    """
    known: Any = kind  # hashable, which the checker does not see in a type of T
    value: T = _load(text, known)
    return value


@lru_cache(maxsize=_REMEMBERED)
def _load(text: str, kind: Any) -> Any:
    return _converter.loads(text, kind)

"""The stored form of the model's values: JSON text and back. Pure; used by ``database`` alone."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from cattrs.preconf.json import make_converter

_converter = make_converter()
_converter.register_unstructure_hook(Path, str)
_converter.register_structure_hook(Path, lambda value, _: Path(value))

T = TypeVar("T")


def dump(value: object) -> str:
    """Return one value of the model as JSON text."""
    return _converter.dumps(value, separators=(",", ":"), sort_keys=True)


def load(text: str, kind: type[T]) -> T:
    """Return the value that ``dump`` wrote."""
    return _converter.loads(text, kind)

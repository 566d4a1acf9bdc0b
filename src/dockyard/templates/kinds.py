"""The types of parameters and outputs, and how their values are shown: secure ones never. Pure."""

from __future__ import annotations

from enum import Enum

from dockyard.templates.values import Json


class Kind(Enum):
    """A type; the value is ARM's own spelling in its answers."""

    STRING = "String"
    SECURE_STRING = "SecureString"
    INT = "Int"
    BOOL = "Bool"
    OBJECT = "Object"
    SECURE_OBJECT = "SecureObject"
    ARRAY = "Array"

    @property
    def is_secure(self) -> bool:
        """Whether a value of this type is never shown or stored."""
        return self in (Kind.SECURE_STRING, Kind.SECURE_OBJECT)

    def takes(self, value: Json) -> bool:
        """Whether a value is of this type."""
        return type(value) is _TYPES[self]

    def masked(self, value: Json) -> Json:
        """Return a value, or what stands for it when it is secure."""
        if not self.is_secure:
            return value
        return {} if self is Kind.SECURE_OBJECT else _STARS

    def shown(self, value: Json) -> dict[str, Json]:
        """Return a value as answers and the store may have it."""
        return {"type": self.value} if self.is_secure else {"type": self.value, "value": value}


_STARS = "********"
_TYPES = {
    Kind.STRING: str,
    Kind.SECURE_STRING: str,
    Kind.INT: int,
    Kind.BOOL: bool,
    Kind.OBJECT: dict,
    Kind.SECURE_OBJECT: dict,
    Kind.ARRAY: list,
}
_NAMES = {kind.value.lower(): kind for kind in Kind}


def kind_named(name: Json) -> Kind | None:
    """Return the type a template names, whatever its case."""
    return _NAMES.get(name.lower()) if isinstance(name, str) else None

"""What an extension package is called: publisher, type and version, as Azure and its agent allow them.

The agent parts a handler's name from its version at the hyphen and makes folders and addresses of both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dockyard.model.errors import InvalidRequest

_NAME = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*", re.ASCII)
_VERSION = re.compile(r"(0|[1-9]\d{0,8})(\.(0|[1-9]\d{0,8})){1,3}", re.ASCII)
_MAX_NAME = 128
PARTS = 4


@dataclass(frozen=True, kw_only=True)
class PackageName:
    """A name that was found to be right; see `checked`."""

    publisher: str
    type: str
    version: str

    @classmethod
    def checked(cls, *, publisher: str, type: str, version: str) -> PackageName:
        """Return the name. Raises InvalidRequest."""
        for what, text in (("publisher", publisher), ("type", type)):
            if not _NAME.fullmatch(text) or len(text) > _MAX_NAME:
                raise InvalidRequest(
                    f"{text[:80]!a} cannot be an extension's {what}",
                    resolution=f"Use up to {_MAX_NAME} letters, digits and underscores, in parts joined by dots.",
                    code="InvalidParameter",
                )
        if not _VERSION.fullmatch(version):
            raise InvalidRequest(
                f"{version[:80]!a} cannot be the version of a package",
                resolution="Use two to four numbers without leading zeros, such as 1.0 or 1.0.0.",
                code="InvalidParameter",
            )
        return cls(publisher=publisher, type=type, version=version)

    @property
    def handler_name(self) -> str:
        """``Publisher.Type``: the agent's name of the handler."""
        return f"{self.publisher}.{self.type}"


def version_numbers(version: str) -> tuple[int, ...]:
    """Return a version as four numbers, so that 1.0 and 1.0.0 are one. Raises ValueError for another text."""
    parts = version.split(".")
    if len(parts) > PARTS or not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts):
        raise ValueError("not a version")
    return tuple(int(part) for part in [*parts, *("0" for _ in range(PARTS))][:PARTS])

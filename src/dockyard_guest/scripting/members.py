"""Members that the settings of all scripts have, read with the errors that name their place. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

from .running import DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Collection

    from dockyard_contract.documents import JsonObject, JsonValue

_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?")


def check_members(settings: JsonObject, *, known: Collection[str]) -> None:
    """Refuse members that mean nothing: a misspelt one would be ignored in silence.

    Raises:
        MalformedDocument: There is one.
    """
    for name in settings.names():
        if name not in known:
            raise settings.value(name).malformed(expected=f"one of {', '.join(sorted(known))}", found="another name")


def refuse(settings: JsonObject, names: Collection[str], *, reason: str, resolution: str) -> None:
    """Refuse members of Azure's that cannot be had here.

    Raises:
        PermanentError: There is one.
    """
    for name in names:
        if settings.optional(name) is not None:
            raise PermanentError(
                f"`{name}` is not supported here: {reason}.",
                resolution=resolution,
                exit_code=ExitCode.BAD_CONFIGURATION,
            )


def program_text(value: JsonValue) -> str:
    """A text that a program can be given: without the character that ends a text, and encodable.

    Raises:
        MalformedDocument: It is none; the error does not quote it.
    """
    text = value.string()
    if "\0" in text or any(0xD800 <= ord(letter) < 0xE000 for letter in text):
        raise value.malformed(expected="a text that a program can be given", found="one with a character it cannot")
    return text


def optional_text(settings: JsonObject, name: str) -> str | None:
    """A member as such a text; ``None`` when it is absent, null or empty."""
    value = settings.optional(name)
    return None if value is None else program_text(value) or None


def user(settings: JsonObject) -> str | None:
    """``runAsUser``: whom the script runs as, or ``None``."""
    name = optional_text(settings, "runAsUser")
    if name is not None and not _USER.fullmatch(name):
        raise settings.value("runAsUser").malformed(expected="a user's name", found="another text")
    return name


def timeout(settings: JsonObject) -> int:
    """``timeoutInSeconds``: how long the script may run."""
    seconds = settings.optional_integer("timeoutInSeconds")
    if seconds is None:
        return DEFAULT_TIMEOUT
    if not 1 <= seconds <= 30 * 86400:
        raise settings.value("timeoutInSeconds").malformed(expected="1 to 2592000", found="another number")
    return seconds

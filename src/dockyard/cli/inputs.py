"""What users type, checked before anything is sent: JSON settings, sizes, user names.

Used by the commands; raises InvalidRequest with what would be right.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dockyard.model.errors import InvalidRequest
from dockyard.model.virtual_machine import size_named

_USER_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_RESERVED = frozenset(
    (
        "root",
        "admin",
        "administrator",
        "daemon",
        "bin",
        "sys",
        "sync",
        "games",
        "man",
        "lp",
        "mail",
        "news",
        "uucp",
        "proxy",
        "www-data",
        "backup",
        "list",
        "irc",
        "nobody",
        "docker",
        "sudo",
        "adm",
        "wheel",
        "staff",
        "users",
        "sshd",
        "systemd-network",
        "messagebus",
        "_apt",
    )
)
_AMOUNT = re.compile(r"(\d+)\s*(m|mi|mib|mb|g|gi|gib|gb)?", re.IGNORECASE)
DEFAULT_CPUS = 2
DEFAULT_MEMORY_MIB = 1536


def json_object(text: str, *, option: str) -> Mapping[str, Any]:
    """Read a JSON object from the text itself, from ``@file``, or from standard input for ``-``.

    Raises:
        InvalidRequest: unreadable, not JSON, or not an object. The text is never repeated: it may be secret.
    """
    given = content(text, option=option)
    try:
        value = json.loads(given)
    except json.JSONDecodeError as error:
        raise InvalidRequest(
            f"{option} is not JSON",
            details=f"line {error.lineno}, column {error.colno}: {error.msg}",
            resolution=f"Give a JSON object, or a file with one: {option} @settings.json",
        ) from None
    if not isinstance(value, dict):
        raise InvalidRequest(
            f"{option} must be a JSON object",
            resolution='Settings are names with values, for example {"docker": {"port": "2376"}}.',
        )
    return value


def size(*, name: str | None, cpus: int | None, memory: str | None) -> str:
    """Return the size's Azure name, from its name or from processors and memory. Raises InvalidRequest."""
    if name is not None and (cpus is not None or memory is not None):
        raise InvalidRequest("--size cannot be combined with --cpus or --memory", resolution="Give one or the other.")
    if name is None:
        amount = DEFAULT_MEMORY_MIB if memory is None else mebibytes(memory)
        name = f"Dockyard_C{cpus or DEFAULT_CPUS}_M{amount}"
    return size_named(name).name


def measures(name: str) -> tuple[int, int]:
    """Return processors and MiB of memory of a size. Raises InvalidRequest for an unknown one."""
    known = size_named(name)
    return known.cpus, known.memory_mib


def password() -> str:
    """Return the first line of standard input. Raises InvalidRequest when it is empty."""
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise InvalidRequest(
            "--password-stdin found no password",
            resolution="Write it into standard input: dockyard vm create web --password-stdin < password.txt",
        )
    return line


def mebibytes(text: str) -> int:
    """Read an amount of memory: ``1536``, ``1536M`` or ``2G``. Raises InvalidRequest."""
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise InvalidRequest(
            f"'{text}' is not an amount of memory", resolution="Give MiB, or a number with M or G: 1536, 1536M, 2G."
        )
    return int(match[1]) * (1024 if (match[2] or "m").lower().startswith("g") else 1)


def user_name(name: str) -> str:
    """Return ``name`` when a guest can have such an administrator. Raises InvalidRequest."""
    if name in _RESERVED:
        raise InvalidRequest(
            f"'{name}' cannot be the administrator's name",
            details="The guest has a user or a group of that name already.",
            resolution="Choose another name with --admin-username.",
        )
    if not _USER_NAME.fullmatch(name):
        raise InvalidRequest(
            f"'{name}' is not a valid user name",
            resolution="Use 1 to 32 lower-case letters, digits, hyphens and underscores, beginning with a letter.",
        )
    return name


def content(text: str, *, option: str) -> str:
    """Return the text itself, the content of ``@file``, or standard input for ``-``. Raises InvalidRequest."""
    try:
        if text == "-":
            return sys.stdin.read()
        if text.startswith("@"):
            return Path(text[1:]).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InvalidRequest(f"{option}: {text} cannot be read", details=reason or "") from error
    return text

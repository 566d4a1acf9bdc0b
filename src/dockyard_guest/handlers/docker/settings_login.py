"""The settings that say where to log in: ``login`` of the extension of 2016, and ``logins`` for several registries.

Pure; called by `settings`. Both are protected settings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

if TYPE_CHECKING:
    from dockyard_contract.documents import JsonObject, JsonValue

LOGIN_MEMBERS = frozenset({"server", "username", "password", "email"})
"""What a login may have; ``email`` is what registries of old wanted, and means nothing any more."""

HUB = "Docker Hub"
_SERVER = re.compile(r"(https?://)?[A-Za-z0-9\[][A-Za-z0-9.:\[\]_/-]*")
_NAME = re.compile(r"[^\s\x00-\x1f\x7f-][^\x00-\x1f\x7f]*")


@dataclass(frozen=True)
class Login:
    """A registry and who logs in there.

    Attributes:
        server: Host of the registry, as given; empty for Docker Hub.
        username: Who.
        password: With what; hidden from `repr`.
    """

    server: str
    username: str
    password: str = field(repr=False)

    @property
    def shown(self) -> str:
        """The registry's name for people."""
        return self.server or HUB


def parse_logins(protected: JsonObject) -> tuple[Login, ...]:
    """Read ``login`` and ``logins``.

    Raises:
        MalformedDocument: A member is missing, of the wrong type, or cannot be what it stands for.
        PermanentError: A registry is named twice.
    """
    items = [item.object() for item in protected.optional_array("logins") or ()]
    single = protected.optional_object("login")
    logins = [_login(item) for item in ([] if single is None or _is_blank(single) else [single]) + items]
    servers = [login.server for login in logins]
    for server in servers:
        if servers.count(server) > 1:
            raise PermanentError(
                f"There are two logins for {server or HUB}.",
                resolution="Give one login for each registry.",
                exit_code=ExitCode.BAD_CONFIGURATION,
            )
    return tuple(logins)


def _is_blank(login: JsonObject) -> bool:
    """Whether nothing is filled in, as templates of old have it when they need no login."""
    return all(value is None or value.raw == "" for value in (login.optional(name) for name in LOGIN_MEMBERS))


def _login(item: JsonObject) -> Login:
    server = item.optional("server")
    return Login(
        server="" if server is None else _server(server),
        username=_username(item.value("username")),
        password=_password(item.value("password")),
    )


def _server(value: JsonValue) -> str:
    text = value.string().strip()
    if text and not _SERVER.fullmatch(text):
        raise value.malformed(expected="the host of a registry", found="another text")
    return text


def _username(value: JsonValue) -> str:
    text = value.string()
    if not _NAME.fullmatch(text):
        raise value.malformed(expected="a user's name", found="another text")
    return text


def _password(value: JsonValue) -> str:
    text = value.string()
    if not text or "\n" in text or "\x00" in text:
        raise value.malformed(expected="a password of one line", found="another text")
    return text

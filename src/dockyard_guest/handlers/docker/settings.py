"""The Docker extension's settings, in the shapes of the extension of 2016.

Public: ``docker.port`` (text or number), ``docker.options`` (texts). Protected: ``certs`` with ``ca``, ``cert`` and
``key``, each base64 of PEM or PEM itself. The rest is read by modules of its own. Names that mean nothing here are
kept, to be named in a warning.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

from .flags import check_flags, split_option
from .settings_compose import COMPOSE_MEMBERS, ComposeSettings, parse_compose_settings
from .settings_daemon import NAMES, PROXY_NAMES, SWITCH_NAMES, DaemonSettings, parse_daemon_settings
from .settings_engine import ENGINE_MEMBERS, EngineSettings, parse_engine_settings
from .settings_login import LOGIN_MEMBERS, Login, parse_logins
from .users import parse_users

if TYPE_CHECKING:
    from dockyard_contract.documents import JsonObject, JsonValue
    from dockyard_guest.values import PlainSettings

_PEM = "-----BEGIN "


@dataclass(frozen=True)
class Bundle:
    """What the engine needs to speak TLS: PEM texts of the authority, the certificate and its private key."""

    authority: bytes
    certificate: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class DockerSettings:
    """What is wanted of the engine.

    Attributes:
        port: TCP port on which the engine answers with TLS; ``None`` for the unix socket only.
        options: More arguments for dockerd, a word each.
        bundle: Certificates; there whenever there is a port.
        ignored: Paths of members that mean nothing to this version.
        daemon: What is wanted of the daemon's own configuration.
        engine: Which engine it is to be.
        compose: Which containers are to run.
        logins: Where to log in.
        users: Who may use the engine; ``None`` when nothing is said.
    """

    port: int | None = None
    options: tuple[str, ...] = ()
    bundle: Bundle | None = None
    ignored: tuple[str, ...] = ()
    daemon: DaemonSettings = field(default_factory=DaemonSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
    compose: ComposeSettings = field(default_factory=ComposeSettings)
    logins: tuple[Login, ...] = ()
    users: tuple[str, ...] | None = None


def parse_docker_settings(settings: PlainSettings) -> DockerSettings:
    """Read the settings.

    Raises:
        MalformedDocument: A member is missing or of the wrong type.
        PermanentError: The members do not go together.
    """
    docker = settings.public.optional_object("docker")
    certs = settings.protected.optional_object("certs")
    bundle = None if certs is None else _bundle(certs)
    port = None if docker is None else _port(docker)
    if port is not None and bundle is None:
        raise PermanentError(
            f"Port {port} is asked for without certificates, which would give everybody who reaches it the machine.",
            resolution="Give `certs` with ca, cert and key in the protected settings, or leave out docker.port.",
            exit_code=ExitCode.BAD_CONFIGURATION,
        )
    options = () if docker is None else _options(docker, with_certificates=bundle is not None)
    secret_proxy = settings.protected.optional_object("proxy")
    return DockerSettings(
        port=port,
        options=options,
        bundle=bundle,
        ignored=_ignored(settings, docker=docker, certs=certs),
        daemon=parse_daemon_settings(docker, secret_proxy=secret_proxy, options=options),
        engine=parse_engine_settings(docker),
        compose=parse_compose_settings(settings.public, settings.protected),
        logins=parse_logins(settings.protected),
        users=parse_users(docker),
    )


def _port(docker: JsonObject) -> int | None:
    value = docker.optional("port")
    if value is None:
        return None
    number = _number(value)
    if not 1 <= number <= 65535:
        raise value.malformed(expected="a port from 1 to 65535", found="another number")
    return number


def _number(value: JsonValue) -> int:
    if not isinstance(value.raw, str):
        return value.integer()
    text = value.raw.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        raise value.malformed(expected="a port number", found="another text")
    return int(text)


def _options(docker: JsonObject, *, with_certificates: bool) -> tuple[str, ...]:
    found = [
        (word, _tail(item.path))
        for item in docker.optional_array("options") or ()
        for word in split_option(item.string(), member=_tail(item.path))
    ]
    words = tuple(word for word, _ in found)
    # All at once: a flag and its value may be two options.
    check_flags(words, members=tuple(member for _, member in found), with_certificates=with_certificates)
    return words


def _bundle(certs: JsonObject) -> Bundle:
    return Bundle(
        authority=_pem(certs.value("ca"), kind="CERTIFICATE"),
        certificate=_pem(certs.value("cert"), kind="CERTIFICATE"),
        key=_pem(certs.value("key"), kind="PRIVATE KEY"),
    )


def _pem(value: JsonValue, *, kind: str) -> bytes:
    text = value.string().strip()
    if _PEM not in text:
        text = _decoded(text).strip()
    if f"{kind}-----" not in text or _PEM not in text:
        raise value.malformed(expected=f"PEM, or base64 of PEM, with a {kind}", found="another text")
    return text.replace("\r\n", "\n").encode() + b"\n"


def _decoded(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return ""


def _ignored(settings: PlainSettings, *, docker: JsonObject | None, certs: JsonObject | None) -> tuple[str, ...]:
    known = [
        (settings.public, {"docker"} | COMPOSE_MEMBERS),
        (docker, {"port", "options", "users", *ENGINE_MEMBERS} | NAMES),
        (None if docker is None else docker.optional_object("proxy"), PROXY_NAMES),
        (None if docker is None else docker.optional_object("defaults"), SWITCH_NAMES),
        (settings.protected, {"certs", "proxy", "environment", "login", "logins"}),
        (settings.protected.optional_object("login"), LOGIN_MEMBERS),
        (settings.protected.optional_object("proxy"), PROXY_NAMES),
        (certs, {"ca", "cert", "key"}),
    ]
    return tuple(
        _tail(part.value(name).path)
        for part, names in known
        if part is not None
        for name in part.names()
        if name not in names
    )


def _tail(path: str) -> str:
    """The path as users wrote it, without the envelope around it."""
    return path.partition(".handlerSettings.")[2].partition(".")[2] or path

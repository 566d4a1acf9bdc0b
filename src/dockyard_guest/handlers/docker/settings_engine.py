"""The settings that say which engine: ``docker.source``, ``version``, ``mirror``, ``signing-key``, and one for its end.

Pure; called by `settings`. All are optional: without them an engine that is there is kept whatever its version.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

from .signing_key import KeyTextError, public_key_block

if TYPE_CHECKING:
    from dockyard_contract.documents import JsonObject, JsonValue

ENGINE_MEMBERS = frozenset({"source", "version", "mirror", "signing-key", "remove-data-on-uninstall"})
"""What `parse_engine_settings` reads of the member ``docker``."""

_PIN = re.compile(r"[0-9][0-9A-Za-z.+~:_-]*")
_MIRROR = re.compile(r"(https?)://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~%/-]*)?|(file):///[A-Za-z0-9._~%/-]*")
_NEWEST = "latest"


class Source(enum.Enum):
    """Who the engine's packages are from; the values are the settings' own words."""

    AUTO = "auto"
    DOCKER = "docker"
    DISTRO = "distro"


@dataclass(frozen=True)
class EngineSettings:
    """Which engine is wanted.

    Attributes:
        source: Who its packages are from; ``AUTO`` keeps what is there.
        pin: Beginning of the version it must have; empty for any.
        newest: Whether to look for a newer version when the settings are sent anew.
        mirror: Where Docker's packages are fetched instead of from Docker; no slash at the end, empty for none.
        signing_key: The armoured public key that signs the mirror's packages; empty for Docker's own key.
        remove_data: Whether uninstall removes images, containers and volumes of an engine that the extension brought.
    """

    source: Source = Source.AUTO
    pin: str = ""
    newest: bool = False
    mirror: str = ""
    signing_key: str = ""
    remove_data: bool = False


def parse_engine_settings(docker: JsonObject | None) -> EngineSettings:
    """Read the members of ``docker`` that say which engine.

    Raises:
        MalformedDocument: A member is of the wrong type or has a value that it cannot have.
        PermanentError: The members do not go together.
    """
    if docker is None:
        return EngineSettings()
    version = _version(docker.optional("version"))
    settings = EngineSettings(
        source=_source(docker.optional("source")),
        pin="" if version == _NEWEST else version,
        newest=version == _NEWEST,
        mirror=_mirror(docker.optional("mirror")),
        signing_key=_signing_key(docker.optional("signing-key")),
        remove_data=docker.optional_boolean("remove-data-on-uninstall") or False,
    )
    _check_together(settings)
    return settings


def _source(value: JsonValue | None) -> Source:
    if value is None:
        return Source.AUTO
    words = [source.value for source in Source]
    if value.string() not in words:
        raise value.malformed(expected=f"one of {', '.join(words)}", found="another text")
    return Source(value.string())


def _version(value: JsonValue | None) -> str:
    if value is None:
        return ""
    text = value.string().strip()
    # It becomes a word of the package manager's command line, so it must be nothing but a version.
    if text and text != _NEWEST and not _PIN.fullmatch(text):
        raise value.malformed(expected=f"the beginning of a version, like 28.1, or {_NEWEST}", found="another text")
    return text


def _mirror(value: JsonValue | None) -> str:
    if value is None:
        return ""
    text = value.string().strip().rstrip("/")
    # It becomes a line of a file, and everybody on the machine may read that: no blanks, no password.
    if text and not _MIRROR.fullmatch(text):
        raise value.malformed(
            expected="an address like https://mirror.example/docker without a password", found="another text"
        )
    return text


def _signing_key(value: JsonValue | None) -> str:
    if value is None or not value.string().strip():
        return ""
    try:
        return public_key_block(value.string())
    except KeyTextError as error:
        raise value.malformed(expected="one armoured OpenPGP public key", found=str(error)) from None


def _check_together(settings: EngineSettings) -> None:
    if settings.source is Source.DISTRO and settings.mirror:
        raise _refused("docker.mirror is a mirror of Docker's packages, but docker.source is distro.")
    if settings.signing_key and not settings.mirror:
        raise _refused("docker.signing-key is the key of docker.mirror, but there is no docker.mirror.")
    if settings.mirror and not settings.mirror.startswith("https:") and not settings.signing_key:
        raise _refused("docker.mirror is not an https address, so that no key can be fetched from it safely.")


def _refused(reason: str) -> PermanentError:
    return PermanentError(
        reason,
        resolution="Give docker.mirror and docker.signing-key together, and docker.source docker or auto.",
        exit_code=ExitCode.BAD_CONFIGURATION,
    )

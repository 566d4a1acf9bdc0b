"""The settings that concern the daemon's own configuration: members, registries, proxy, data disk, safe defaults.

Read by `settings`, which passes on the objects as they arrived. Pure; nothing here knows the machine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

from .flags import MANAGED_MEMBERS, members_of_flags
from .safe_defaults import Switch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard_contract.documents import JsonObject, JsonValue

NAMES = frozenset({"daemon", "registry-mirrors", "insecure-registries", "proxy", "data-disk", "defaults"})
"""Names under ``docker`` that are read here."""

PROXY_NAMES = frozenset({"http", "https", "no"})
SWITCH_NAMES = frozenset(switch.value for switch in Switch)

ANY_DISK = "any"
"""Stands for the one data disk of the machine."""

_LISTS = ("registry-mirrors", "insecure-registries")
_PROXY = re.compile(r"(?:https?|socks5h?)://[^\s\"'\\`$/]+/?", re.ASCII)
_NO_PROXY = re.compile(r"[^\s\"'\\`$]*(?:[ ,]+[^\s\"'\\`$]+)*", re.ASCII)
_DEVICE = re.compile(r"/dev/[A-Za-z0-9_.:+/-]+", re.ASCII)
_LARGEST_LUN = 63


@dataclass(frozen=True)
class Proxy:
    """How the engine reaches registries. Texts are hidden from `repr`: they may hold credentials."""

    http: str = field(default="", repr=False)
    https: str = field(default="", repr=False)
    no: str = field(default="", repr=False)


@dataclass(frozen=True)
class DaemonSettings:
    """What is wanted of the daemon besides port, certificates and options.

    Attributes:
        members: Members for ``daemon.json``, as given.
        proxy: Proxy for the daemon; ``None`` for a direct way.
        data_disk: Device path, LUN, or `ANY_DISK` for the one disk there is; ``None`` for the system's own.
        off: Safe defaults that are switched off.
    """

    members: Mapping[str, object] = field(default_factory=dict)
    proxy: Proxy | None = None
    data_disk: str | int | None = None
    off: frozenset[Switch] = frozenset()


def parse_daemon_settings(
    docker: JsonObject | None, *, secret_proxy: JsonObject | None, options: tuple[str, ...]
) -> DaemonSettings:
    """Read the members of ``docker`` that are `NAMES`, and ``proxy`` of the protected settings.

    Raises:
        MalformedDocument: A member is of the wrong type.
        PermanentError: A member is not the user's to set, or is set twice.
    """
    members = {} if docker is None else _members(docker)
    _check_flags(members, options=options)
    data_disk = None if docker is None else _data_disk(docker.optional("data-disk"))
    if data_disk is not None and ("data-root" in members or "data-root" in members_of_flags(options)):
        raise _refused("docker.data-disk", "is for /var/lib/docker, but data-root puts the engine's data elsewhere")
    return DaemonSettings(
        members=members,
        proxy=_proxy(None if docker is None else docker.optional_object("proxy"), secret=secret_proxy),
        data_disk=data_disk,
        off=frozenset() if docker is None else _off(docker.optional_object("defaults")),
    )


def _members(docker: JsonObject) -> dict[str, object]:
    given = docker.optional_object("daemon")
    members = {} if given is None else {name: _member(given, name) for name in given.names()}
    for name in _LISTS:
        items = docker.optional_array(name)
        if items is None:
            continue
        if name in members:
            raise _refused(f"docker.{name}", f"is given as docker.daemon.{name} too")
        members[name] = [item.string() for item in items]
    return members


def _member(given: JsonObject, name: str) -> object:
    if name in MANAGED_MEMBERS:
        raise _refused(f"docker.daemon.{name}", f"is managed by the extension: {MANAGED_MEMBERS[name]}")
    value = given.value(name)
    if value.is_null:
        raise value.malformed(expected="a value")
    return value.raw


def _check_flags(members: Mapping[str, object], *, options: tuple[str, ...]) -> None:
    for name, flag in members_of_flags(options).items():
        if name in members:
            raise _refused(
                f"docker.daemon.{name}" if name not in _LISTS else f"docker.{name}",
                f"is given as --{flag.name} in docker.options too, and dockerd refuses what is said twice",
            )


def _proxy(public: JsonObject | None, *, secret: JsonObject | None) -> Proxy | None:
    if public is None and secret is None:
        return None
    texts: dict[str, str] = {}
    for part, is_secret in ((public, False), (secret, True)):
        for name in sorted(PROXY_NAMES) if part is not None else ():
            value = part.optional(name) if part is not None else None
            if value is not None and value.raw != "":
                texts[name] = _proxy_text(value, name=name, is_secret=is_secret)
    return Proxy(**texts) if texts else None


def _proxy_text(value: JsonValue, *, name: str, is_secret: bool) -> str:
    text = value.string().strip()
    if name == "no":
        if not _NO_PROXY.fullmatch(text):
            raise value.malformed(expected="names and networks with commas between", found="another text")
        return text
    if not _PROXY.fullmatch(text):
        raise value.malformed(expected="an address such as http://proxy.example:3128", found="another text")
    if "@" in text and not is_secret:
        raise _refused(
            f"docker.proxy.{name}", "has a user or a password, which everybody who reads public settings would see"
        )
    return text


def _data_disk(value: JsonValue | None) -> str | int | None:
    if value is None or value.raw is False:
        return None
    if value.raw is True:
        return ANY_DISK
    text = str(value.raw) if isinstance(value.raw, int) else value.string().strip()
    if text.isascii() and text.isdigit() and len(text) <= 2 and int(text) <= _LARGEST_LUN:
        return int(text)
    if not _DEVICE.fullmatch(text) or ".." in text:
        raise value.malformed(expected="a device below /dev, a LUN from 0 to 63, or true", found="something else")
    return text


def _off(defaults: JsonObject | None) -> frozenset[Switch]:
    if defaults is None:
        return frozenset()
    return frozenset(switch for switch in Switch if defaults.optional_boolean(switch.value) is False)


def _refused(member: str, reason: str) -> PermanentError:
    return PermanentError(
        f"{member} {reason}.",
        resolution="Give proxies with credentials as `proxy` in the protected settings."
        if member.startswith("docker.proxy")
        else "Change the settings and send them again.",
        exit_code=ExitCode.BAD_CONFIGURATION,
    )

"""The settings of containers to run: ``compose``, its environment, and ``compose-remove``; as in 2016 and as YAML text.

Pure; called by `settings`. JSON is YAML, so an object becomes the compose file as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockyard_contract.documents import dump_json

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dockyard_contract.documents import JsonObject, JsonValue

COMPOSE_MEMBERS = frozenset({"compose", "compose-environment", "compose-remove", "azure-environment"})
"""What `parse_compose_settings` reads of the public settings."""

CLOUDS = ("", "AzureCloud", "AzureChinaCloud", "AzureUSGovernment", "AzureGermanCloud")
"""Values of ``azure-environment``. It chose a mirror in 2016; now `docker.mirror` does."""

_PROJECT_VARIABLE = "COMPOSE_PROJECT_NAME"
_PATIENCE_VARIABLE = "COMPOSE_HTTP_TIMEOUT"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NOT_A_SERVICE = frozenset({"version", "name", "networks", "volumes", "configs", "secrets", "include"})


@dataclass(frozen=True)
class ComposeSettings:
    """The containers that are wanted.

    Attributes:
        text: The compose file; empty for none. It may hold passwords, so it is hidden from `repr`.
        environment: Variables for the compose program, the secret ones among them.
        secrets: Values that must not be shown.
        remove: Whether containers of a former compose file go when there is none any more.
    """

    text: str = field(default="", repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    remove: bool = False

    @property
    def project(self) -> str:
        """Name of the compose project, which is a part of its containers' names."""
        return self.environment[_PROJECT_VARIABLE] if self.environment else "compose"


def parse_compose_settings(public: JsonObject, protected: JsonObject) -> ComposeSettings:
    """Read what is `COMPOSE_MEMBERS`, and ``environment`` of the protected settings.

    Raises:
        MalformedDocument: A member is of the wrong type or cannot be what it stands for.
    """
    cloud = public.optional("azure-environment")
    if cloud is not None and cloud.string() not in CLOUDS:
        raise cloud.malformed(expected=f"one of {', '.join(CLOUDS[1:])}", found="another text")
    secret = _variables(protected.optional_object("environment"))
    defaults = {_PROJECT_VARIABLE: "compose", _PATIENCE_VARIABLE: "600"}
    return ComposeSettings(
        text=_text(public.optional("compose")),
        environment={**defaults, **_variables(public.optional_object("compose-environment")), **secret},
        secrets=tuple(secret.values()),
        remove=public.optional_boolean("compose-remove") or False,
    )


def _variables(given: JsonObject | None) -> dict[str, str]:
    return {} if given is None else {name: _variable(given, name) for name in given.names()}


def _variable(given: JsonObject, name: str) -> str:
    value = given.value(name)
    if not _NAME.fullmatch(name):
        raise value.malformed(expected="a variable whose name is of letters, digits and _", found="another name")
    if "\x00" in value.string():
        raise value.malformed(expected="a text without a zero byte", found="another text")
    return value.string()


def _text(value: JsonValue | None) -> str:
    if value is None:
        return ""
    if isinstance(value.raw, str):
        return f"{value.raw.rstrip()}\n" if value.raw.strip() else ""
    members = value.object()
    return f"{dump_json(_with_services(members))}\n" if members.names() else ""


def _with_services(members: JsonObject) -> dict[str, object]:
    """The file's members. The oldest form had the services themselves there, and no compose program reads it now."""
    raw = dict(members.members)
    if "services" in raw or not all(isinstance(part, dict) for part in raw.values()) or _NOT_A_SERVICE & set(raw):
        return raw
    return {"services": {name: _modern(members.object(name), services=raw.keys()) for name in members.names()}}


def _modern(service: JsonObject, *, services: Collection[str]) -> dict[str, object]:
    """A service of the oldest form in today's words."""
    raw = dict(service.members)
    network = raw.pop("net", None)
    if network is not None:
        raw["network_mode"] = _network_mode(network, services=services)
    driver, options = raw.pop("log_driver", None), raw.pop("log_opt", None)
    logging = {"driver": driver, "options": options}
    if driver is not None or options is not None:
        raw["logging"] = {name: part for name, part in logging.items() if part is not None}
    if "dockerfile" in raw and isinstance(raw.get("build"), str):
        raw["build"] = {"context": raw["build"], "dockerfile": raw.pop("dockerfile")}
    return raw


def _network_mode(network: object, *, services: Collection[str]) -> object:
    if not isinstance(network, str) or not network.startswith("container:"):
        return network
    name = network.partition(":")[2]
    return f"service:{name}" if name in services else network

"""The published schema of the Docker extension's settings and the handler's parser say the same about every sample."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dockyard_contract.errors import MalformedDocument
from dockyard_contract.settings import parse_protected, parse_settings, public_settings
from dockyard_guest.errors import GuestError
from dockyard_guest.handlers.docker.settings import parse_docker_settings
from dockyard_guest.handlers.docker.settings_compose import COMPOSE_MEMBERS
from dockyard_guest.handlers.docker.settings_daemon import NAMES, SWITCH_NAMES
from dockyard_guest.handlers.docker.settings_engine import ENGINE_MEMBERS
from dockyard_guest.values import PlainSettings

REFERENCE = Path(__file__).parents[3] / "docs/reference"
SCHEMA: dict[str, Any] = json.loads((REFERENCE / "docker-extension-settings.schema.json").read_text())
PAGE = (REFERENCE / "docker-extension.md").read_text()
CERT = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
KEY = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"
CERTS = {"ca": CERT, "cert": CERT, "key": KEY}
IN_BASE64 = {name: base64.b64encode(text.encode()).decode() for name, text in CERTS.items()}
GOOD = {"certs": CERTS}

ACCEPTED: tuple[tuple[object, object], ...] = (
    (None, None),
    ({}, {}),
    ({"docker": None}, {"certs": None}),
    ({"docker": {}}, None),
    ({"docker": {"port": None, "options": None}}, None),
    ({"docker": {"port": 2376}}, GOOD),
    ({"docker": {"port": "2376"}}, {"certs": IN_BASE64}),
    ({"docker": {"port": " 02376 "}}, GOOD),
    ({"docker": {"port": 1}}, GOOD),
    ({"docker": {"port": 65535}}, GOOD),
    ({"docker": {"port": "65535"}}, GOOD),
    ({"docker": {"options": []}}, None),
    ({"docker": {"options": ["-D", "--label='a b'", "--mtu\t1400"]}}, None),
    ({}, GOOD),
    ({"docker": {"port": 2376, "colour": "red"}, "unknown": 1}, {**GOOD, "also": []}),
    ({"docker": {"source": None, "version": None, "mirror": None, "signing-key": None}}, None),
    ({"docker": {"source": "docker", "version": " 28.1 ", "mirror": "https://mirror.example:8443/docker/"}}, None),
    ({"docker": {"source": "distro", "version": "latest", "remove-data-on-uninstall": True}}, None),
    ({"docker": {"version": "", "mirror": "", "signing-key": ""}}, None),
    ({"docker": {"daemon": None, "registry-mirrors": None, "proxy": None, "defaults": None}}, {"proxy": None}),
    ({"docker": {"daemon": {"debug": True, "bip": "10.9.0.1/16", "log-opts": {}}}}, None),
    ({"docker": {"registry-mirrors": ["https://one.example"], "insecure-registries": []}}, None),
    ({"docker": {"proxy": {"http": "http://proxy.example:3128", "no": "localhost, 10.0.0.0/8"}}}, None),
    ({}, {"proxy": {"http": "", "https": "http://user:word@proxy.example:3128/", "no": ""}}),
    *(
        ({"docker": {"data-disk": disk}}, None)
        for disk in (True, False, None, 0, 63, "7", " 63 ", "/dev/disk/azure/lun0")
    ),
    ({"docker": {"users": []}, "compose": None, "compose-environment": None, "azure-environment": None}, None),
    ({"docker": {"users": ["bob", "_x.y-z$"]}, "azure-environment": "AzureCloud", "compose-remove": True}, None),
    ({"compose": {"web": {"image": "web:1"}}, "compose-environment": {"A_1": "", "b": "two"}}, None),
    ({"compose": "services: {}", "azure-environment": ""}, {"environment": {"A": "x"}}),
    ({"compose": {}}, {"login": {"server": "r.example:5000", "username": "u", "password": "p w", "email": 1}}),
    ({}, {"login": {"server": "", "username": "", "password": "", "email": ""}}),
    ({}, {"login": {}, "logins": [{"username": "u", "password": "p"}], "environment": None}),
    ({"docker": {"defaults": {"icc": False, "ulimits": True, "live-restore": None, "other": 1}}}, None),
)
BAD_DAEMONS: tuple[object, ...] = ([], "text", {"hosts": []}, {"tls": True}, {"debug": None})
BAD_DISKS: tuple[object, ...] = (64, -1, "64", "sdb", "/dev/../etc", 1.5, [])
REFUSED: tuple[tuple[object, object], ...] = (
    ([], None),
    ("text", None),
    ({}, []),
    ({"docker": []}, None),
    ({"docker": "2376"}, None),
    ({"docker": {"port": 0}}, GOOD),
    ({"docker": {"port": 65536}}, GOOD),
    ({"docker": {"port": "65536"}}, GOOD),
    ({"docker": {"port": "0"}}, GOOD),
    ({"docker": {"port": "000000080"}}, GOOD),
    ({"docker": {"port": ""}}, GOOD),
    ({"docker": {"port": "http"}}, GOOD),
    ({"docker": {"port": "-1"}}, GOOD),
    ({"docker": {"port": 23.5}}, GOOD),
    ({"docker": {"port": True}}, GOOD),
    ({"docker": {"port": [2376]}}, GOOD),
    ({"docker": {"port": 2376}}, None),
    ({"docker": {"port": 2376}}, {}),
    ({"docker": {"port": 2376}}, {"certs": None}),
    ({"docker": {"options": "-D"}}, None),
    ({"docker": {"options": [1]}}, None),
    ({"docker": {"options": [None]}}, None),
    ({"docker": {"options": ["--label=a\x00b"]}}, None),
    ({}, {"certs": []}),
    ({}, {"certs": {}}),
    ({}, {"certs": {"ca": CERT, "cert": CERT}}),
    ({}, {"certs": {**CERTS, "key": None}}),
    ({}, {"certs": {**CERTS, "key": 1}}),
    ({}, {"certs": {**CERTS, "key": "no pem"}}),
    ({}, {"certs": {**CERTS, "key": ""}}),
    ({"docker": {"source": "docker.io"}}, None),
    ({"docker": {"version": "28.1; reboot"}}, None),
    ({"docker": {"version": 28.1}}, None),
    ({"docker": {"mirror": "https://user:word@mirror.example"}}, None),
    ({"docker": {"mirror": "ftp://mirror.example"}}, None),
    ({"docker": {"signing-key": 1}}, None),
    ({"docker": {"remove-data-on-uninstall": "yes"}}, None),
    *(({"docker": {"daemon": daemon}}, None) for daemon in BAD_DAEMONS),
    ({"docker": {"registry-mirrors": "https://one.example"}}, None),
    ({"docker": {"insecure-registries": [1]}}, None),
    ({"docker": {"proxy": "http://proxy.example"}}, None),
    ({"docker": {"proxy": {"http": "proxy.example"}}}, None),
    ({"docker": {"proxy": {"https": "http://user:word@proxy.example"}}}, None),
    ({}, {"proxy": {"no": "a'b"}}),
    *(({"docker": {"data-disk": disk}}, None) for disk in BAD_DISKS),
    ({"docker": {"defaults": []}}, None),
    ({"docker": {"users": "bob"}}, None),
    ({"docker": {"users": ["bob; reboot"]}}, None),
    ({"compose": []}, None),
    ({"compose": 1}, None),
    ({"compose-environment": {"A": 1}}, None),
    ({"compose-environment": {"A-B": "x"}}, None),
    ({"compose-remove": "yes"}, None),
    ({"azure-environment": "Mars"}, None),
    ({}, {"environment": {"A": None}}),
    ({}, {"login": {"server": "r.example", "username": "u"}}),
    ({}, {"login": {"server": "--flag", "username": "u", "password": "p"}}),
    ({}, {"login": {"username": "-u", "password": "p"}}),
    ({}, {"login": []}),
    ({}, {"logins": [{}]}),
    ({}, {"logins": {"username": "u", "password": "p"}}),
    ({"docker": {"defaults": {"icc": "false"}}}, None),
)
BEYOND_THE_SCHEMA: tuple[tuple[object, object], ...] = (
    ({"docker": {"options": ["--tls=false"]}}, None),
    ({"docker": {"options": ["-H", "tcp://0.0.0.0:2375"]}}, None),
    ({"docker": {"options": ["--label='a"]}}, None),
    ({}, {"certs": {**CERTS, "key": CERT}}),
    ({"docker": {"signing-key": "no key"}}, None),
    ({}, {"login": {"username": "u", "password": "p"}, "logins": [{"username": "v", "password": "p"}]}),
    ({"docker": {"source": "distro", "mirror": "https://mirror.example"}}, None),
    ({"docker": {"mirror": "http://mirror.example"}}, None),
    ({"docker": {"registry-mirrors": [], "daemon": {"registry-mirrors": []}}}, None),
    ({"docker": {"options": ["--debug"], "daemon": {"debug": True}}}, None),
    ({"docker": {"data-disk": True, "daemon": {"data-root": "/data"}}}, None),
)


def parser_accepts(public: object, protected: object) -> bool:
    """What the handler makes of settings, read from the documents the agent would hand over."""
    document = json.dumps({"runtimeSettings": [{"handlerSettings": {"publicSettings": public}}]})
    try:
        shown = parse_settings(document, document="0.settings").public or public_settings({}, document="0.settings")
        hidden = parse_protected("{}" if protected is None else json.dumps(protected), document="0.settings")
        parse_docker_settings(PlainSettings(public=shown, protected=hidden))
    except (GuestError, MalformedDocument):
        return False
    return True


def schema_accepts(public: object, protected: object) -> bool:
    settings = {"publicSettings": public, "protectedSettings": protected}
    return bool(Draft202012Validator(SCHEMA).is_valid(settings))


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(("public", "protected"), ACCEPTED)
def test_both_accept(public: object, protected: object) -> None:
    assert (parser_accepts(public, protected), schema_accepts(public, protected)) == (True, True)


@pytest.mark.parametrize(("public", "protected"), REFUSED)
def test_both_refuse(public: object, protected: object) -> None:
    assert (parser_accepts(public, protected), schema_accepts(public, protected)) == (False, False)


@pytest.mark.parametrize(("public", "protected"), BEYOND_THE_SCHEMA)
def test_what_a_schema_cannot_say_the_parser_refuses(public: object, protected: object) -> None:
    assert (parser_accepts(public, protected), schema_accepts(public, protected)) == (False, True)


def members(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """Paths of the members a schema describes, without the objects that only hold others."""
    for name, part in schema.get("properties", {}).items():
        reference = part.get("$ref", "").removeprefix("#/$defs/")
        inner = {**SCHEMA["$defs"].get(reference, {}), **part}
        here = name if path in ("", "publicSettings", "protectedSettings") else f"{path}.{name}"
        below = list(members(inner, here))
        yield from below or [here]


def test_the_parser_knows_every_member_of_the_schema() -> None:
    public = public_settings(nested(members(SCHEMA["properties"]["publicSettings"])), document="x")
    protected = json.dumps(nested(members(SCHEMA["properties"]["protectedSettings"])))
    read = parse_docker_settings(PlainSettings(public=public, protected=parse_protected(protected, document="x")))
    assert read.ignored == ()


def test_the_schema_knows_every_member_of_the_parser() -> None:
    docker = SCHEMA["$defs"]["docker"]["properties"]
    assert set(docker) == {"port", "options", "users"} | NAMES | ENGINE_MEMBERS
    assert set(SCHEMA["properties"]["publicSettings"]["properties"]) == {"docker"} | COMPOSE_MEMBERS
    assert set(docker["defaults"]["properties"]) == SWITCH_NAMES


def nested(paths: Iterable[str]) -> dict[str, Any]:
    """An object in which every path is there, and null."""
    found: dict[str, Any] = {}
    for path in paths:
        *above, name = path.split(".")
        inner = found
        for part in above:
            inner = inner.setdefault(part, {})
        inner[name] = None
    return {name: None if name == "certs" else value for name, value in found.items()}


def test_the_reference_page_has_a_line_for_every_member() -> None:
    told = set(re.findall(r"^\| `([a-z.-]+)` \|", PAGE, re.MULTILINE))
    assert told == set(members(SCHEMA))

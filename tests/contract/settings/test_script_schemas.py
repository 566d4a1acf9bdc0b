"""The published schemas of all settings but Docker's, and the handlers' parsers, say the same about every sample."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dockyard_contract.errors import MalformedDocument
from dockyard_contract.settings import parse_protected, parse_settings, public_settings
from dockyard_guest.errors import GuestError
from dockyard_guest.handlers.custom_script import settings as custom_script
from dockyard_guest.handlers.run_command import settings as run_command
from dockyard_guest.handlers.vmaccess import settings as vmaccess
from dockyard_guest.values import PlainSettings

REFERENCE = Path(__file__).parents[3] / "docs/reference"
PACKED = base64.b64encode(b"echo hi").decode()
COMMAND = {"commandToExecute": "make"}
SOURCE = {"source": {"script": "make"}}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPlBRUJbNF3Gqi/ciS0k9qyNnLezu/3Ayssp9/SOpZM6 me"
BOB = {"username": "bob", "ssh_key": KEY}
Sample = tuple[str, object, object]

PARSERS: dict[str, Callable[[PlainSettings], object]] = {
    "custom-script": custom_script.parse_custom_script,
    "run-command": run_command.parse_run_command,
    "vmaccess": vmaccess.parse_vmaccess,
}
ACCEPTED: tuple[Sample, ...] = (
    ("custom-script", COMMAND, None),
    ("custom-script", None, COMMAND),
    ("custom-script", {"script": PACKED, "commandToExecute": None}, {}),
    ("custom-script", {**COMMAND, "fileUris": ["http://a.example/b", "https://a.example:8443/c?sig=d"]}, None),
    ("custom-script", {**COMMAND, "fileUris": []}, {"proxy": "http://user:word@proxy.example:3128"}),
    (
        "custom-script",
        {**COMMAND, "timestamp": 1, "skipDos2Unix": True, "runAsUser": "bob", "timeoutInSeconds": 1},
        None,
    ),
    ("custom-script", {**COMMAND, "fileUris": ["https://a.example/b"], "sha256": {"b": "aB" * 32}}, None),
    ("custom-script", {**COMMAND, "proxy": "", "runAsUser": "", "sha256": None, "timestamp": None}, {"script": None}),
    ("run-command", SOURCE, None),
    ("run-command", None, SOURCE),
    ("run-command", {"source": {"scriptUri": "https://a.example/b", "script": ""}}, {"sourceSASToken": "sig=x"}),
    ("run-command", {**SOURCE, "parameters": [{"name": "A_1", "value": ""}, {"value": "x y"}]}, None),
    ("run-command", SOURCE, {"protectedParameters": [{"name": "A", "value": "x"}], "runAsPassword": "x"}),
    ("run-command", {**SOURCE, "asyncExecution": True, "installAsService": False, "timeoutInSeconds": None}, None),
    (
        "run-command",
        {**SOURCE, "outputBlobUri": "https://a.example/b", "errorBlobUri": ""},
        {"outputBlobSASToken": "?x"},
    ),
    (
        "run-command",
        {**SOURCE, "artifacts": [{"id": 1, "uri": "https://a.example/b", "fileName": None}]},
        {"artifacts": [{"id": 1, "sasToken": "sig=x"}]},
    ),
    ("vmaccess", {}, BOB),
    ("vmaccess", None, {**BOB, "ssh_key": [KEY, KEY], "remove_prior_keys": "True", "password": ""}),
    ("vmaccess", None, {"username": "azureUser", "password": "a word: of course", "expiration": "2031-02-03"}),
    ("vmaccess", None, {"username": "b.ob", "sudo": False, "ssh_key": None, "expiration": ""}),
    ("vmaccess", None, {"username": "bob", "enable_passwordless_access": True, "expiration": "never"}),
    ("vmaccess", None, {"remove_user": "bob", "password": "", "reset_ssh": "false"}),
    ("vmaccess", None, {"reset_ssh": True}),
    ("vmaccess", None, {"restore_backup_ssh": "true"}),
    ("vmaccess", {"check_disk": "true"}, None),
    ("vmaccess", {"repair_disk": True, "disk_name": "/dev/disk/by-id/a:b+c"}, None),
)
REFUSED: tuple[Sample, ...] = (
    ("custom-script", {**COMMAND, "colour": "red"}, None),
    ("custom-script", COMMAND, {"colour": "red"}),
    ("custom-script", {"commandToExecute": 1}, None),
    ("custom-script", {"commandToExecute": "a\0b"}, None),
    ("custom-script", {"script": "%%%"}, None),
    ("custom-script", {"script": "A" * 262148}, None),
    ("custom-script", {**COMMAND, "fileUris": "https://a.example/b"}, None),
    ("custom-script", {**COMMAND, "fileUris": ["ftp://a.example/b"]}, None),
    ("custom-script", {**COMMAND, "fileUris": ["https:///b"]}, None),
    ("custom-script", {**COMMAND, "proxy": "proxy.example"}, None),
    ("custom-script", {**COMMAND, "timestamp": "now"}, None),
    ("custom-script", {**COMMAND, "skipDos2Unix": "true"}, None),
    ("custom-script", {**COMMAND, "runAsUser": "bob; reboot"}, None),
    ("custom-script", {**COMMAND, "timeoutInSeconds": 0}, None),
    ("custom-script", {**COMMAND, "sha256": {"b": "short"}}, None),
    ("custom-script", COMMAND, {"storageAccountName": "a"}),
    ("custom-script", COMMAND, {"storageAccountKey": "a"}),
    ("custom-script", COMMAND, {"managedIdentity": {}}),
    ("run-command", {"source": {"script": "x", "commandId": "y"}}, None),
    ("run-command", {"source": "make"}, None),
    ("run-command", {**SOURCE, "colour": "red"}, None),
    ("run-command", {**SOURCE, "parameters": {"A": "x"}}, None),
    ("run-command", {**SOURCE, "parameters": [{"name": "A"}]}, None),
    ("run-command", {**SOURCE, "parameters": [{"name": "A-B", "value": "x"}]}, None),
    ("run-command", {**SOURCE, "parameters": [{"name": "A", "value": 1}]}, None),
    ("run-command", SOURCE, {"protectedParameters": [{"value": "x"}]}),
    ("run-command", SOURCE, {"protectedParameters": [{"name": "", "value": "x"}]}),
    ("run-command", {**SOURCE, "installAsService": True}, None),
    ("run-command", {**SOURCE, "asyncExecution": "true"}, None),
    ("run-command", {**SOURCE, "timeoutInSeconds": 2592001}, None),
    ("run-command", {**SOURCE, "outputBlobUri": "blob"}, None),
    ("run-command", {**SOURCE, "artifacts": [{"uri": "https://a.example/b"}]}, None),
    ("run-command", SOURCE, {"sourceManagedIdentity": {}}),
    ("vmaccess", {"password": "x"}, BOB),
    ("vmaccess", None, {**BOB, "colour": "red"}),
    ("vmaccess", None, {**BOB, "username": "bob; reboot"}),
    ("vmaccess", None, {**BOB, "username": "-bob"}),
    ("vmaccess", None, {**BOB, "username": "ALL"}),
    ("vmaccess", None, {**BOB, "username": 7}),
    ("vmaccess", None, {**BOB, "ssh_key": 7}),
    ("vmaccess", None, {**BOB, "ssh_key": [7]}),
    ("vmaccess", None, {**BOB, "password": "two\nlines"}),
    ("vmaccess", None, {**BOB, "password": "x" * 257}),
    ("vmaccess", None, {**BOB, "expiration": "3 Feb 2031"}),
    ("vmaccess", None, {**BOB, "remove_prior_keys": "yes"}),
    ("vmaccess", None, {"reset_ssh": 1}),
    ("vmaccess", {"repair_disk": True, "disk_name": "sdb1; reboot"}, None),
)
BEYOND_THE_SCHEMA: tuple[Sample, ...] = (
    ("custom-script", {}, None),
    ("custom-script", {**COMMAND, "script": PACKED}, None),
    ("custom-script", COMMAND, COMMAND),
    ("custom-script", {"script": PACKED[:-1]}, None),
    ("custom-script", {**COMMAND, "fileUris": ["https://a.example/b", "https://c.example/b"]}, None),
    ("custom-script", {**COMMAND, "fileUris": ["https://a.example/stdout"]}, None),
    ("custom-script", {**COMMAND, "sha256": {"b": "0" * 64}}, None),
    ("run-command", {}, None),
    ("run-command", {"source": {}}, None),
    ("run-command", SOURCE, SOURCE),
    ("run-command", {**SOURCE, "parameters": [{"name": "A", "value": "x"}] * 2}, None),
    ("run-command", SOURCE, {"artifacts": [{"id": 1, "sasToken": "x"}]}),
    ("vmaccess", {}, {}),
    ("vmaccess", None, {"username": "bob"}),
    ("vmaccess", None, {"ssh_key": KEY}),
    ("vmaccess", None, {"password": "x"}),
    ("vmaccess", None, {**BOB, "ssh_key": "no key"}),
    ("vmaccess", None, {**BOB, "expiration": "2031-02-30"}),
    ("vmaccess", None, {**BOB, "password": "é" * 200}),
    ("vmaccess", None, {"username": "bob", "password": "x", "remove_prior_keys": True}),
    ("vmaccess", None, {**BOB, "remove_user": "carol"}),
    ("vmaccess", None, {"remove_user": "bob", "reset_ssh": True}),
    ("vmaccess", None, {"remove_user": "bob", "password": "x"}),
    ("vmaccess", None, {"reset_ssh": True, "restore_backup_ssh": True}),
    ("vmaccess", None, {**BOB, "sudo": False, "enable_passwordless_access": True}),
    ("vmaccess", {"check_disk": True, "repair_disk": True, "disk_name": "sdb1"}, None),
    ("vmaccess", {"repair_disk": True}, None),
    ("vmaccess", {"disk_name": "sdb1"}, None),
)


def schema_of(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((REFERENCE / f"{name}-settings.schema.json").read_text())
    return schema


def parser_accepts(name: str, public: object, protected: object) -> bool:
    """What the handler makes of settings, read from the documents the agent would hand over."""
    document = json.dumps({"runtimeSettings": [{"handlerSettings": {"publicSettings": public}}]})
    try:
        shown = parse_settings(document, document="0.settings").public or public_settings({}, document="0.settings")
        hidden = parse_protected("{}" if protected is None else json.dumps(protected), document="0.settings")
        PARSERS[name](PlainSettings(public=shown, protected=hidden))
    except (GuestError, MalformedDocument):
        return False
    return True


def schema_accepts(name: str, public: object, protected: object) -> bool:
    settings = {"publicSettings": public, "protectedSettings": protected}
    return bool(Draft202012Validator(schema_of(name)).is_valid(settings))


@pytest.mark.parametrize("name", PARSERS)
def test_the_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(schema_of(name))


@pytest.mark.parametrize(("name", "public", "protected"), ACCEPTED)
def test_both_accept(name: str, public: object, protected: object) -> None:
    assert (parser_accepts(name, public, protected), schema_accepts(name, public, protected)) == (True, True)


@pytest.mark.parametrize(("name", "public", "protected"), REFUSED)
def test_both_refuse(name: str, public: object, protected: object) -> None:
    assert (parser_accepts(name, public, protected), schema_accepts(name, public, protected)) == (False, False)


@pytest.mark.parametrize(("name", "public", "protected"), BEYOND_THE_SCHEMA)
def test_what_a_schema_cannot_say_the_parser_refuses(name: str, public: object, protected: object) -> None:
    assert (parser_accepts(name, public, protected), schema_accepts(name, public, protected)) == (False, True)


def test_schema_and_parser_know_the_same_members() -> None:
    for name, module in (("custom-script", custom_script), ("run-command", run_command), ("vmaccess", vmaccess)):
        parts = schema_of(name)["properties"]
        assert set(parts["publicSettings"]["properties"]) == set(module.PUBLIC_MEMBERS)
        assert set(parts["protectedSettings"]["properties"]) == set(module.PROTECTED_MEMBERS)


@pytest.mark.parametrize("name", PARSERS)
def test_the_reference_page_has_a_line_for_every_member(name: str) -> None:
    page = (REFERENCE / f"{name}.md").read_text()
    told = set(re.findall(r"^\| `([A-Za-z0-9._]+)` \|", page, re.MULTILINE))
    assert told == set(members(name))


def members(name: str) -> Iterator[str]:
    schema = schema_of(name)
    for part in schema["properties"].values():
        for member in part["properties"]:
            inner = schema["$defs"].get(member, {}).get("properties", {})
            yield from (f"{member}.{below}" for below in inner) if inner else [member]

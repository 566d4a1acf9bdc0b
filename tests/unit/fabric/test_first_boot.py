"""What a machine is given at its first boot, and at no other: custom data, and the hash of a password."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from email.message import Message
from email.parser import BytesParser
from typing import Any

import pytest

from dockyard.fabric import first_boot
from dockyard.model.virtual_machine import VirtualMachine
from dockyard_contract.documents import parse_xml
from tests.support.values import a_machine

HASH = "$6$rounds=50000$salt$digest"
WA = "{http://schemas.microsoft.com/windowsazure}"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def machine(*, user_data: str | None = None, provisioned: bool = False, **profile: Any) -> VirtualMachine:
    made = a_machine()
    own = replace(made.os_profile, **profile)
    return replace(made, os_profile=own, user_data=user_data, provisioned=provisioned)


def custom_data(made: VirtualMachine) -> bytes:
    text = first_boot.disc(made)["ovf-env.xml"].decode()
    encoded = text.partition("<wa:CustomData>")[2].partition("<")[0]
    return base64.b64decode(encoded)


def parts(made: VirtualMachine) -> list[Message]:
    whole = BytesParser().parsebytes(custom_data(made))
    return [part for part in whole.walk() if not part.is_multipart()]


@pytest.mark.parametrize(
    "made",
    [
        machine(),
        machine(user_data=b64("data")),
        machine(custom_data=b64("x"), password_hash=HASH, provisioned=True),
    ],
)
def test_a_machine_without_either_or_that_has_booted_gets_no_disc(made: VirtualMachine) -> None:
    assert first_boot.disc(made) == {}


def test_custom_data_arrives_as_it_was_given() -> None:
    made = machine(custom_data=b64("#cloud-config\n{}\n"))
    assert custom_data(made) == b"#cloud-config\n{}\n"
    root = parse_xml(first_boot.disc(made)["ovf-env.xml"], document="ovf", root="Environment")
    assert root is not None
    assert b">true</wa:DisableSshPasswordAuthentication>" in first_boot.disc(made)["ovf-env.xml"]


def test_a_password_is_a_hash_in_a_config_of_its_own() -> None:
    made = machine(password_hash=HASH)
    (config,) = parts(made)
    assert config.get_content_type() == "text/cloud-config"
    text = config.get_payload(decode=True)
    assert isinstance(text, bytes)
    first, _, rest = text.decode().partition("\n")
    assert first == "#cloud-config"
    assert json.loads(rest)["user"] == {"hashed_passwd": HASH, "lock_passwd": False}
    assert b">false</wa:DisableSshPasswordAuthentication>" in first_boot.disc(made)["ovf-env.xml"]
    assert b"UserPassword" not in first_boot.disc(made)["ovf-env.xml"]


@pytest.mark.parametrize(
    ("data", "kinds"),
    [
        (b"#!/bin/sh\necho hi\n", ["text/x-not-multipart"]),
        (b"\x1f\x8bxx", ["application/gzip"]),
        (b'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/x-shellscript\n\n#!x\n--b--\n', None),
    ],
)
def test_the_users_data_comes_first_and_whole(data: bytes, kinds: list[str] | None) -> None:
    made = machine(custom_data=base64.b64encode(data).decode(), password_hash=HASH)
    found = parts(made)
    assert [part.get_content_type() for part in found] == [*(kinds or ["text/x-shellscript"]), "text/cloud-config"]
    payload = found[0].get_payload(decode=True)
    assert payload == (data if kinds else b"#!x")


def test_user_data_counts_where_there_is_no_custom_data() -> None:
    made = machine(user_data=b64("#!/bin/sh\n"), password_hash=HASH)
    assert parts(made)[0].get_payload(decode=True) == b"#!/bin/sh\n"


def test_names_are_escaped() -> None:
    made = machine(computer_name="a<b", custom_data=b64("x"))
    assert b"<wa:HostName>a&lt;b</wa:HostName>" in first_boot.disc(made)["ovf-env.xml"]

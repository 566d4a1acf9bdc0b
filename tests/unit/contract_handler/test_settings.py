"""The settings file in every form the agent writes it, and in forms nobody should."""

from __future__ import annotations

import pytest

from dockyard_contract.errors import MalformedDocument
from dockyard_contract.settings import (
    HandlerSettings,
    dump_settings,
    parse_protected,
    parse_settings,
    public_settings,
)

PLACE = "runtimeSettings[0].handlerSettings"


def wrapped(members: str) -> str:
    return f'{{"runtimeSettings":[{{"handlerSettings":{members}}}]}}'


@pytest.mark.parametrize(
    "settings",
    [
        HandlerSettings(),
        HandlerSettings(public=public_settings({"a": [1, None]}, document="0.settings")),
        HandlerSettings(protected="AAAA", thumbprint="F" * 40),
        HandlerSettings(public=public_settings({}, document="0.settings"), protected="AAAA", thumbprint="F" * 40),
        HandlerSettings(thumbprint="F" * 40),
    ],
)
def test_settings_survive_the_way_through_a_file(settings: HandlerSettings) -> None:
    assert parse_settings(dump_settings(settings), document="0.settings") == settings


@pytest.mark.parametrize(
    "text",
    [
        b"",
        wrapped("null"),
        wrapped("{}"),
        wrapped('{"publicSettings":null,"protectedSettings":null,"protectedSettingsCertThumbprint":null}'),
        wrapped('{"protectedSettings":""}'),
        '{"runtimeSettings":[{}]}',
    ],
)
def test_parts_that_are_null_or_absent_are_none(text: str) -> None:
    assert parse_settings(text, document="0.settings") == HandlerSettings()


def test_protected_settings_may_be_null_beside_a_thumbprint() -> None:
    found = parse_settings(
        wrapped('{"protectedSettings":null,"protectedSettingsCertThumbprint":"AB"}'), document="0.settings"
    )
    assert not found.has_protected
    assert found.thumbprint == "AB"


def test_only_the_first_element_counts() -> None:
    text = '{"runtimeSettings":[{"handlerSettings":{"publicSettings":{"a":1}}},{"handlerSettings":3}]}'
    public = parse_settings(text, document="0.settings").public
    assert public is not None
    assert public.integer("a") == 1


@pytest.mark.parametrize(
    ("text", "member", "expected"),
    [
        ("3", "", "an object"),
        ("{}", "runtimeSettings", "a member of this name"),
        ('{"runtimeSettings":{}}', "runtimeSettings", "an array"),
        ('{"runtimeSettings":[]}', "runtimeSettings", "one element"),
        ('{"runtimeSettings":[3]}', "runtimeSettings[0]", "an object"),
        (wrapped("[]"), PLACE, "an object"),
        (wrapped('{"publicSettings":"{}"}'), f"{PLACE}.publicSettings", "an object"),
        (wrapped('{"protectedSettings":{}}'), f"{PLACE}.protectedSettings", "a string"),
        (
            wrapped('{"protectedSettings":"AAAA"}'),
            f"{PLACE}.protectedSettings",
            "protectedSettingsCertThumbprint beside it",
        ),
        (
            wrapped('{"protectedSettingsCertThumbprint":5}'),
            f"{PLACE}.protectedSettingsCertThumbprint",
            "a string",
        ),
    ],
)
def test_a_malformed_file_is_named_with_its_member(text: str, member: str, expected: str) -> None:
    with pytest.raises(MalformedDocument) as caught:
        parse_settings(text, document="7.settings")
    assert (caught.value.document, caught.value.member, caught.value.expected) == ("7.settings", member, expected)


def test_decrypted_settings_stand_where_the_envelope_stood() -> None:
    with pytest.raises(MalformedDocument) as caught:
        parse_protected(b'{"certs": 1}', document="7.settings").object("certs")
    assert caught.value.member == f"{PLACE}.protectedSettings.certs"


@pytest.mark.parametrize("plaintext", [b"canary-91", b'["canary-91"]', b'"canary-91', b"\xffcanary-91"])
def test_decrypted_settings_that_are_no_object_are_not_quoted(plaintext: bytes) -> None:
    with pytest.raises(MalformedDocument) as caught:
        parse_protected(plaintext, document="7.settings")
    assert "canary" not in str(caught.value) + repr(caught.value.__context__)

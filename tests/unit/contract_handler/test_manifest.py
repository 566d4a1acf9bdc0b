"""The handler manifest: both ways, the agent's leniency, and what it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

import dockyard_guest.handlers.docker
from dockyard_contract.environment import Command
from dockyard_contract.errors import MalformedDocument
from dockyard_contract.manifest import HandlerManifest, UpdateMode, dump_manifest, parse_manifest

COMMANDS = {command: f"bin/handler {command.value}" for command in Command}


@pytest.mark.parametrize(
    "manifest",
    [
        HandlerManifest(),
        HandlerManifest(commands={Command.ENABLE: "bin/x enable"}, report_heartbeat=True),
        HandlerManifest(
            commands=COMMANDS,
            update_mode=UpdateMode.WITHOUT_INSTALL,
            continue_on_update_failure=True,
            supports_multiple_extensions=True,
            reboot_after_install=True,
        ),
    ],
)
def test_a_manifest_survives_the_way_through_a_file(manifest: HandlerManifest) -> None:
    assert parse_manifest(dump_manifest(manifest)) == manifest


@pytest.mark.parametrize("word", ["UpdateWithoutInstall", "updatewithoutinstall", "UPDATEWITHOUTINSTALL"])
def test_the_update_mode_is_compared_as_the_agent_does(word: str) -> None:
    manifest = parse_manifest(f'[{{"handlerManifest":{{"updateMode":"{word}"}}}}]')
    assert manifest.update_mode is UpdateMode.WITHOUT_INSTALL
    assert not manifest.update_mode.runs_install


@pytest.mark.parametrize("value", ["true", '"true"', "1", '"false"'])
def test_any_true_value_turns_on_multiple_extensions_as_for_the_agent(value: str) -> None:
    assert parse_manifest(
        f'[{{"handlerManifest":{{"supportsMultipleExtensions":{value}}}}}]'
    ).supports_multiple_extensions


@pytest.mark.parametrize(
    ("text", "member", "expected"),
    [
        ("{}", "", "an array"),
        ("[]", "", "one element"),
        ("[{}]", "[0].handlerManifest", "a member of this name"),
        ('[{"handlerManifest":{"enableCommand":1}}]', "[0].handlerManifest.enableCommand", "a string"),
        (
            '[{"handlerManifest":{"updateMode":"x"}}]',
            "[0].handlerManifest.updateMode",
            "one of UpdateWithInstall, UpdateWithoutInstall",
        ),
    ],
)
def test_a_malformed_file_is_named_with_its_member(text: str, member: str, expected: str) -> None:
    with pytest.raises(MalformedDocument) as caught:
        parse_manifest(text)
    assert (caught.value.document, caught.value.member) == ("HandlerManifest.json", member)
    assert caught.value.expected == expected


def test_the_docker_extensions_manifest_starts_its_own_program_for_every_command() -> None:
    package = Path(dockyard_guest.handlers.docker.__file__).parent / "package"
    manifest = parse_manifest((package / "HandlerManifest.json").read_bytes())
    for command in Command:
        program, verb = manifest.commands[command].split()
        assert program == "bin/docker-extension"
        assert verb == command.value
    assert manifest.continue_on_update_failure

"""``dockyard vm open-port`` and ``close-port`` against the API itself."""

from __future__ import annotations

import json

import pytest

from tests.contract.arm.conftest import Cli
from tests.support.arm_api import Api
from tests.support.fabric import machine_request

# The SDK's connection pools close their sockets only when they are collected.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
async def machine(api: Api) -> None:
    """The machine ``web``, which every command is about."""
    api.world.fabric.virtual_machines.create(request=machine_request(), only_if_absent=True)


async def test_a_port_is_opened_shown_and_closed(cli: Cli, api: Api) -> None:
    opened = await cli("vm", "open-port", "web", "--port", "80,8080", "--output", "json")
    assert opened.code == 0, opened.err
    assert json.loads(opened.out) == {"rule": "open-port-80-8080", "forwards": ["24500:80", "8080:8080"]}
    assert "127.0.0.1:24500 (in the machine 80), 127.0.0.1:8080" in (await cli("vm", "show", "web")).out
    assert (await cli("vm", "close-port", "web", "--rule", "open-port-80-8080")).code == 0
    assert not [each for each in api.world.machine().network.forwards if each.opened]


async def test_rules_get_priorities_of_their_own_and_may_be_given_again(cli: Cli, api: Api) -> None:
    for port in ("8080", "8081", "8080"):
        assert (await cli("vm", "open-port", "web", "--port", port)).code == 0
    shown = (await cli("vm", "open-port", "web", "--port", "5353", "--protocol", "udp", "--priority", "700")).out
    assert "open-port-5353-udp" in shown
    (group,) = api.world.fabric.networks.list(type="Microsoft.Network/networkSecurityGroups")
    rules = {each["name"]: each["properties"]["priority"] for each in group.children("securityRules")}
    own = {name: priority for name, priority in rules.items() if name.startswith("open-port")}
    assert own == {"open-port-8080": 900, "open-port-8081": 901, "open-port-5353-udp": 700}


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("open-port", "web", "--port", "eighty"), 2, "invalid Port range. Value provided: eighty"),
        (("open-port", "web", "--port", "1-999"), 2, "64 are the most"),
        (("open-port", "nope", "--port", "80"), 3, "nope"),
        (("close-port", "web", "--rule", "none"), 3, "no rule 'none'"),
    ],
)
async def test_what_cannot_be_is_said(cli: Cli, words: tuple[str, ...], code: int, text: str) -> None:
    done = await cli("vm", *words)
    assert text in done.err
    assert done.code == code, done.err

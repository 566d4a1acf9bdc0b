"""``dockyard principal`` and ``dockyard role`` against the API itself."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.contract.arm.conftest import Cli
from tests.support.arm_api import Api
from tests.support.callers import RG, SUB
from tests.support.fabric import machine_request

# The SDK's connection pools close their sockets only when they are collected.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


async def test_a_principal_with_a_role_works_with_its_file_alone(
    cli: Cli, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.world.fabric.virtual_machines.create(request=machine_request(), only_if_absent=True)
    file = tmp_path / "reader.json"
    made = await cli("principal", "create", "auditor", "--role", "reader", "-g", "dockyard", "--credentials", str(file))
    assert made.code == 0, made.err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    secret = json.loads(file.read_text())["client_secret"]
    assert secret not in made.out + made.err
    listed = await cli("role", "assignment", "list", "--assignee", "auditor", "--output", "tsv")
    assert listed.out == f"auditor\tReader\t{RG}\n"
    monkeypatch.setenv("DOCKYARD_CREDENTIALS", str(file))
    assert "web" in (await cli("vm", "show", "web")).out
    refused = await cli("vm", "stop", "web")
    assert refused.code == 7
    assert "does not have authorization to perform action 'Microsoft.Compute/virtualMachines/powerOff" in refused.err
    assert (await cli("principal", "create", "another")).code == 7


async def test_a_secret_is_printed_once(cli: Cli) -> None:
    made = await cli("principal", "create", "ci", "--output", "json")
    first = json.loads(made.out)
    assert set(first) == {"name", "appId", "id", "createdOn", "password"}
    assert first["password"] not in made.err
    again = await cli("principal", "create", "ci")
    assert (again.code, "principal reset ci" in again.err) == (4, True)
    second = json.loads((await cli("principal", "reset", "ci", "--output", "json")).out)
    assert second["password"] != first["password"]
    assert "password" not in (await cli("principal", "list", "--output", "json")).out
    assert (await cli("principal", "list", "--quiet")).out.split() == ["ci", "dockyard"]
    assert (await cli("principal", "delete", "ci")).code == 0
    assert (await cli("principal", "delete", "ci")).code == 3
    assert (await cli("principal", "delete", "dockyard")).code == 4


async def test_roles_are_given_listed_and_taken_away(cli: Cli) -> None:
    await cli("principal", "create", "ci")
    given = await cli("role", "assignment", "create", "--assignee", "ci", "--role", "Contributor", "-g", "dockyard")
    assert given.code == 0, given.err
    assert (
        await cli("role", "assignment", "create", "--assignee", "ci", "--role", "Contributor", "-g", "dockyard")
    ).code == 4
    assert (await cli("role", "assignment", "create", "--assignee", "ci", "--role", "King")).code == 3
    assert (await cli("role", "assignment", "create", "--assignee", "nobody", "--role", "Reader")).code == 3
    table = (await cli("role", "assignment", "list")).out
    assert [line.split()[:2] for line in table.splitlines()] == [
        ["PRINCIPAL", "ROLE"],
        ["dockyard", "Owner"],
        ["ci", "Contributor"],
    ]
    where = ("--assignee", "ci", "--role", "contributor")
    assert (await cli("role", "assignment", "delete", *where)).code == 3
    gone = await cli("role", "assignment", "delete", *where, "--scope", f"{RG}/")
    assert (gone.code, f"Contributor at {RG}" in gone.err) == (0, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("principal", "create", "x", "-g", "dockyard"),
        ("principal", "create", "x", "--role", "Reader", "-g", "dockyard", "--scope", SUB),
        ("principal", "create", "x", "--role", "Reader", "--scope", "/subscriptions/other"),
        ("principal", "create", "x y"),
        ("principal", "create", "x", "--credentials", "/nonexistent/x.json"),
    ],
)
async def test_wrong_usage_makes_nothing(cli: Cli, arguments: tuple[str, ...]) -> None:
    assert (await cli(*arguments)).code == 2
    assert (await cli("principal", "list", "--quiet")).out.split() == ["dockyard"]


async def test_a_principal_whose_role_cannot_be_given_is_taken_back(cli: Cli) -> None:
    assert (await cli("principal", "create", "ci", "--role", "King")).code == 3
    assert (await cli("principal", "create", "ci", "--role", "Reader", "-g", "nowhere")).code == 3
    assert (await cli("principal", "list", "--quiet")).out.split() == ["dockyard"]

"""The official SDK runs scripts: the action of a machine, and run commands as resources below it."""

from __future__ import annotations

import ssl
from typing import Any

import httpx
import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.compute import ComputeManagementClient

from dockyard.arm.identity.principal import AUDIENCE
from tests.contract.arm.test_official_sdk import BODY
from tests.support.arm_api import Api

# The SDK's connection pools close their sockets only when they are collected.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
ACTION: Any = {
    "commandId": "RunShellScript",
    "script": ["echo $1", "uptime"],
    "parameters": [{"name": "arg1", "value": "one"}, {"name": "LEVEL", "value": "2"}],
}
COMMAND: Any = {
    "location": "local",
    "tags": {"team": "red"},
    "properties": {
        "source": {"script": "uptime"},
        "parameters": [{"name": "LEVEL", "value": "2"}],
        "protectedParameters": [{"name": "KEY", "value": "canary-77e1"}],
        "runAsPassword": "canary-77e1",
        "timeoutInSeconds": 60,
        "outputBlobUri": "https://blobs.example/out.txt?sig=canary-77e1",
    },
}


def with_machine(client: ComputeManagementClient) -> None:
    client.virtual_machines.begin_create_or_update("dockyard", "web", BODY).result()


async def test_the_action_answers_with_the_scripts_output(api: Api) -> None:
    def life(client: ComputeManagementClient) -> None:
        with_machine(client)
        result = client.virtual_machines.begin_run_command("dockyard", "web", ACTION).result()
        (value,) = result.value or []
        assert value.code == "ProvisioningState/succeeded"
        assert value.message == "Enable succeeded: \n[stdout]\nup 3 days\n\n[stderr]\n"
        assert list(client.virtual_machine_run_commands.list_by_virtual_machine("dockyard", "web")) == []

    await api.do(life)


async def test_a_run_command_through_its_whole_life(api: Api) -> None:
    def life(client: ComputeManagementClient) -> None:
        with_machine(client)
        commands = client.virtual_machine_run_commands
        made = commands.begin_create_or_update("dockyard", "web", "check", COMMAND).result()
        assert (made.provisioning_state, made.timeout_in_seconds) == ("Succeeded", 60)
        shown = commands.get_by_virtual_machine("dockyard", "web", "check", expand="instanceView")
        assert shown.instance_view is not None
        assert (shown.instance_view.execution_state, shown.instance_view.output) == ("Succeeded", "up 3 days\n")
        changed = commands.begin_update("dockyard", "web", "check", {"tags": {"team": "blue"}}).result()  # type: ignore[call-overload]
        assert (changed.tags, changed.timeout_in_seconds) == ({"team": "blue"}, 60)
        other = commands.begin_create_or_update("dockyard", "web", "other", COMMAND).result()
        assert other.name == "other"
        names = [command.name for command in commands.list_by_virtual_machine("dockyard", "web")]
        assert names == ["check", "other"]
        commands.begin_delete("dockyard", "web", "check").result()
        with pytest.raises(ResourceNotFoundError):
            commands.get_by_virtual_machine("dockyard", "web", "check")

    await api.do(life)


async def test_what_is_protected_never_comes_back(api: Api) -> None:
    def life(client: ComputeManagementClient) -> str:
        with_machine(client)
        commands = client.virtual_machine_run_commands
        made = commands.begin_create_or_update("dockyard", "web", "check", COMMAND).result()
        shown = commands.get_by_virtual_machine("dockyard", "web", "check", expand="instanceView")
        return f"{made.as_dict()}{shown.as_dict()}"

    told = await api.do(life)
    assert "canary-77e1" not in told
    assert "https://blobs.example/out.txt" in told


async def test_the_commands_of_the_action_are_listed(api: Api) -> None:
    def look(client: ComputeManagementClient) -> None:
        (listed,) = client.virtual_machine_run_commands.list("local")
        assert (listed.id, listed.os_type) == ("RunShellScript", "Linux")
        assert client.virtual_machine_run_commands.get("local", "RunShellScript").label
        with pytest.raises(ResourceNotFoundError):
            client.virtual_machine_run_commands.get("local", "Ipconfig")

    await api.do(look)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({**ACTION, "commandId": "RunPowerShellScript"}, "no run command 'RunPowerShellScript'"),
        ({**ACTION, "script": []}, "no script to run"),
        ({**ACTION, "script": "uptime"}, "script: expected an array"),
    ],
)
async def test_an_action_that_cannot_be_is_refused(api: Api, body: Any, told: str) -> None:
    def ask(client: ComputeManagementClient) -> None:
        with_machine(client)
        with pytest.raises(HttpResponseError, match=told) as caught:
            client.virtual_machines.begin_run_command("dockyard", "web", body).result()
        assert caught.value.status_code == 400

    await api.do(ask)


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({}, "properties.source"),
        ({"source": {"commandId": "x"}}, "exactly one of script and scriptUri"),
        ({"source": {"script": "x"}, "timeoutInSeconds": 0}, "timeoutInSeconds is 0"),
        ({"source": {"script": "x"}, "asyncExecution": "yes"}, "asyncExecution: expected true or false"),
        ({"source": {"script": "x"}, "parameters": [{"name": "A"}]}, "value: expected a member"),
        ({"source": {"script": "x"}, "outputBlobManagedIdentity": {}}, "not supported"),
    ],
)
async def test_a_run_command_that_cannot_be_is_refused_before_the_machine_hears_of_it(
    api: Api, properties: dict[str, Any], told: str
) -> None:
    def ask(client: ComputeManagementClient) -> None:
        with_machine(client)
        body: Any = {"location": "local", "properties": properties}
        with pytest.raises(HttpResponseError, match=told) as caught:
            client.virtual_machine_run_commands.begin_create_or_update("dockyard", "web", "check", body).result()
        assert caught.value.status_code == 400

    await api.do(ask)


async def test_the_answers_headers_are_azures(api: Api) -> None:
    await api.do(with_machine)
    token = (await _token(api)).encode()
    base = f"{api.endpoint}/subscriptions/{api.principal.subscription_id}/resourceGroups/dockyard/providers"
    url = f"{base}/Microsoft.Compute/virtualMachines/web/runCommand?api-version=2024-11-01"
    async with httpx.AsyncClient(
        verify=ssl.create_default_context(cafile=api.ca), headers={b"Authorization": b"Bearer " + token}
    ) as client:
        begun = await client.post(url, json=ACTION)
        assert (begun.status_code, begun.content) == (202, b"")
        assert begun.headers["location"] == f"{begun.headers['azure-asyncoperation']}&monitor=true"
        while (polled := await client.get(begun.headers["location"])).status_code == 202:
            pass
        status = (await client.get(begun.headers["azure-asyncoperation"])).json()
    assert polled.json()["value"][0]["level"] == "Info"
    assert status["properties"]["output"] == polled.json()


async def _token(api: Api) -> str:
    def ask(_client: ComputeManagementClient) -> str:
        with api.credential() as credential:
            return credential.get_token(f"{AUDIENCE}/.default").token

    return await api.do(ask)

"""What the server knows of one machine, by its route: for whoever may act on it, not for those who only look."""

from __future__ import annotations

from dockyard.model.role import CONTRIBUTOR, READER
from tests.contract.arm.test_official_sdk import BODY
from tests.support.callers import RG, Directory

VM = f"{RG}/providers/Microsoft.Compute/virtualMachines/web"
ACTION = f"{VM}/retrieveDiagnosticsData"


async def test_operations_goal_and_logs_are_given_without_secrets(calls: Directory) -> None:
    assert (await calls.owner.put(VM, BODY)).status_code == 201
    await calls.world.boot()
    extension = {
        "location": "local",
        "properties": {
            "publisher": "Microsoft.Azure.Extensions",
            "type": "DockerExtension",
            "typeHandlerVersion": "1.3",
            "protectedSettings": {"key": "canary-41c7"},
        },
    }
    assert (await calls.owner.put(f"{VM}/extensions/DockerExtension", extension)).status_code == 201
    answer = await calls.owner.post(ACTION)
    assert answer.status_code == 200
    found = answer.json()
    assert [each["kind"] for each in found["operations"]] == ["create-virtual-machine", "set-extension"]
    assert set(found["goalState"]["documents"]) == {
        *("goalState", "hostingEnvironmentConfig", "sharedConfig", "extensionsConfig")
    }
    assert found["reports"][0]["report"]["aggregateStatus"]["guestAgentStatus"]["status"] == "Ready"
    assert "MII" not in answer.text
    assert "canary-41c7" not in answer.text


async def test_who_may_only_read_gets_nothing(calls: Directory) -> None:
    await calls.owner.put(VM, BODY)
    assert (await calls.nobody.post(ACTION)).status_code == 401
    assert (await (await calls.with_role(READER)).post(ACTION)).status_code == 403
    assert (await (await calls.with_role(CONTRIBUTOR, scope=VM)).post(ACTION)).status_code == 200


async def test_of_nothing_there_is_nothing(calls: Directory) -> None:
    assert (await calls.owner.post(ACTION)).status_code == 404

"""A deployment has its caller's rights: a template is no way round a role."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dockyard.model.role import CONTRIBUTOR, OWNER, READER
from tests.support.callers import PRINCIPALS, RG, ROLES, SUB, Caller, Directory

OTHER = f"{SUB}/resourceGroups/other"
DEPLOYMENTS = "providers/Microsoft.Resources/deployments"
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
ACCOUNT = {
    "type": "Microsoft.Storage/storageAccounts",
    "apiVersion": "2023-01-01",
    "name": "plain",
    "location": "local",
    "sku": {"name": "Standard_LRS"},
    "kind": "StorageV2",
}


def template(*resources: Any) -> dict[str, Any]:
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": list(resources)}


def deployment(*resources: Any) -> dict[str, Any]:
    return {"properties": {"mode": "Incremental", "template": template(*resources)}}


def nested(*resources: Any, group: str) -> dict[str, Any]:
    return {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2021-04-01",
        "name": "inner",
        "resourceGroup": group,
        "properties": {"mode": "Incremental", "template": template(*resources)},
    }


async def deployed(calls: Directory, caller: Caller, body: Any, *, group: str = RG) -> dict[str, Any]:
    """Deploy, wait for the end, return the record."""
    path = f"{group}/{DEPLOYMENTS}/main"
    answer = await caller.put(path, body)
    assert answer.status_code in (200, 201), answer.text
    await calls.settled()
    found: dict[str, Any] = (await calls.owner.get(path)).json()
    return found


async def test_a_contributor_deploys_in_its_group(calls: Directory) -> None:
    caller = await calls.with_role(CONTRIBUTOR, scope=RG)
    record = await deployed(calls, caller, deployment(ACCOUNT))
    assert record["properties"]["provisioningState"] == "Succeeded"
    assert len(calls.world.store.storage_accounts()) == 1


async def test_a_contributor_of_one_group_cannot_by_template_create_in_another(calls: Directory) -> None:
    await calls.owner.put(OTHER, {"location": "local"})
    caller = await calls.with_role(CONTRIBUTOR, scope=RG)
    await calls.assign(caller, READER, scope=OTHER)
    body = deployment(nested(ACCOUNT, group="other"))
    answer = await caller.put(f"{RG}/{DEPLOYMENTS}/main", body)
    await calls.settled()
    assert calls.world.store.storage_accounts() == []
    record = (await calls.owner.get(f"{RG}/{DEPLOYMENTS}/main")).json()
    told = json.dumps([answer.json(), record])
    assert "does not have authorization to perform action 'Microsoft.Resources/deployments/write'" in told
    by_owner = await deployed(calls, calls.owner, body)
    assert by_owner["properties"]["provisioningState"] == "Succeeded"
    assert len(calls.world.store.storage_accounts()) == 1


async def test_a_contributor_cannot_by_template_become_an_owner(calls: Directory) -> None:
    caller = await calls.with_role(CONTRIBUTOR, scope=RG)
    machine = await calls.owner.put(f"{RG}/providers/Microsoft.Storage/storageAccounts/plain", ACCOUNT)
    assert machine.status_code == 200
    assignment = {
        "type": "Microsoft.Authorization/roleAssignments",
        "apiVersion": "2022-04-01",
        "name": "11111111-2222-4333-8444-555555555555",
        "properties": {
            "principalId": caller.object_id,
            "roleDefinitionId": f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/{OWNER.id}",
        },
    }
    record = await deployed(calls, caller, deployment(assignment))
    assert record["properties"]["provisioningState"] == "Failed"
    assert "Microsoft.Authorization/roleAssignments/write" in json.dumps(record)
    assert len(calls.world.store.role_assignments()) == 2
    by_owner = await deployed(calls, calls.owner, deployment(assignment))
    assert by_owner["properties"]["provisioningState"] == "Succeeded"
    assert len(calls.world.store.role_assignments()) == 3


async def test_a_reader_neither_deploys_nor_validates(calls: Directory) -> None:
    reader = await calls.with_role(READER)
    path = f"{RG}/{DEPLOYMENTS}/main"
    assert (await reader.put(path, deployment(ACCOUNT))).status_code == 403
    for verb in ("validate", "whatIf"):
        assert (await reader.post(f"{path}/{verb}", deployment(ACCOUNT))).status_code == 403
    assert (await reader.get(f"{RG}/{DEPLOYMENTS}")).status_code == 200


async def test_rights_taken_back_are_gone_from_a_deployment_under_way(calls: Directory) -> None:
    caller = await calls.with_role(CONTRIBUTOR, scope=RG)
    answer = await caller.put(f"{RG}/{DEPLOYMENTS}/main", deployment(ACCOUNT))
    assert answer.status_code == 201
    calls.world.fabric.principals.delete(name="contributor")
    await calls.settled()
    record = (await calls.owner.get(f"{RG}/{DEPLOYMENTS}/main")).json()
    assert record["properties"]["provisioningState"] == "Failed"
    assert calls.world.store.storage_accounts() == []
    assert [each["name"] for each in (await calls.owner.get(PRINCIPALS)).json()["value"]] == ["dockyard"]
    assert len((await calls.owner.get(f"{SUB}/{ROLES}")).json()["value"]) == 1


@pytest.mark.parametrize("group", ["dockyard", "DOCKYARD"])
async def test_what_if_reads_with_its_callers_rights(calls: Directory, group: str) -> None:
    caller = await calls.with_role(CONTRIBUTOR, scope=RG)
    path = f"{SUB}/resourceGroups/{group}/{DEPLOYMENTS}/main/whatIf"
    answer = await caller.post(path, deployment(ACCOUNT))
    assert answer.status_code == 200, answer.text
    assert [change["changeType"] for change in answer.json()["properties"]["changes"]] == ["Create"]

"""Management locks: what they stop, where they hold, who may set them; refused in ARM's words."""

from __future__ import annotations

import pytest

from dockyard.model.role import CONTRIBUTOR, OWNER, READER, RoleDefinition
from tests.contract.arm.test_official_sdk import BODY
from tests.support.callers import PRINCIPALS, RG, ROLES, SUB, Directory

LOCKS = "providers/Microsoft.Authorization/locks"
VM = f"{RG}/providers/Microsoft.Compute/virtualMachines/web"
ACCOUNT = f"{RG}/providers/Microsoft.Storage/storageAccounts/store1"
KEEP = {"properties": {"level": "CanNotDelete", "notes": "in use"}}
FREEZE = {"properties": {"level": "ReadOnly"}}
EMPTY = {
    "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
    "contentVersion": "1.0.0.0",
    "resources": [],
}


@pytest.fixture(autouse=True)
async def resources(calls: Directory) -> None:
    assert (await calls.owner.put(VM, BODY)).status_code == 201
    await calls.world.boot("web")
    await calls.settled()
    assert (await calls.owner.put(ACCOUNT, {"location": "local"})).status_code == 200


@pytest.mark.parametrize("scope", [SUB, RG, VM, ACCOUNT])
async def test_a_lock_through_its_life(calls: Directory, scope: str) -> None:
    path = f"{scope}/{LOCKS}/keep"
    made = await calls.owner.put(path, KEEP)
    assert made.status_code == 201
    assert made.json() == {
        "id": path,
        "name": "keep",
        "type": "Microsoft.Authorization/locks",
        "properties": {"level": "CanNotDelete", "notes": "in use"},
    }
    owned = {"properties": {"level": "readonly", "owners": [{"applicationId": "app"}]}}
    changed = await calls.owner.put(path, owned)
    assert (changed.status_code, changed.json()["properties"]["level"]) == (200, "ReadOnly")
    assert changed.json()["properties"]["owners"] == [{"applicationId": "app"}]
    assert (await calls.owner.get(path)).json()["properties"] == changed.json()["properties"]
    assert (await calls.owner.delete(path)).status_code == 200
    assert (await calls.owner.delete(path)).status_code == 204
    gone = await calls.owner.get(path)
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "LockNotFound")


async def test_a_refusal_is_worded_as_arm_words_it(calls: Directory) -> None:
    await calls.owner.put(f"{RG}/{LOCKS}/keep", KEEP)
    answer = await calls.owner.delete(VM)
    assert answer.status_code == 409
    assert answer.json()["error"] == {
        "code": "ScopeLocked",
        "message": f"The scope '{VM}' cannot perform delete operation because following scope(s) are locked: '{RG}'."
        " Please remove the lock and try again.",
    }


@pytest.mark.parametrize("scope", [SUB, RG])
async def test_what_cannot_be_deleted_can_be_changed(calls: Directory, scope: str) -> None:
    await calls.owner.put(f"{scope}/{LOCKS}/keep", KEEP)
    for path in (VM, ACCOUNT, RG):
        assert (await calls.owner.delete(path)).json()["error"]["code"] == "ScopeLocked", path
    assert (await calls.owner.ask("PATCH", VM, {"tags": {"a": "b"}})).status_code == 200
    assert (await calls.owner.put(f"{VM}2", BODY)).status_code == 201


@pytest.mark.parametrize("scope", [SUB, RG])
async def test_what_is_read_only_is_read_and_nothing_else(calls: Directory, scope: str) -> None:
    await calls.owner.put(f"{scope}/{LOCKS}/freeze", FREEZE)
    deployment = {"properties": {"mode": "Incremental", "template": EMPTY}}
    refused = [
        await calls.owner.delete(VM),
        await calls.owner.put(f"{VM}2", BODY),
        await calls.owner.ask("PATCH", VM, {"tags": {}}),
        await calls.owner.post(f"{VM}/start"),
        await calls.owner.put(f"{VM}/extensions/DockerExtension", {}),
        await calls.owner.ask("PATCH", RG, {"tags": {}}),
        await calls.owner.put(f"{RG}/providers/Microsoft.Resources/deployments/d", deployment),
        await calls.owner.put(f"{RG}/providers/Microsoft.Resources/tags/default", {"properties": {"tags": {}}}),
        await calls.assign(await calls.principal("new"), READER, scope=VM),
    ]
    assert [(each.status_code, each.json()["error"]["code"]) for each in refused] == [(409, "ScopeLocked")] * 9
    assert "cannot perform write operation" in refused[1].json()["error"]["message"]
    for path in (VM, RG, f"{VM}/instanceView", f"{RG}/resources", f"{RG}/{ROLES}"):
        assert (await calls.owner.get(path)).status_code == 200


async def test_a_lock_holds_at_its_resource_and_below_alone(calls: Directory) -> None:
    await calls.owner.put(f"{VM}2", BODY)
    await calls.owner.put(f"{VM}/{LOCKS}/freeze", FREEZE)
    assert (await calls.owner.put(f"{VM}/extensions/DockerExtension", {})).status_code == 409
    assert (await calls.owner.delete(f"{VM}2")).status_code == 202
    assert (await calls.owner.ask("PATCH", RG, {"tags": {}})).status_code == 200
    assert (await calls.owner.delete(VM.lower().replace("/subscriptions", "/SUBSCRIPTIONS"))).status_code == 409


async def test_principals_are_no_part_of_a_subscription(calls: Directory) -> None:
    await calls.owner.put(f"{SUB}/{LOCKS}/freeze", FREEZE)
    assert (await calls.owner.put(f"{PRINCIPALS}/ci", {})).status_code == 201
    assert (await calls.owner.delete(f"{PRINCIPALS}/ci")).status_code == 200


async def test_lists_hold_what_is_inherited_and_what_lies_below(calls: Directory) -> None:
    for scope in (SUB, RG, VM):
        await calls.owner.put(f"{scope}/{LOCKS}/keep", KEEP)

    async def scopes(scope: str, **query: str) -> list[str]:
        found = (await calls.owner.get(f"{scope}/{LOCKS}", **query)).json()["value"]
        return [each["id"].partition("/providers/Microsoft.Authorization")[0] for each in found]

    assert await scopes(SUB) == [SUB, RG, VM]
    assert await scopes(RG, _filter="atScope()") == [SUB, RG]
    assert await scopes(ACCOUNT) == [SUB, RG]


@pytest.mark.parametrize("role", [OWNER, CONTRIBUTOR, READER], ids=lambda role: role.name)
async def test_only_an_owner_sets_locks(calls: Directory, role: RoleDefinition) -> None:
    caller = await calls.with_role(role)
    may = role is OWNER
    assert (await caller.put(f"{RG}/{LOCKS}/keep", KEEP)).status_code == (201 if may else 403)
    await calls.owner.put(f"{RG}/{LOCKS}/keep", KEEP)
    assert (await caller.get(f"{RG}/{LOCKS}/keep")).status_code == 200
    assert (await caller.delete(f"{RG}/{LOCKS}/keep")).status_code == (200 if may else 403)


async def test_who_may_not_does_not_learn_of_locks(calls: Directory) -> None:
    await calls.owner.put(f"{RG}/{LOCKS}/keep", KEEP)
    reader = await calls.with_role(READER)
    assert (await reader.delete(VM)).status_code == 403


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("keep", {"properties": {"level": "NotSpecified"}}, "InvalidLockLevel"),
        ("keep", {"properties": {}}, "InvalidRequestContent"),
        ("a<b", KEEP, "InvalidLockName"),
        ("keep", {"properties": {"level": "ReadOnly", "notes": "x" * 513}}, "InvalidLockNotes"),
        ("keep", {"properties": {"level": "ReadOnly", "owners": ["me"]}}, "InvalidRequestContent"),
    ],
)
async def test_wrong_locks_are_refused(calls: Directory, name: str, body: object, code: str) -> None:
    answer = await calls.owner.put(f"{RG}/{LOCKS}/{name}", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


async def test_what_is_not_there_is_not_locked(calls: Directory) -> None:
    for scope in (f"{VM}9", f"{SUB}/resourceGroups/nowhere"):
        assert (await calls.owner.put(f"{scope}/{LOCKS}/keep", KEEP)).status_code == 404


async def test_a_lock_on_one_resource_stops_a_template_that_changes_it(calls: Directory) -> None:
    await calls.owner.put(f"{ACCOUNT}/{LOCKS}/freeze", FREEZE)
    template = {
        **EMPTY,
        "resources": [
            {
                "type": "Microsoft.Storage/storageAccounts",
                "apiVersion": "2021-01-01",
                "name": "store1",
                "location": "local",
                "sku": {"name": "Standard_LRS"},
            }
        ],
    }
    path = f"{RG}/providers/Microsoft.Resources/deployments/d"
    made = await calls.owner.put(path, {"properties": {"mode": "Incremental", "template": template}})
    assert made.status_code == 201, made.text
    await calls.world.until(lambda: calls.world.store.deployments(resource_group="dockyard")[0].state.is_final)
    steps = (await calls.owner.get(f"{path}/operations")).json()["value"]
    assert steps[0]["properties"]["statusMessage"]["error"]["code"] == "ScopeLocked"


async def test_a_complete_deployment_does_not_delete_what_is_locked(calls: Directory) -> None:
    await calls.owner.put(f"{ACCOUNT}/{LOCKS}/keep", KEEP)
    path = f"{RG}/providers/Microsoft.Resources/deployments/d"
    await calls.owner.put(path, {"properties": {"mode": "Complete", "template": EMPTY}})
    await calls.world.until(lambda: calls.world.store.deployments(resource_group="dockyard")[0].state.is_final)
    shown = (await calls.owner.get(path)).json()["properties"]
    assert shown["provisioningState"] == "Failed"
    assert "ScopeLocked" in str(shown["error"])
    assert (await calls.owner.get(ACCOUNT)).status_code == 200


async def test_a_lock_does_not_hide_that_nobody_serves_a_request(calls: Directory) -> None:
    await calls.owner.put(f"{SUB}/{LOCKS}/freeze", FREEZE)
    assert (await calls.owner.delete(f"{RG}/resources")).status_code == 405
    assert (await calls.owner.put(f"{RG}/providers/Microsoft.Nothing/things/x", {})).status_code == 404

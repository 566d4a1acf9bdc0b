"""Resource groups through their life; deleting one deletes everything in it, in order, whatever happens on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from dockyard.hypervisors.fake.driver import FakeDriver
from dockyard.model.errors import DockyardError, OperationFailed
from dockyard.model.role import CONTRIBUTOR, READER
from tests.contract.arm.test_official_sdk import BODY
from tests.support.callers import SUB, Directory, directory

GROUP = f"{SUB}/resourceGroups/lab"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/web"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/labstore"
EXTENSION = {
    "location": "local",
    "properties": {
        "publisher": "Microsoft.Azure.Extensions",
        "type": "DockerExtension",
        "typeHandlerVersion": "1.0",
        "settings": {},
    },
}


class SlowDriver(FakeDriver):
    """Holds the deletion of machines back while told to, then lets it fail or succeed."""

    def __init__(self) -> None:
        super().__init__()
        self.may_delete = asyncio.Event()
        self.may_delete.set()
        self.asked = False
        self.failure: DockyardError | None = None

    async def delete(self, *, vm_id: str) -> None:
        self.asked = True
        await self.may_delete.wait()
        if self.failure is not None:
            raise self.failure
        await super().delete(vm_id=vm_id)


@pytest.fixture
def slow() -> SlowDriver:
    return SlowDriver()


@pytest.fixture
async def calls(tmp_path: Path, slow: SlowDriver) -> AsyncIterator[Directory]:
    async with directory(tmp_path, hypervisor=slow) as made:
        yield made


async def make_group(calls: Directory, **tags: str) -> None:
    answer = await calls.owner.put(GROUP, {"location": "local", "tags": tags})
    assert answer.status_code == 201, answer.text


async def fill(calls: Directory) -> None:
    await make_group(calls)
    assert (await calls.owner.put(VM, BODY)).status_code == 201
    assert (await calls.owner.put(f"{VM}/extensions/DockerExtension", EXTENSION)).status_code == 201
    assert (await calls.owner.put(ACCOUNT, {"location": "local", "sku": {"name": "Standard_LRS"}})).status_code == 200


async def error_of(calls: Directory, operation: Any) -> dict[str, str]:
    found = (await calls.owner.get(operation.headers["azure-asyncoperation"].partition("?")[0])).json()
    assert found["status"] == "Failed", found
    return dict(found["error"])


async def test_a_group_through_its_life(calls: Directory) -> None:
    assert (await calls.owner.ask("HEAD", GROUP)).status_code == 404
    await make_group(calls, env="test")
    assert (await calls.owner.ask("HEAD", GROUP)).status_code == 204
    shown = (await calls.owner.get(GROUP)).json()
    assert shown["properties"] == {"provisioningState": "Succeeded"}
    assert (await calls.owner.put(GROUP, {**shown, "tags": {"env": "live"}})).status_code == 200
    assert (await calls.owner.ask("PATCH", GROUP, {"tags": {"a": "b"}})).json()["tags"] == {"a": "b"}
    assert (await calls.owner.ask("PATCH", GROUP, {})).json()["tags"] == {"a": "b"}
    assert (await calls.owner.delete(GROUP)).status_code == 202
    await calls.settled()
    assert (await calls.owner.get(GROUP)).status_code == 404
    assert (await calls.owner.ask("PATCH", GROUP, {"tags": {}})).status_code == 404


async def test_a_group_stays_where_it_is(calls: Directory) -> None:
    await make_group(calls)
    moved = await calls.owner.put(GROUP, {"location": "westeurope"})
    assert (moved.status_code, moved.json()["error"]["code"]) == (409, "InvalidResourceGroupLocation")
    assert (await calls.owner.put(GROUP, {})).json()["location"] == "local"


async def test_groups_are_filtered_by_their_tags(calls: Directory) -> None:
    await make_group(calls, env="test", owner="ann")

    async def names(asked: str, **query: str) -> list[str]:
        answer = await calls.owner.get(f"{SUB}/resourceGroups", _filter=asked, **query)
        return [each["name"] for each in answer.json()["value"]]

    assert await names("tagName eq 'ENV'") == ["lab"]
    assert await names("tagname eq 'env' and tagvalue eq 'test'") == ["lab"]
    assert await names("tagName eq 'env' and tagValue eq 'ann'") == []
    assert await names("", _top="1") == ["dockyard"]
    for query in ({"_filter": "colour eq 'red'"}, {"_filter": "tagName eq env"}, {"_top": "none"}, {"_top": "0"}):
        assert (await calls.owner.get(f"{SUB}/resourceGroups", **query)).status_code == 400, query


async def test_everything_in_a_group_goes_with_it(calls: Directory) -> None:
    await fill(calls)
    await calls.with_role(READER, scope=VM, name="looks-at-web")
    answer = await calls.owner.delete(GROUP)
    assert answer.status_code == 202
    await calls.settled()
    assert (await calls.owner.get(GROUP)).status_code == 404
    store = calls.world.store
    assert (list(store.virtual_machines()), list(store.storage_accounts()), list(store.all_extensions())) == (
        [],
        [],
        [],
    )
    assert [each.scope for each in store.role_assignments()] == [SUB]
    assert calls.world.network.attached == set()
    ended = await calls.owner.get(answer.headers["location"].partition("?")[0])
    assert ended.json()["status"] == "Succeeded"


async def test_a_group_that_goes_shows_it_and_takes_nothing_new(calls: Directory, slow: SlowDriver) -> None:
    await fill(calls)
    await calls.world.until(lambda: bool(calls.world.hypervisor.running))
    slow.may_delete.clear()
    first = await calls.owner.delete(GROUP)
    await calls.world.until(lambda: slow.asked)
    assert (await calls.owner.get(GROUP)).json()["properties"] == {"provisioningState": "Deleting"}
    again = await calls.owner.delete(GROUP)
    assert again.headers["azure-asyncoperation"] == first.headers["azure-asyncoperation"]
    lock = f"{GROUP}/providers/Microsoft.Authorization/locks/late"
    refused = [
        await calls.owner.put(GROUP, {"location": "local"}),
        await calls.owner.ask("PATCH", GROUP, {"tags": {}}),
        await calls.owner.put(f"{VM}2", BODY),
        await calls.owner.post(f"{VM}/start"),
        await calls.owner.put(lock, {"properties": {"level": "CanNotDelete"}}),
    ]
    for answer in refused:
        assert answer.status_code == 409, answer.request.url
        error = answer.json()["error"]
        assert error["code"] == "ResourceGroupBeingDeleted"
        assert "The resource group 'lab' is in deprovisioning state" in error["message"]
    slow.may_delete.set()
    await calls.settled()
    assert (await calls.owner.get(GROUP)).status_code == 404


async def test_a_resource_that_will_not_go_stops_the_deletion_and_it_can_be_tried_again(
    calls: Directory, slow: SlowDriver
) -> None:
    await fill(calls)
    await calls.world.until(lambda: bool(calls.world.hypervisor.running))
    slow.failure = OperationFailed("The disk is held by another program", code="DiskHeld")
    operation = await calls.owner.delete(GROUP)
    await calls.settled()
    error = await error_of(calls, operation)
    assert error["code"] == "ResourceGroupDeletionBlocked"
    assert "'Microsoft.Compute/virtualMachines/web' could not be deleted" in error["message"]
    assert "The disk is held by another program" in error["message"]
    assert (await calls.owner.get(GROUP)).json()["properties"] == {"provisioningState": "Succeeded"}
    assert (await calls.owner.get(ACCOUNT)).status_code == 200, "what comes after what stays is not touched"
    slow.failure = None
    assert (await calls.owner.delete(GROUP)).status_code == 202
    await calls.settled()
    assert (await calls.owner.get(GROUP)).status_code == 404


async def test_a_server_that_dies_takes_the_deletion_up_again(calls: Directory, slow: SlowDriver) -> None:
    await fill(calls)
    await calls.world.until(lambda: bool(calls.world.hypervisor.running))
    slow.may_delete.clear()
    await calls.owner.delete(GROUP)
    await calls.world.until(lambda: slow.asked)
    await calls.world.reopen()
    slow.may_delete.set()
    await calls.world.until(lambda: not calls.world.store.operations_in_progress())
    assert [group.name for group in calls.world.fabric.resource_groups.list()] == ["dockyard"]
    assert list(calls.world.store.virtual_machines()) == []


@pytest.mark.parametrize("level", ["CanNotDelete", "ReadOnly"])
@pytest.mark.parametrize("scope", [SUB, GROUP, VM, f"{VM}/extensions/DockerExtension", ACCOUNT])
async def test_a_lock_anywhere_in_a_group_keeps_it_whole(calls: Directory, scope: str, level: str) -> None:
    await fill(calls)
    lock = f"{scope}/providers/Microsoft.Authorization/locks/keep"
    assert (await calls.owner.put(lock, {"properties": {"level": level}})).status_code == 201
    answer = await calls.owner.delete(GROUP)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ScopeLocked")
    assert (await calls.owner.get(VM)).status_code == 200
    assert (await calls.owner.delete(lock)).status_code == 200
    assert (await calls.owner.delete(GROUP)).status_code == 202


async def test_who_may_delete_a_group(calls: Directory) -> None:
    await fill(calls)
    reader = await calls.with_role(READER)
    assert (await reader.delete(GROUP)).status_code == 403
    one = await calls.with_role(CONTRIBUTOR, scope=VM, name="one")
    assert (await one.delete(GROUP)).status_code == 403
    contributor = await calls.with_role(CONTRIBUTOR, scope=GROUP)
    assert (await contributor.delete(GROUP)).status_code == 202


NETWORK = f"{GROUP}/providers/Microsoft.Network"


async def test_what_machines_are_joined_by_goes_in_an_order_in_which_nothing_is_in_use(calls: Directory) -> None:
    """Machine, interface, address, network, security group: each is named by the one before it."""
    await make_group(calls)
    secured = {"networkSecurityGroup": {"id": f"{NETWORK}/networkSecurityGroups/nsg"}}
    subnet = {"name": "default", "properties": {"addressPrefix": "10.0.0.0/24", **secured}}
    configuration = {
        "subnet": {"id": f"{NETWORK}/virtualNetworks/vnet/subnets/default"},
        "publicIPAddress": {"id": f"{NETWORK}/publicIPAddresses/ip"},
    }
    bodies: dict[str, dict[str, Any]] = {
        "networkSecurityGroups/nsg": {},
        "virtualNetworks/vnet": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet]},
        "publicIPAddresses/ip": {},
        "networkInterfaces/nic": {"ipConfigurations": [{"name": "ip", "properties": configuration}], **secured},
    }
    for path, properties in bodies.items():
        answer = await calls.owner.put(f"{NETWORK}/{path}", {"location": "local", "properties": properties})
        assert answer.status_code == 201, answer.text
    machine = {**BODY, "properties": {**BODY["properties"], "networkProfile": {"networkInterfaces": []}}}
    machine["properties"]["networkProfile"]["networkInterfaces"] = [{"id": f"{NETWORK}/networkInterfaces/nic"}]
    assert (await calls.owner.put(VM, machine)).status_code == 201
    listed = (await calls.owner.get(f"{GROUP}/resources")).json()["value"]
    assert {each["name"] for each in listed} == {"web", "nic", "ip", "vnet", "nsg"}
    operation = await calls.owner.delete(GROUP)
    await calls.settled()
    ended = (await calls.owner.get(operation.headers["azure-asyncoperation"].partition("?")[0])).json()
    assert ended["status"] == "Succeeded", ended
    assert list(calls.world.store.network_resources()) == []

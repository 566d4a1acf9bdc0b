"""Disks of machines: in their documents, as resources of their own, and as the official SDK asks for them."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from azure.mgmt.compute import ComputeManagementClient

from tests.contract.arm.test_machine_updates import VM, make, shown
from tests.contract.arm.test_official_sdk import BODY
from tests.support.arm_api import Api
from tests.support.callers import RG, SUB, Directory

DISKS = "providers/Microsoft.Compute/disks"
EMPTY = {"lun": 0, "createOption": "Empty", "diskSizeGB": 4}


def with_disks(*disks: dict[str, Any], **os_disk: Any) -> Any:
    body: dict[str, Any] = copy.deepcopy(BODY)
    body["properties"]["storageProfile"].update(dataDisks=list(disks), osDisk={"createOption": "fromImage", **os_disk})
    return body


async def test_disks_are_shown_and_can_be_put_again(calls: Directory) -> None:
    disk = {**EMPTY, "caching": "ReadOnly", "managedDisk": {"storageAccountType": "Premium_LRS"}, "name": None}
    document = await make(calls, with_disks(disk, name="root", diskSizeGB=30, deleteOption=None, managedDisk={}))
    (found,) = document["properties"]["storageProfile"]["dataDisks"]
    assert (found["lun"], found["name"], found["diskSizeGB"]) == (0, "web_DataDisk_0", 4)
    assert (found["caching"], found["managedDisk"]["storageAccountType"]) == ("ReadOnly", "Premium_LRS")
    assert document["properties"]["storageProfile"]["osDisk"]["name"] == "root"
    again = await calls.owner.put(VM, document)
    assert (again.status_code, "azure-asyncoperation" in again.headers) == (200, False)
    for path in (f"{SUB}/{DISKS}", f"{RG}/{DISKS}"):
        listed = {disk["name"]: disk for disk in (await calls.owner.get(path)).json()["value"]}
        assert sorted(listed) == ["root", "web_DataDisk_0"]
        assert listed["root"]["properties"]["osType"] == "Linux"
        assert {disk["managedBy"] for disk in listed.values()} == {document["id"]}
    one = await calls.owner.get(found["managedDisk"]["id"])
    assert (one.json()["properties"]["diskSizeGB"], one.json()["properties"]["diskState"]) == (4, "Attached")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (with_disks({"lun": 0, "createOption": "Empty"}), 400, "InvalidParameter"),
        (with_disks({"createOption": "Empty", "diskSizeGB": 1}), 400, "InvalidRequestContent"),
        (with_disks(EMPTY, EMPTY), 400, "InvalidParameter"),
        (with_disks({**EMPTY, "createOption": "FromImage"}), 400, "InvalidParameter"),
        (with_disks({**EMPTY, "createOption": "Attach", "name": "x"}), 404, "ResourceNotFound"),
        (with_disks({**EMPTY, "deleteOption": "Detach"}), 400, "InvalidParameter"),
        (with_disks({**EMPTY, "caching": "Some"}), 400, "InvalidParameter"),
        (with_disks({**EMPTY, "name": "../x"}), 400, "InvalidResourceName"),
        (with_disks({**EMPTY, "diskSizeGB": 40_000}), 400, "InvalidParameter"),
        (with_disks(*({**EMPTY, "lun": lun} for lun in range(3))), 409, "OperationNotAllowed"),
        (with_disks(osType="Windows"), 400, "InvalidParameter"),
        (with_disks({**EMPTY, "vhd": {"uri": "https://x"}}), 400, "InvalidParameter"),
        (with_disks(managedDisk={"storageAccountType": "Fast"}), 400, "InvalidParameter"),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_made(
    calls: Directory, body: dict[str, Any], status: int, code: str
) -> None:
    refused = await calls.owner.put(VM, body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (status, code), refused.text
    assert (await calls.owner.get(VM)).status_code == 404


async def test_disks_of_a_running_machine_do_not_grow(calls: Directory) -> None:
    document = await make(calls)
    refused = await calls.owner.put(VM, with_disks(diskSizeGB=40))
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "OperationNotAllowed")
    assert await shown(calls) == document


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_the_sdk_attaches_detaches_and_deletes_a_disk(api: Api) -> None:
    def state(client: ComputeManagementClient) -> str:
        properties = client.disks.get("dockyard", "web_DataDisk_0").as_dict()["properties"]
        return str(properties["diskState"])

    def life(client: ComputeManagementClient) -> list[str]:
        machines = client.virtual_machines
        machines.begin_create_or_update("dockyard", "web", BODY).result()
        machines.begin_deallocate("dockyard", "web").result()
        machines.begin_create_or_update("dockyard", "web", with_disks(EMPTY, diskSizeGB=40)).result()
        machines.begin_start("dockyard", "web").result()
        states = [state(client)]
        machines.begin_create_or_update("dockyard", "web", with_disks()).result()
        states.append(state(client))
        client.disks.begin_delete("dockyard", "web_DataDisk_0").result()
        return [*states, *(disk.name or "" for disk in client.disks.list())]

    assert await api.do(life) == ["Attached", "Unattached", "web_OsDisk"]

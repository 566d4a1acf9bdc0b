"""A machine that exists is changed: what was read can be put again, a PATCH says only what changes."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.contract.arm.test_official_sdk import BODY
from tests.support.callers import RG, Directory

VM = f"{RG}/providers/Microsoft.Compute/virtualMachines/web"


async def make(calls: Directory, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """A machine that runs, as GET shows it."""
    made = await calls.owner.put(VM, body or BODY)
    assert made.status_code == 201, made.text
    await calls.world.boot()
    await calls.settled()
    return await shown(calls)


async def shown(calls: Directory, **query: str) -> dict[str, Any]:
    answer = await calls.owner.get(VM, **query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def with_properties(**properties: Any) -> dict[str, Any]:
    return {**copy.deepcopy(BODY), "properties": {**copy.deepcopy(BODY["properties"]), **properties}}


async def test_what_was_read_can_be_put_again(calls: Directory) -> None:
    document = await make(calls, with_properties(licenseType="RHEL_BYOS", priority="Regular"))
    for expand in ({}, {"_expand": "instanceView"}):
        answer = await calls.owner.put(VM, await shown(calls, **expand))
        assert answer.status_code == 200, answer.text
        assert "azure-asyncoperation" not in answer.headers
    assert await shown(calls) == document


async def test_one_tag_is_changed_the_way_az_does_it(calls: Directory) -> None:
    document = await make(calls)
    document["tags"]["colour"] = "blue"
    answer = await calls.owner.put(VM, document)
    assert answer.json()["tags"] == document["tags"]
    assert {**await shown(calls), "etag": ""} == {**document, "etag": ""}


async def test_an_update_may_leave_the_image_out_and_a_creation_may_not(calls: Directory) -> None:
    document = await make(calls)
    document["properties"]["storageProfile"].pop("imageReference")
    assert (await calls.owner.put(VM, document)).status_code == 200
    del document["properties"]["networkProfile"], document["name"]
    refused = await calls.owner.put(f"{VM}2", document)
    assert refused.status_code == 400
    assert "imageReference" in refused.json()["error"]["message"]


async def test_a_patch_of_tags_replaces_them_and_leaves_the_rest(calls: Directory) -> None:
    document = await make(calls)
    answer = await calls.owner.ask("PATCH", VM, {"tags": {"colour": "blue"}})
    assert (answer.status_code, "azure-asyncoperation" in answer.headers) == (200, False)
    changed = await shown(calls)
    assert changed["properties"] == document["properties"]
    assert {name for name in changed["tags"] if not name.startswith("dockyard-")} == {"colour"}


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_another_size_is_an_operation(calls: Directory, method: str) -> None:
    document = await make(calls)
    document["properties"]["hardwareProfile"]["vmSize"] = "Standard_B2s"
    patch = {"properties": {"hardwareProfile": {"vmSize": "Standard_B2s"}}}
    answer = await calls.owner.ask(method, VM, patch if method == "PATCH" else document)
    assert answer.status_code == 200
    assert answer.json()["properties"]["provisioningState"] == "Updating"
    assert "azure-asyncoperation" in answer.headers
    refused = await calls.owner.ask("PATCH", VM, patch)
    assert refused.status_code == 409
    await calls.world.until(lambda: calls.world.machine().agent is None)
    await calls.world.boot()
    await calls.settled()
    properties = (await shown(calls))["properties"]
    assert properties["hardwareProfile"]["vmSize"] == "Standard_B2s"
    assert properties["provisioningState"] == "Succeeded"


@pytest.mark.parametrize(
    ("patch", "status", "code"),
    [
        ({"properties": {"osProfile": {"computerName": "ann"}}}, 409, "PropertyChangeNotAllowed"),
        ({"properties": {"storageProfile": {"osDisk": {"diskSizeGB": 5000}}}}, 400, "InvalidParameter"),
        ({"properties": {"hardwareProfile": {"vmSize": "Standard_Nonsense"}}}, 400, "InvalidParameter"),
        ({"properties": {"hardwareProfil": {}}}, 400, "InvalidRequestContent"),
        ({"properties": {"availabilitySet": {"id": "/x"}}}, 404, "ResourceNotFound"),
        ({"properties": {"priority": "Cheap"}}, 400, "InvalidParameter"),
        ({"properties": {"evictionPolicy": "Delete"}}, 400, "InvalidParameter"),
        ({"properties": {"securityProfile": {"securityType": "TrustedLaunch"}}}, 400, "BadRequest"),
        ({"properties": {"additionalCapabilities": {"ultraSSDEnabled": True}}}, 400, "FeatureNotSupported"),
        ({"identity": {"type": "SystemAssigned"}}, 400, "FeatureNotSupported"),
        ({"zones": ["1"]}, 400, "AvailabilityZoneNotSupported"),
        ({"plan": {"name": "x"}}, 400, "VMMarketplaceInvalidInput"),
        ({"properties": 7}, 400, "InvalidRequestContent"),
        ({"tags": {"a": 7}}, 400, "InvalidRequestContent"),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(
    calls: Directory, patch: dict[str, Any], status: int, code: str
) -> None:
    document = await make(calls)
    answer = await calls.owner.ask("PATCH", VM, patch)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert await shown(calls) == document


async def test_boot_diagnostics_can_be_turned_off_and_on(calls: Directory) -> None:
    document = await make(calls)
    assert document["properties"]["diagnosticsProfile"]["bootDiagnostics"]["enabled"] is True
    for enabled, status in ((False, 409), (True, 200)):
        document["properties"]["diagnosticsProfile"] = {"bootDiagnostics": {"enabled": enabled}}
        assert (await calls.owner.put(VM, document)).status_code == 200
        assert (await calls.owner.post(f"{VM}/retrieveBootDiagnosticsData")).status_code == status
    view = (await shown(calls, _expand="instanceView"))["properties"]["instanceView"]
    assert "serialConsoleLogBlobUri" not in view["bootDiagnostics"]  # az would look for a storage account


async def test_a_patch_of_what_is_not_there_is_a_404(calls: Directory) -> None:
    assert (await calls.owner.ask("PATCH", VM, {"tags": {}})).status_code == 404

"""An extension that exists is changed by PATCH; what its handler says may not count; nothing comes from a key vault."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.contract.arm.test_machine_updates import VM, make
from tests.contract.arm.test_official_sdk import EXTENSION
from tests.support.callers import Directory
from tests.support.fabric import handler_report

PATH = f"{VM}/extensions/DockerExtension"


async def install(calls: Directory, **properties: Any) -> dict[str, Any]:
    """A machine with the extension, as GET shows it."""
    await make(calls)
    body: dict[str, Any] = copy.deepcopy(EXTENSION)
    body["properties"].update(properties)
    made = await calls.owner.put(PATH, body)
    assert made.status_code == 201, made.text
    await report(calls)
    return await shown(calls)


async def report(calls: Directory, *, status: str = "success", message: str = "done") -> None:
    (child,) = calls.world.store.extensions(machine=calls.world.machine().id)
    said = handler_report(sequence_number=child.sequence_number, status=status, message=message)
    await calls.world.report("web", said)
    await calls.settled()


async def shown(calls: Directory) -> dict[str, Any]:
    found: dict[str, Any] = (await calls.owner.get(PATH, _expand="instanceView")).json()
    return found


async def test_tags_alone_give_the_handler_nothing_to_do(calls: Directory) -> None:
    before = await install(calls)
    answer = await calls.owner.ask("PATCH", PATH, {"tags": {"team": "red"}})
    assert (answer.status_code, "azure-asyncoperation" in answer.headers) == (200, False)
    after = await shown(calls)
    assert after["tags"] == {"team": "red"}
    assert {**after, "tags": {}, "etag": ""} == {**before, "tags": {}, "etag": ""}


async def test_settings_are_replaced_and_what_is_left_out_stays(calls: Directory) -> None:
    await install(calls)
    (before,) = calls.world.store.extensions(machine=calls.world.machine().id)
    answer = await calls.owner.ask("PATCH", PATH, {"properties": {"settings": {"docker": {"port": "4243"}}}})
    assert (answer.status_code, "azure-asyncoperation" in answer.headers) == (200, True), answer.text
    await report(calls)
    (after,) = calls.world.store.extensions(machine=calls.world.machine().id)
    assert after.settings == {"docker": {"port": "4243"}}
    assert after.sequence_number == before.sequence_number + 1
    assert after.protected == before.protected is not None
    assert (after.publisher, after.type_handler_version) == (before.publisher, before.type_handler_version)


async def test_a_new_tag_makes_the_handler_work_again(calls: Directory) -> None:
    await install(calls)
    answer = await calls.owner.ask("PATCH", PATH, {"properties": {"forceUpdateTag": "2"}})
    assert "azure-asyncoperation" in answer.headers
    await report(calls)
    assert (await shown(calls))["properties"]["forceUpdateTag"] == "2"


async def test_a_patch_of_what_is_not_there_is_a_404(calls: Directory) -> None:
    await make(calls)
    assert (await calls.owner.ask("PATCH", PATH, {"tags": {}})).status_code == 404


@pytest.mark.parametrize(("suppressed", "state"), [(True, "Succeeded"), (False, "Failed")])
async def test_a_handlers_failure_counts_unless_it_is_suppressed(
    calls: Directory, suppressed: bool, state: str
) -> None:
    await make(calls)
    body: dict[str, Any] = copy.deepcopy(EXTENSION)
    body["properties"]["suppressFailures"] = suppressed
    made = await calls.owner.put(PATH, body)
    await report(calls, status="error", message="no such mirror")
    status = (await calls.owner.get(made.headers["azure-asyncoperation"])).json()["status"]
    properties = (await shown(calls))["properties"]
    assert (status, properties["provisioningState"]) == (state, state)
    assert properties.get("suppressFailures", False) is suppressed
    (view,) = properties["instanceView"]["statuses"]
    assert (view["code"], view["message"]) == ("ProvisioningState/failed", "no such mirror")


async def test_a_stopped_machine_counts_all_the_same(calls: Directory) -> None:
    await make(calls)
    body: dict[str, Any] = copy.deepcopy(EXTENSION)
    body["properties"]["suppressFailures"] = True
    made = await calls.owner.put(PATH, body)
    calls.world.hypervisor.crash(vm_id=calls.world.machine().vm_id)
    await calls.settled()
    assert (await calls.owner.get(made.headers["azure-asyncoperation"])).json()["status"] == "Failed"


async def test_a_key_vault_is_told_to_be_missing(calls: Directory) -> None:
    await make(calls)
    vault = {"sourceVault": {"id": "/x"}, "secretUrl": "https://v/secrets/s"}
    body: dict[str, Any] = copy.deepcopy(EXTENSION)
    body["properties"]["protectedSettingsFromKeyVault"] = vault
    refused = await calls.owner.put(PATH, body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "InvalidParameter")
    assert "protectedSettingsFromKeyVault" in refused.text

"""What sizes machines may have, as az and the official SDK ask for it."""

from __future__ import annotations

from typing import Any

import pytest
from azure.mgmt.compute import ComputeManagementClient

from tests.contract.arm.test_machine_updates import VM, make
from tests.contract.arm.test_official_sdk import BODY
from tests.support.arm_api import Api
from tests.support.callers import Directory


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_the_sdk_lists_sizes_skus_and_usage(api: Api) -> None:
    def ask(client: ComputeManagementClient) -> tuple[Any, ...]:
        client.virtual_machines.begin_create_or_update("dockyard", "web", BODY).result()
        sizes = {size.name: size for size in client.virtual_machine_sizes.list("local")}
        skus = {sku.name: sku for sku in client.resource_skus.list(filter="location eq 'local'")}
        usage = {each.name.value: each.current_value for each in client.usage.list("local")}
        resizable = [size.name for size in client.virtual_machines.list_available_sizes("dockyard", "web")]
        assert set(sizes) == set(skus) == set(resizable)
        assert list(client.resource_skus.list(filter="location eq 'westus'")) == []
        return sizes["Standard_B2s"].number_of_cores, usage["cores"], usage["virtualMachines"]

    assert await api.do(ask) == (2, 1, 1)


async def test_an_unknown_size_is_told_with_those_there_are(calls: Directory) -> None:
    await make(calls)
    answer = await calls.owner.ask("PATCH", VM, {"properties": {"hardwareProfile": {"vmSize": "Standard_M416ms_v2"}}})
    assert answer.status_code == 400
    assert "The valid sizes in the current region are: Standard_B1ls" in answer.json()["error"]["message"]

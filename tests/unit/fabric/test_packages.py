"""A package that a machine has stays; a machine whose package is gone all the same goes on, and says so."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

import pytest

from dockyard.arm.compute import documents
from dockyard.model.errors import Conflict
from dockyard.model.extension import PACKAGE_GONE, Extension
from dockyard.model.package_name import PackageName
from dockyard.model.provisioning import ProvisioningState
from dockyard_contract.aggregate_status import HandlerReport, SettingsReport
from tests.support.fabric import World, extension_request
from tests.support.raw_zip import Raw, package
from tests.support.values import machine_id

ID = machine_id().child(kind="extensions", name="agent")
NAMES = {"publisher": "Contoso", "type": "Agent"}


async def content(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def publish(world: World, version: str) -> None:
    name = PackageName.checked(**NAMES, version=version)
    await world.fabric.packages.publish(name=name, content=content(package(Raw(b"version", version.encode()))))


async def install(world: World, version: str, *, exact: bool = True, expect: str = "") -> Extension:
    request = extension_request(id=ID, **NAMES, type_handler_version=version, auto_upgrade_minor_version=not exact)
    extension, operation = await world.fabric.extensions.set(request=request)
    if operation is not None:
        assert extension.handler_version == (expect or version)
        await world.report("web", said(extension))
        await world.fabric.operations.wait(operation_id=operation.id)
    return world.fabric.extensions.get(id=ID)


def said(extension: Extension, status: str = "success") -> HandlerReport:
    return HandlerReport(
        name="Contoso.Agent",
        version=extension.handler_version,
        status="Ready",
        settings_status=SettingsReport(status=status, message="fine"),
        sequence_number=extension.sequence_number,
    )


def unpublish(world: World, version: str) -> bool:
    return world.fabric.packages.unpublish(**NAMES, version=version)


async def test_a_package_goes_only_when_no_machine_has_it(booted: World) -> None:
    await publish(booted, "1.0.0")
    await publish(booted, "1.1.0")
    await install(booted, "1.0.0")
    with pytest.raises(Conflict, match="in use") as caught:
        unpublish(booted, "1.0.0")
    assert "web" in caught.value.details
    await install(booted, "1.1.0")
    assert unpublish(booted, "1.0.0")
    assert not unpublish(booted, "1.0.0")
    leaving = await booted.fabric.extensions.delete(id=ID)
    assert leaving is not None
    with pytest.raises(Conflict):
        unpublish(booted, "1.1.0")
    await booted.report("web")
    await booted.fabric.operations.wait(operation_id=leaving.id)
    assert unpublish(booted, "1.1.0")


async def test_a_server_starts_without_a_package_that_a_machine_has(booted: World) -> None:
    await publish(booted, "1.0.0")
    await install(booted, "1.0.0")
    kept = shutil.move(booted.folder / "published", booted.folder / "elsewhere")
    await booted.reopen()
    vm_id = booted.machine().vm_id
    (plugin,) = booted.fabric.guests.goal(vm_id=vm_id).plugins
    assert (plugin.handler_name, plugin.version, plugin.archive) == ("Contoso.Agent", "1.0.0", None)

    extension = booted.fabric.extensions.get(id=ID)
    assert extension.provisioning_state is ProvisioningState.FAILED
    assert extension.error is not None
    assert extension.error.code == PACKAGE_GONE
    (status,) = documents.extension_view(extension)["statuses"]
    assert status["code"] == "ProvisioningState/failed"
    assert "The gallery has Contoso.Agent 1.0.0 no more." in status["message"]

    shutil.rmtree(booted.folder / "published")
    shutil.move(kept, booted.folder / "published")
    await booted.reopen()
    assert booted.fabric.extensions.get(id=ID).provisioning_state is ProvisioningState.SUCCEEDED
    assert booted.fabric.guests.goal(vm_id=vm_id).plugins[0].archive is not None


async def test_publishing_the_missing_version_again_heals(booted: World) -> None:
    await publish(booted, "1.0.0")
    await install(booted, "1.0.0")
    shutil.rmtree(booted.folder / "published")
    await booted.reopen()
    await publish(booted, "1.0.0")
    assert booted.fabric.extensions.get(id=ID).error is None
    assert booted.fabric.guests.goal(vm_id=booted.machine().vm_id).plugins[0].archive is not None


async def test_an_extension_without_its_package_can_be_deleted_and_moved_on(booted: World) -> None:
    await publish(booted, "1.0.0")
    await install(booted, "1.0.0")
    shutil.rmtree(booted.folder / "published")
    await booted.reopen()
    await publish(booted, "1.2.0")
    moved = await install(booted, "1.0", exact=False, expect="1.2.0")
    assert (moved.provisioning_state, moved.error) == (ProvisioningState.SUCCEEDED, None)


async def test_a_later_minor_is_taken_at_the_next_put_and_not_before(booted: World) -> None:
    await publish(booted, "1.0.0")
    first = await install(booted, "1.0", exact=False, expect="1.0.0")
    await publish(booted, "1.3.0")
    await publish(booted, "2.0.0")
    assert booted.fabric.guests.goal(vm_id=booted.machine().vm_id).plugins[0].version == "1.0.0"
    again = await install(booted, "1.0", exact=False, expect="1.3.0")
    assert again.handler_version == "1.3.0"
    assert again.incarnation > first.incarnation
    down = await install(booted, "1.0", exact=True, expect="1.0.0")
    assert booted.fabric.guests.goal(vm_id=booted.machine().vm_id).plugins[0].version == down.handler_version

"""An extension ends with the handler's own word on the very settings that were asked for."""

from __future__ import annotations

from typing import Any

import pytest

from dockyard.model.errors import Conflict, Exhausted, NotFound
from dockyard.model.extension import Extension
from dockyard.model.guest import PluginState
from dockyard.model.operation import Operation, OperationStatus
from dockyard.model.provisioning import ProvisioningState
from tests.support.fabric import World, extension_request, handler_report, machine_request
from tests.support.values import machine_id

ID = machine_id().child(kind="extensions", name="DockerExtension")


async def begin(world: World, **changes: Any) -> Operation:
    _, operation = await world.fabric.extensions.set(request=extension_request(**changes))
    assert operation is not None
    return operation


def extension(world: World) -> Extension:
    return world.fabric.extensions.get(id=ID)


async def test_the_handlers_success_ends_the_operation(booted: World) -> None:
    operation = await begin(booted)
    await booted.report("web", handler_report(message="engine 26.1.5 listens"))
    done = await booted.fabric.operations.wait(operation_id=operation.id)
    assert done.status is OperationStatus.SUCCEEDED
    assert extension(booted).status is not None
    assert extension(booted).provisioning_state is ProvisioningState.SUCCEEDED


async def test_the_handlers_error_is_the_operations(booted: World) -> None:
    operation = await begin(booted)
    await booted.report("web", handler_report(status="error", message="port 2376 is in use by nginx"))
    done = await booted.fabric.operations.wait(operation_id=operation.id)
    assert done.error is not None
    assert done.error.code == "VMExtensionProvisioningError"
    assert "in use by nginx" in done.error.message


async def test_a_failed_install_is_told_in_the_agents_words(booted: World) -> None:
    operation = await begin(booted)
    report = handler_report(status="transitioning", handler="NotReady", code=1007, message="")
    await booted.report("web", report)
    done = await booted.fabric.operations.wait(operation_id=operation.id)
    assert done.status is OperationStatus.FAILED


async def test_reports_on_earlier_settings_do_not_count(booted: World) -> None:
    first = await begin(booted)
    await booted.report("web", handler_report())
    await booted.fabric.operations.wait(operation_id=first.id)
    second = await begin(booted, settings={"docker": {"port": "2377"}})
    await booted.report("web", handler_report(sequence_number=0))
    assert not booted.fabric.operations.get(operation_id=second.id).is_final
    await booted.report("web", handler_report(sequence_number=1))
    done = await booted.fabric.operations.wait(operation_id=second.id)
    assert done.status is OperationStatus.SUCCEEDED


async def test_equal_settings_change_nothing(booted: World) -> None:
    operation = await begin(booted)
    await booted.report("web", handler_report())
    await booted.fabric.operations.wait(operation_id=operation.id)
    incarnation = booted.machine().incarnation
    same, again = await booted.fabric.extensions.set(request=extension_request())
    assert again is None
    assert same.sequence_number == 0
    assert booted.machine().incarnation == incarnation


async def test_the_store_holds_protected_settings_as_ciphertext_only(booted: World) -> None:
    await begin(booted, protected_settings={"certs": {"key": "canary-7f3a"}})
    stored = b"".join(path.read_bytes() for path in booted.folder.glob("store.db*"))
    assert b"canary-7f3a" not in stored
    protected = extension(booted).protected
    assert protected is not None
    assert protected.thumbprint == booted.fabric.rooms.keys.create(vm_id=booted.machine().vm_id)


async def test_an_extension_may_be_set_while_its_machine_is_created(world: World) -> None:
    world.fabric.virtual_machines.create(request=machine_request(), only_if_absent=True)
    operation = await begin(world)
    await world.boot()
    await world.report("web", handler_report())
    done = await world.fabric.operations.wait(operation_id=operation.id)
    assert done.status is OperationStatus.SUCCEEDED


async def test_the_goal_carries_the_extension(booted: World) -> None:
    await begin(booted)
    (plugin,) = booted.fabric.guests.goal(vm_id=booted.machine().vm_id).plugins
    assert (plugin.handler_name, plugin.version) == ("Microsoft.Azure.Extensions.DockerExtension", "1.3.0")
    assert plugin.state is PluginState.ENABLED
    assert plugin.settings == {"docker": {"port": "2376"}}


async def test_deleting_waits_until_the_agent_lists_it_no_more(booted: World) -> None:
    operation = await begin(booted)
    await booted.report("web", handler_report())
    await booted.fabric.operations.wait(operation_id=operation.id)
    leaving = await booted.fabric.extensions.delete(id=ID)
    assert leaving is not None
    (plugin,) = booted.fabric.guests.goal(vm_id=booted.machine().vm_id).plugins
    assert plugin.state is PluginState.UNINSTALL
    incarnation = booted.machine().incarnation
    await booted.report("web")
    done = await booted.fabric.operations.wait(operation_id=leaving.id)
    assert done.status is OperationStatus.SUCCEEDED
    assert booted.fabric.guests.goal(vm_id=booted.machine().vm_id).plugins == ()
    assert booted.machine().incarnation == incarnation, "a goal more would enable all others once more"


async def test_a_stopped_machine_takes_no_extension(booted: World) -> None:
    stop = booted.fabric.power.stop(id=machine_id(), skip_shutdown=True)
    await booted.fabric.operations.wait(operation_id=stop.id)
    with pytest.raises(Conflict, match="not running") as caught:
        await begin(booted)
    assert caught.value.code == "OperationNotAllowed"


async def test_an_unknown_extension_lists_what_there_is(booted: World) -> None:
    with pytest.raises(NotFound, match=r"DockerExtension 1\.3\.0"):
        await begin(booted, type="NoSuchExtension")


async def test_one_handler_is_set_under_one_name_only(booted: World) -> None:
    operation = await begin(booted)
    await booted.report("web", handler_report())
    await booted.fabric.operations.wait(operation_id=operation.id)
    with pytest.raises(Conflict, match="already, named 'DockerExtension'"):
        await begin(booted, id=machine_id().child(kind="extensions", name="another"))


async def test_a_machine_that_stops_ends_the_wait(booted: World) -> None:
    operation = await begin(booted)
    booted.hypervisor.crash(vm_id=booted.machine().vm_id)
    done = await booted.fabric.operations.wait(operation_id=operation.id)
    assert done.error is not None
    assert "stopped while waiting" in done.error.message


async def test_a_machine_that_is_taken_back_takes_its_extensions_along_for_the_same_reason(world: World) -> None:
    world.hypervisor.fail_start(Exhausted("Port 22022 is in use", code="PortInUse"))
    world.images.built = False
    world.images.may_finish.clear()
    world.fabric.virtual_machines.create(request=machine_request(), only_if_absent=True)
    setting = await begin(world)
    world.images.may_finish.set()
    done = await world.fabric.operations.wait(operation_id=setting.id)
    assert done.error is not None
    assert done.error.code == "PortInUse"

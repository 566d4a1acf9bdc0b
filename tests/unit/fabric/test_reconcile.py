"""A server that dies leaves nothing half-made: the next one completes or takes back."""

from __future__ import annotations

import pytest

from dockyard.fabric.ports import MachineState
from dockyard.fabric.reconcile import Observed, decide
from dockyard.model.errors import Exhausted
from dockyard.model.operation import OperationStatus
from dockyard.model.provisioning import ProvisioningState
from dockyard.model.virtual_machine import ProcessIdentity
from tests.support.fabric import World, extension_request, handler_report, machine_request
from tests.support.values import a_machine, machine_id


async def begin(world: World) -> str:
    _, operation = world.fabric.virtual_machines.create(request=machine_request(), only_if_absent=True)
    assert operation is not None
    return operation.id


async def test_killed_while_the_image_is_built_the_next_server_builds_it(world: World) -> None:
    world.images.built = False
    world.images.may_finish.clear()
    operation_id = await begin(world)
    await world.until(lambda: world.fabric.operations.get(operation_id=operation_id).step == "image")
    await world.reopen()
    world.images.may_finish.set()
    await world.boot()
    done = await world.fabric.operations.wait(operation_id=operation_id)
    assert done.status is OperationStatus.SUCCEEDED


async def test_killed_while_the_guest_boots_the_next_server_adopts_it(world: World) -> None:
    operation_id = await begin(world)
    await world.until(lambda: world.machine().process is not None)
    process = world.machine().process
    await world.reopen()
    assert world.network.attached == {world.machine().vm_id}
    await world.boot()
    done = await world.fabric.operations.wait(operation_id=operation_id)
    assert done.status is OperationStatus.SUCCEEDED
    assert world.machine().process == process


async def test_killed_before_it_ran_and_now_impossible_it_is_taken_back(world: World) -> None:
    world.images.built = False
    world.images.may_finish.clear()
    operation_id = await begin(world)
    await world.until(lambda: world.fabric.operations.get(operation_id=operation_id).step == "image")
    await world.reopen()
    world.hypervisor.fail_start(Exhausted("No space is left", code="InsufficientDiskSpace"))
    world.images.may_finish.set()
    done = await world.fabric.operations.wait(operation_id=operation_id)
    assert done.status is OperationStatus.FAILED
    assert world.fabric.virtual_machines.list() == []


async def test_an_extension_that_was_awaited_is_awaited_again(world: World) -> None:
    operation_id = await begin(world)
    await world.boot()
    await world.fabric.operations.wait(operation_id=operation_id)
    _, setting = await world.fabric.extensions.set(request=extension_request())
    assert setting is not None
    await world.reopen()
    await world.report("web", handler_report())
    done = await world.fabric.operations.wait(operation_id=setting.id)
    assert done.status is OperationStatus.SUCCEEDED


async def test_a_deletion_goes_on(world: World) -> None:
    operation_id = await begin(world)
    await world.boot()
    await world.fabric.operations.wait(operation_id=operation_id)
    deleting = await world.fabric.virtual_machines.delete(id=machine_id())
    assert deleting is not None
    await world.reopen()
    await world.fabric.operations.wait(operation_id=deleting.id)
    assert world.fabric.virtual_machines.list() == []
    assert world.hypervisor.running == frozenset()


async def test_a_running_machine_is_adopted_and_a_dead_one_is_not(world: World) -> None:
    operation_id = await begin(world)
    await world.boot()
    await world.fabric.operations.wait(operation_id=operation_id)
    world.hypervisor.crash(vm_id=world.machine().vm_id)
    await world.reopen()
    assert world.network.attached == set()
    assert world.machine().provisioning_state is ProvisioningState.SUCCEEDED


def test_a_machine_without_a_record_is_removed() -> None:
    plan = decide(observed=[], found=["left-behind"], unfinished=[])
    assert plan.remove == ("left-behind",)


@pytest.mark.parametrize("known", [None, ProcessIdentity(1, 1)])
def test_another_process_than_the_recorded_one_is_noted(known: ProcessIdentity | None) -> None:
    machine = a_machine()
    seen = Observed(machine, MachineState.RUNNING, ProcessIdentity(7, 70))
    plan = decide(observed=[seen], found=[machine.vm_id], unfinished=[])
    assert plan.adopt == ((machine, ProcessIdentity(7, 70)),)
    assert plan.remove == ()

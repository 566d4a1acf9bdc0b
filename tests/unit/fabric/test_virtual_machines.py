"""A machine's life: created wholly or not at all, one operation at a time, gone without a trace."""

from __future__ import annotations

import pytest

from dockyard.fabric.requests import ForwardRequest
from dockyard.fabric.virtual_machines import BOOT_DEADLINE_SECONDS
from dockyard.model.errors import Conflict, Exhausted, InvalidRequest, NotFound, OperationFailed, PreconditionFailed
from dockyard.model.operation import Operation, OperationStatus
from dockyard.model.provisioning import PowerState, ProvisioningState
from tests.support.fabric import World, machine_request
from tests.support.values import machine_id


async def create(world: World, name: str = "web") -> Operation:
    operation = begin(world, name)
    await world.boot(name)
    return await world.fabric.operations.wait(operation_id=operation.id)


def begin(world: World, name: str = "web") -> Operation:
    _, operation = world.fabric.virtual_machines.create(request=machine_request(name), only_if_absent=True)
    assert operation is not None
    return operation


async def test_a_machine_is_created_when_its_agent_is_ready(world: World) -> None:
    operation = await create(world)
    machine = world.machine()
    assert operation.status is OperationStatus.SUCCEEDED
    assert machine.provisioning_state is ProvisioningState.SUCCEEDED
    assert await world.fabric.virtual_machines.power_state(machine) is PowerState.RUNNING
    assert [step.name for step in machine.steps] == ["image", "disk", "boot", "agent"]


async def test_a_missing_image_is_built_on_the_way(world: World) -> None:
    world.images.built = False
    await create(world)
    assert world.images.builds == 1


async def test_a_failed_build_takes_everything_back(world: World) -> None:
    world.images.built = False
    world.images.failure = OperationFailed("The build broke", code="ImageBuildFailed")
    done = await world.fabric.operations.wait(operation_id=begin(world).id)
    assert done.error is not None
    assert done.error.code == "ImageBuildFailed"
    assert world.fabric.virtual_machines.list() == []
    assert list(await world.hypervisor.list()) == []


async def test_a_machine_that_cannot_start_leaves_nothing(world: World) -> None:
    world.hypervisor.fail_start(Exhausted("Port taken", code="PortInUse"))
    done = await world.fabric.operations.wait(operation_id=begin(world).id)
    assert done.error is not None
    assert done.error.code == "PortInUse"
    assert world.fabric.virtual_machines.list() == []
    assert list(await world.hypervisor.list()) == []
    assert world.network.attached == set()


async def test_a_guest_that_never_reports_fails_with_its_last_words(world: World) -> None:
    operation = begin(world)
    await world.until(lambda: world.machine().vm_id in world.hypervisor.running)
    world.hypervisor.write_console(vm_id=world.machine().vm_id, text="Kernel panic - not syncing\n")
    done = await world.fabric.operations.wait(operation_id=operation.id)
    assert done.error is not None
    assert done.error.code == "VMAgentStatusTimeout"
    assert f"{BOOT_DEADLINE_SECONDS:.0f} s" in done.error.message
    assert "Kernel panic" in done.error.message
    assert world.machine().provisioning_state is ProvisioningState.FAILED


async def test_a_machine_that_dies_while_booting_is_reported_at_once(world: World) -> None:
    operation = begin(world)
    await world.until(lambda: world.machine().vm_id in world.hypervisor.running)
    world.hypervisor.crash(vm_id=world.machine().vm_id)
    done = await world.fabric.operations.wait(operation_id=operation.id)
    assert done.error is not None
    assert done.error.code == "VMStartFailed"


async def test_of_two_creates_of_one_name_one_wins(world: World) -> None:
    begin(world)
    with pytest.raises(PreconditionFailed, match="already exists"):
        begin(world)


async def test_a_put_while_another_operation_works_is_a_conflict(world: World) -> None:
    begin(world)
    with pytest.raises(Conflict, match="another operation"):
        world.fabric.virtual_machines.create(request=machine_request(), only_if_absent=False)


@pytest.mark.parametrize("name", ["a/b", "", "-web", "web-", "w" * 65, "wéb", "../x", "a b"])
def test_an_impossible_name_is_refused(world: World, name: str) -> None:
    with pytest.raises(InvalidRequest, match="not a valid virtual machine name"):
        world.fabric.virtual_machines.create(request=machine_request(name), only_if_absent=True)


async def test_an_unknown_image_is_refused_at_once(world: World) -> None:
    with pytest.raises(NotFound) as caught:
        world.fabric.virtual_machines.create(request=machine_request(image_name="windows"), only_if_absent=True)
    assert caught.value.code == "PlatformImageNotFound"
    assert world.fabric.virtual_machines.list() == []


async def test_a_port_in_use_is_refused_at_once(world: World) -> None:
    world.ports.taken = {2376}
    request = machine_request(forwards=(ForwardRequest(name="docker", guest_port=2376, host_port=2376),))
    with pytest.raises(Exhausted, match="2376") as caught:
        world.fabric.virtual_machines.create(request=request, only_if_absent=True)
    assert caught.value.code == "PortInUse"


async def test_machines_get_ports_and_addresses_of_their_own(world: World) -> None:
    for name in ("one", "two"):
        request = machine_request(name, forwards=(ForwardRequest(name="ssh", guest_port=22),))
        world.fabric.virtual_machines.create(request=request, only_if_absent=True)
    one, two = (world.machine(name).network for name in ("one", "two"))
    assert one.host_port("ssh") != two.host_port("ssh")
    assert one.private_ip != two.private_ip
    assert one.mac_address != two.mac_address


async def test_stop_and_start(world: World) -> None:
    await create(world)
    machines = world.fabric.virtual_machines
    stopped = machines.stop(id=machine_id(), skip_shutdown=False)
    await world.fabric.operations.wait(operation_id=stopped.id)
    assert await machines.power_state(world.machine()) is PowerState.STOPPED
    started = machines.start(id=machine_id())
    await world.boot()
    done = await world.fabric.operations.wait(operation_id=started.id)
    assert done.status is OperationStatus.SUCCEEDED
    assert await machines.power_state(world.machine()) is PowerState.RUNNING


async def test_restart_waits_for_a_fresh_report(world: World) -> None:
    await create(world)
    operation = world.fabric.virtual_machines.restart(id=machine_id())
    await world.until(lambda: world.machine().agent is None)
    await world.boot()
    done = await world.fabric.operations.wait(operation_id=operation.id)
    assert done.status is OperationStatus.SUCCEEDED


async def test_deleting_leaves_nothing(world: World) -> None:
    await create(world)
    vm_id = world.machine().vm_id
    operation = await world.fabric.virtual_machines.delete(id=machine_id())
    assert operation is not None
    await world.fabric.operations.wait(operation_id=operation.id)
    assert list(await world.hypervisor.list()) == []
    assert world.network.attached == set()
    assert not (world.folder / "keys" / vm_id).exists()
    with pytest.raises(NotFound):
        world.machine()


async def test_deleting_what_is_not_there_is_no_error(world: World) -> None:
    assert await world.fabric.virtual_machines.delete(id=machine_id()) is None


async def test_deleting_ends_a_creation_under_way(world: World) -> None:
    world.images.built = False
    world.images.may_finish.clear()
    creating = begin(world)
    deleting = await world.fabric.virtual_machines.delete(id=machine_id())
    assert deleting is not None
    await world.fabric.operations.wait(operation_id=deleting.id)
    assert world.fabric.operations.get(operation_id=creating.id).status is OperationStatus.FAILED
    assert world.fabric.virtual_machines.list() == []


async def test_a_machine_whose_process_ended_shows_as_stopped_and_starts_again(world: World) -> None:
    await create(world)
    world.hypervisor.crash(vm_id=world.machine().vm_id)
    assert await world.fabric.virtual_machines.power_state(world.machine()) is PowerState.STOPPED
    operation = world.fabric.virtual_machines.start(id=machine_id())
    await world.boot()
    done = await world.fabric.operations.wait(operation_id=operation.id)
    assert done.status is OperationStatus.SUCCEEDED


async def test_deleting_a_group_deletes_its_machines(world: World) -> None:
    await create(world)
    operation = world.fabric.resource_groups.delete(name="Dockyard")
    await world.fabric.operations.wait(operation_id=operation.id)
    assert world.fabric.virtual_machines.list() == []
    assert world.fabric.resource_groups.list() == []

"""A machine's life: created wholly or not at all, one operation at a time, gone without a trace."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dockyard.fabric.booting import BOOT_DEADLINE_SECONDS
from dockyard.fabric.planning import DOCKER, SSH
from dockyard.fabric.requests import ForwardRequest, OsDiskRequest
from dockyard.hypervisors.qemu.argv import AccelerationKind, machine_arguments
from dockyard.hypervisors.qemu.files import MachineFiles
from dockyard.model.errors import (
    Conflict,
    ErrorRecord,
    Exhausted,
    InvalidRequest,
    NotFound,
    OperationFailed,
    PreconditionFailed,
)
from dockyard.model.operation import Operation, OperationStatus
from dockyard.model.provisioning import PowerState, ProvisioningState
from dockyard.model.virtual_machine import OsProfile, size_named
from tests.support.fabric import World, machine_request
from tests.support.values import machine_id


async def create(world: World, name: str = "web") -> Operation:
    operation = begin(world, name)
    await world.boot(name)
    return await world.fabric.operations.wait(operation_id=operation.id)


def begin(world: World, name: str = "web", **request: Any) -> Operation:
    _, operation = world.fabric.virtual_machines.create(request=machine_request(name, **request), only_if_absent=True)
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


async def test_a_chosen_port_that_is_taken_before_the_first_start_makes_way_for_another(world: World) -> None:
    begin(world, forwards=(SSH, replace(DOCKER, host_port=2376)))
    world.hypervisor.take_port(22022)
    world.ports.taken = {22022}
    await world.until(lambda: world.machine().vm_id in world.hypervisor.running)
    assert [each.host_port for each in world.machine().network.forwards] == [22023, 2376]


async def test_an_asked_for_port_that_is_taken_before_the_first_start_is_told(world: World) -> None:
    operation = begin(world, forwards=(replace(SSH, host_port=22022),))
    world.hypervisor.take_port(22022)
    world.ports.taken = {22022}
    done = await world.fabric.operations.wait(operation_id=operation.id)
    assert done.error is not None
    assert done.error.code == "PortInUse"
    assert world.fabric.virtual_machines.list() == []


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


async def update(world: World, **changes: Any) -> Operation | None:
    request = replace(machine_request(), **changes)
    _, operation = world.fabric.virtual_machines.create(request=request, only_if_absent=False)
    return operation


def arguments(world: World) -> list[str]:
    """The command line QEMU would have been started with."""
    spec = world.hypervisor.last_start(vm_id=world.machine().vm_id)
    assert spec is not None
    files = MachineFiles(folder=Path("/m"), sockets=Path("/s"))
    return machine_arguments(program=Path("/qemu"), spec=spec, files=files, acceleration=AccelerationKind.TCG)


async def test_tags_change_at_once_and_the_machine_goes_on(booted: World) -> None:
    process = booted.machine().process
    assert await update(booted, tags={"team": "red"}) is None
    assert booted.machine().tags == {"team": "red"}
    assert await booted.hypervisor.identify(vm_id=booted.machine().vm_id) == process


async def test_the_same_again_changes_nothing(booted: World) -> None:
    before = booted.machine()
    assert await update(booted) is None
    assert booted.machine() == before


async def test_another_size_restarts_a_running_machine_with_it(booted: World) -> None:
    first = await booted.hypervisor.identify(vm_id=booted.machine().vm_id)
    operation = await update(booted, size=size_named("Standard_B2s"))
    assert operation is not None
    assert booted.machine().provisioning_state is ProvisioningState.UPDATING
    await booted.until(lambda: booted.machine().agent is None)
    await booted.boot()
    done = await booted.fabric.operations.wait(operation_id=operation.id)
    assert done.status is OperationStatus.SUCCEEDED
    assert await booted.hypervisor.identify(vm_id=booted.machine().vm_id) != first
    line = " ".join(arguments(booted))
    assert "-smp 2 " in line
    assert "-m 4096 " in line


async def test_another_size_of_a_stopped_machine_comes_with_its_next_start(booted: World) -> None:
    power = booted.fabric.power
    await booted.fabric.operations.wait(operation_id=power.stop(id=machine_id(), skip_shutdown=False).id)
    operation = await update(booted, size=size_named("Standard_B2s"))
    assert operation is not None
    await booted.fabric.operations.wait(operation_id=operation.id)
    assert await booted.fabric.virtual_machines.power_state(booted.machine()) is PowerState.STOPPED
    started = power.start(id=machine_id())
    await booted.boot()
    await booted.fabric.operations.wait(operation_id=started.id)
    assert "-m 4096 " in " ".join(arguments(booted))


async def test_a_server_that_dies_in_an_update_is_followed_by_one_that_ends_it(booted: World) -> None:
    vm_id = booted.machine().vm_id
    operation = await update(booted, size=size_named("Standard_B2s"))
    assert operation is not None
    await booted.until(lambda: booted.fabric.operations.get(operation_id=operation.id).step == "boot")
    booted.hypervisor.crash(vm_id=vm_id)
    await booted.reopen()
    await booted.boot()
    done = await booted.fabric.operations.wait(operation_id=operation.id)
    assert done.status is OperationStatus.SUCCEEDED
    assert "-m 4096 " in " ".join(arguments(booted))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"location": "westus"}, "location"),
        ({"os_disk": OsDiskRequest(name="other")}, "osDisk.name"),
        ({"os_profile": OsProfile(computer_name="other", admin_username="dockyard")}, "osProfile.computerName"),
        ({"os_profile": OsProfile(computer_name="web", admin_username="ann")}, "osProfile.adminUsername"),
    ],
)
async def test_what_azure_lets_nobody_change_is_named(booted: World, change: dict[str, Any], name: str) -> None:
    before = booted.machine()
    with pytest.raises(Conflict, match=f"Changing property '{name}' is not allowed") as caught:
        await update(booted, **change)
    assert caught.value.code == "PropertyChangeNotAllowed"
    assert booted.machine() == before


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
    stopped = world.fabric.power.stop(id=machine_id(), skip_shutdown=False)
    await world.fabric.operations.wait(operation_id=stopped.id)
    assert await machines.power_state(world.machine()) is PowerState.STOPPED
    started = world.fabric.power.start(id=machine_id())
    await world.boot()
    done = await world.fabric.operations.wait(operation_id=started.id)
    assert done.status is OperationStatus.SUCCEEDED
    assert await machines.power_state(world.machine()) is PowerState.RUNNING


async def test_restart_waits_for_a_fresh_report(world: World) -> None:
    await create(world)
    operation = world.fabric.power.restart(id=machine_id())
    await world.until(lambda: world.machine().agent is None)
    await world.boot()
    done = await world.fabric.operations.wait(operation_id=operation.id)
    assert done.status is OperationStatus.SUCCEEDED


async def test_deallocated_is_a_state_of_its_own_until_the_next_start(booted: World) -> None:
    machines, power = booted.fabric.virtual_machines, booted.fabric.power
    await ended(booted, power.deallocate(id=machine_id()))
    assert await machines.power_state(booted.machine()) is PowerState.DEALLOCATED
    await ended(booted, power.stop(id=machine_id(), skip_shutdown=True))
    assert await machines.power_state(booted.machine()) is PowerState.DEALLOCATED
    await booted.reopen()
    assert await booted.fabric.virtual_machines.power_state(booted.machine()) is PowerState.DEALLOCATED
    started = booted.fabric.power.start(id=machine_id())
    await booted.boot()
    await ended(booted, started)
    assert await booted.fabric.virtual_machines.power_state(booted.machine()) is PowerState.RUNNING


async def test_a_stopped_machine_is_not_deallocated_until_asked(booted: World) -> None:
    machines, power = booted.fabric.virtual_machines, booted.fabric.power
    await ended(booted, power.stop(id=machine_id(), skip_shutdown=False))
    assert await machines.power_state(booted.machine()) is PowerState.STOPPED
    await ended(booted, power.deallocate(id=machine_id()))
    assert await machines.power_state(booted.machine()) is PowerState.DEALLOCATED


async def test_redeployed_machines_run_in_a_new_process(booted: World) -> None:
    first = await booted.hypervisor.identify(vm_id=booted.machine().vm_id)
    operation = booted.fabric.power.redeploy(id=machine_id())
    await booted.until(lambda: booted.machine().agent is None)
    await booted.boot()
    await ended(booted, operation)
    assert await booted.hypervisor.identify(vm_id=booted.machine().vm_id) not in (None, first)


async def test_reapplying_mends_a_failed_machine_without_a_restart(booted: World) -> None:
    process = await booted.hypervisor.identify(vm_id=booted.machine().vm_id)
    failed = replace(booted.machine(), provisioning_state=ProvisioningState.FAILED, error=ErrorRecord("X", "y"))
    booted.store.put_virtual_machine(failed)
    booted.network.attached.clear()
    await ended(booted, booted.fabric.power.reapply(id=machine_id()))
    assert booted.machine().provisioning_state is ProvisioningState.SUCCEEDED
    assert booted.machine().error is None
    assert booted.network.attached == {booted.machine().vm_id}
    assert await booted.hypervisor.identify(vm_id=booted.machine().vm_id) == process


async def ended(world: World, operation: Operation) -> None:
    done = await world.fabric.operations.wait(operation_id=operation.id)
    assert done.status is OperationStatus.SUCCEEDED, done.error


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
    operation = world.fabric.power.start(id=machine_id())
    await world.boot()
    done = await world.fabric.operations.wait(operation_id=operation.id)
    assert done.status is OperationStatus.SUCCEEDED


async def test_deleting_a_group_deletes_its_machines(world: World) -> None:
    await create(world)
    operation = world.fabric.resource_groups.delete(name="Dockyard")
    await world.fabric.operations.wait(operation_id=operation.id)
    assert world.fabric.virtual_machines.list() == []
    assert world.fabric.resource_groups.list() == []

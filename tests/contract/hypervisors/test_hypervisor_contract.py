"""What every hypervisor driver promises, shown on the fake and on a real QEMU."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from dockyard.fabric.ports import MachineSpec, MachineState
from dockyard.model.disk import DataDisk
from dockyard.model.errors import Exhausted, NotFound, OperationFailed
from dockyard.model.virtual_machine import PortForward
from tests.contract.hypervisors.bench import Bench
from tests.support import qemu_guest
from tests.support.qemu_bench import WEB


def with_disks(bench: Bench, **luns: int | None) -> MachineSpec:
    """Describe the machine with small disks by their ids; one without a lun is detached."""
    spec = bench.spec()
    disks = tuple(DataDisk(id=id, name=id, size_gib=1, lun=lun) for id, lun in luns.items())
    return replace(spec, machine=replace(spec.machine, data_disks=disks))


async def test_nothing_exists_before_create(bench: Bench) -> None:
    assert await bench.driver.observe(vm_id=WEB) is MachineState.ABSENT
    assert await bench.driver.identify(vm_id=WEB) is None
    assert await bench.driver.list() == []
    assert bench.driver.console_log(vm_id=WEB) == b""
    assert list(bench.driver.console_tail(vm_id=WEB, lines=5)) == []


async def test_a_created_machine_is_stopped_and_listed(bench: Bench) -> None:
    await bench.driver.create(spec=bench.spec())
    assert await bench.driver.observe(vm_id=WEB) is MachineState.STOPPED
    assert await bench.driver.list() == [WEB]


async def test_create_may_be_repeated_while_the_machine_runs(bench: Bench) -> None:
    await bench.driver.create(spec=bench.spec())
    identity = await bench.driver.start(spec=bench.spec())
    await bench.driver.create(spec=bench.spec())
    assert await bench.driver.identify(vm_id=WEB) == identity


async def test_a_started_machine_runs_and_its_port_is_open(bench: Bench) -> None:
    await bench.driver.create(spec=bench.spec())
    identity = await bench.driver.start(spec=bench.spec())
    assert await bench.driver.observe(vm_id=WEB) is MachineState.RUNNING
    assert await bench.driver.identify(vm_id=WEB) == identity
    assert bench.is_open()


async def test_start_without_create_is_refused(bench: Bench) -> None:
    with pytest.raises(NotFound):
        await bench.driver.start(spec=bench.spec())
    assert await bench.driver.observe(vm_id=WEB) is MachineState.ABSENT


async def test_start_of_a_running_machine_returns_the_same_process(bench: Bench) -> None:
    await bench.driver.create(spec=bench.spec())
    first = await bench.driver.start(spec=bench.spec())
    assert await bench.driver.start(spec=bench.spec()) == first


async def test_starts_at_the_same_time_make_one_process(bench: Bench) -> None:
    await bench.driver.create(spec=bench.spec())
    identities = await asyncio.gather(*(bench.driver.start(spec=bench.spec()) for _ in range(3)))
    assert len(set(identities)) == 1


async def test_a_taken_port_is_named_and_nothing_starts(bench: Bench) -> None:
    await bench.driver.create(spec=bench.spec())
    with bench.occupied(), pytest.raises(Exhausted) as refusal:
        await bench.driver.start(spec=bench.spec())
    assert refusal.value.code == "PortInUse"
    assert str(bench.port) in refusal.value.brief
    assert await bench.driver.observe(vm_id=WEB) is MachineState.STOPPED


async def test_start_works_once_the_port_is_free_again(bench: Bench) -> None:
    await bench.driver.create(spec=bench.spec())
    with bench.occupied(), pytest.raises(Exhausted):
        await bench.driver.start(spec=bench.spec())
    identity = await bench.driver.start(spec=bench.spec())
    assert await bench.driver.identify(vm_id=WEB) == identity


async def test_forwards_are_opened_and_closed_while_the_machine_runs(bench: Bench) -> None:
    await bench.driver.create(spec=bench.spec())
    identity = await bench.driver.start(spec=bench.spec())
    ssh = PortForward("ssh", bench.port, 22)
    web = PortForward("tcp-8080", bench.another_port(), 8080, opened=True)
    for _ in range(2):  # may be repeated
        await bench.driver.set_forwards(vm_id=WEB, forwards=(ssh, web))
        assert bench.is_open()
        assert bench.is_open(web.host_port)
    await bench.driver.set_forwards(vm_id=WEB, forwards=(web,))
    assert not bench.is_open()
    await bench.driver.set_forwards(vm_id=WEB, forwards=(ssh,))
    assert bench.is_open()
    assert not bench.is_open(web.host_port)
    assert await bench.driver.identify(vm_id=WEB) == identity


async def test_a_forward_that_changes_its_end_in_the_guest_stays_open(bench: Bench) -> None:
    await bench.driver.create(spec=bench.spec())
    await bench.driver.start(spec=bench.spec())
    await bench.driver.set_forwards(vm_id=WEB, forwards=(PortForward("ssh", bench.port, 2222),))
    assert bench.is_open()


async def test_tcp_and_udp_may_have_the_same_port(bench: Bench) -> None:
    await bench.driver.create(spec=bench.spec())
    await bench.driver.start(spec=bench.spec())
    port = bench.another_port()
    both = (PortForward("tcp-53", port, 53), PortForward("udp-53", port, 53, protocol="udp"))
    await bench.driver.set_forwards(vm_id=WEB, forwards=both)
    assert bench.is_open(port)
    await bench.driver.set_forwards(vm_id=WEB, forwards=both[1:])
    await bench.driver.set_forwards(vm_id=WEB, forwards=())
    assert not bench.is_open(port)


async def test_a_taken_port_is_named_when_a_forward_is_opened(bench: Bench) -> None:
    await bench.driver.create(spec=bench.spec())
    await bench.driver.start(spec=bench.spec())
    port = bench.another_port()
    wanted = (PortForward("ssh", bench.port, 22), PortForward("tcp-8080", port, 8080, opened=True))
    with bench.occupied(port), pytest.raises(Exhausted) as refusal:
        await bench.driver.set_forwards(vm_id=WEB, forwards=wanted)
    assert refusal.value.code == "PortInUse"
    assert str(port) in refusal.value.brief
    assert bench.is_open()
    await bench.driver.set_forwards(vm_id=WEB, forwards=wanted)
    assert bench.is_open(port)


async def test_forwards_of_a_machine_that_does_not_run_are_no_error(bench: Bench) -> None:
    await bench.driver.set_forwards(vm_id=WEB, forwards=(PortForward("ssh", bench.port, 22),))
    await bench.driver.create(spec=bench.spec())
    await bench.driver.set_forwards(vm_id=WEB, forwards=(PortForward("ssh", bench.port, 22),))
    assert not bench.is_open()


async def test_data_disks_come_go_and_change_places_while_the_machine_runs(bench: Bench) -> None:
    await bench.driver.create(spec=with_disks(bench, a=3))
    identity = await bench.driver.start(spec=with_disks(bench, a=3))
    assert await bench.attached() == {3: "a"}
    for wanted in ({"a": 3, "b": 0}, {"a": 3, "b": 0}, {"a": 0, "b": 3}, {"a": None, "b": 3}, {"a": 1, "b": None}):
        spec = with_disks(bench, **wanted)
        await bench.driver.create(spec=spec)
        await bench.driver.set_data_disks(spec=spec)
        assert await bench.attached() == {lun: id for id, lun in wanted.items() if lun is not None}
    assert await bench.driver.identify(vm_id=WEB) == identity
    await bench.driver.power_off(vm_id=WEB)
    await bench.driver.start(spec=with_disks(bench, a=None, b=2))
    assert await bench.attached() == {2: "b"}


async def test_a_disk_that_was_not_created_cannot_be_attached(bench: Bench) -> None:
    await bench.driver.create(spec=bench.spec())
    with pytest.raises(OperationFailed):
        await bench.driver.start(spec=with_disks(bench, a=0))
    await bench.driver.start(spec=bench.spec())
    with pytest.raises(OperationFailed):
        await bench.driver.set_data_disks(spec=with_disks(bench, a=0))
    assert await bench.attached() == {}
    await bench.driver.create(spec=with_disks(bench, a=0))
    await bench.driver.set_data_disks(spec=with_disks(bench, a=0))
    assert await bench.attached() == {0: "a"}


async def test_data_disks_of_a_machine_that_does_not_run_are_no_error(bench: Bench) -> None:
    spec = with_disks(bench, a=0)
    await bench.driver.set_data_disks(spec=spec)
    await bench.driver.create(spec=spec)
    await bench.driver.set_data_disks(spec=spec)
    assert await bench.attached() == {}


async def test_power_off_stops_and_may_be_repeated(bench: Bench) -> None:
    await bench.driver.create(spec=bench.spec())
    await bench.driver.start(spec=bench.spec())
    await bench.driver.power_off(vm_id=WEB)
    await bench.driver.power_off(vm_id=WEB)
    assert await bench.driver.observe(vm_id=WEB) is MachineState.STOPPED
    assert not bench.is_open()


async def test_a_second_run_has_another_identity(bench: Bench) -> None:
    await bench.driver.create(spec=bench.spec())
    first = await bench.driver.start(spec=bench.spec())
    await bench.driver.power_off(vm_id=WEB)
    assert await bench.driver.start(spec=bench.spec()) != first


async def test_shut_down_lets_the_guest_power_off(bench: Bench) -> None:
    await bench.driver.create(spec=bench.spec())
    await bench.driver.start(spec=bench.spec())
    await bench.speaks()
    await bench.driver.shut_down(vm_id=WEB, deadline_seconds=60)
    assert await bench.driver.observe(vm_id=WEB) is MachineState.STOPPED


async def test_shut_down_of_a_deaf_guest_ends_by_force(bench: Bench) -> None:
    await bench.driver.create(spec=bench.spec())
    await bench.driver.start(spec=bench.spec(deaf=True))
    await bench.driver.shut_down(vm_id=WEB, deadline_seconds=0.3)
    assert await bench.driver.observe(vm_id=WEB) is MachineState.STOPPED


async def test_shut_down_and_power_off_of_nothing_are_no_errors(bench: Bench) -> None:
    await bench.driver.shut_down(vm_id=WEB, deadline_seconds=1)
    await bench.driver.power_off(vm_id=WEB)
    assert await bench.driver.observe(vm_id=WEB) is MachineState.ABSENT


async def test_a_crashed_machine_is_stopped_and_starts_again(bench: Bench) -> None:
    await bench.driver.create(spec=bench.spec())
    first = await bench.driver.start(spec=bench.spec())
    await bench.crash()
    assert await bench.driver.observe(vm_id=WEB) is MachineState.STOPPED
    assert await bench.driver.start(spec=bench.spec()) != first


async def test_delete_of_a_running_machine_leaves_nothing(bench: Bench) -> None:
    await bench.driver.create(spec=bench.spec())
    await bench.driver.start(spec=bench.spec())
    await bench.driver.delete(vm_id=WEB)
    assert await bench.driver.observe(vm_id=WEB) is MachineState.ABSENT
    assert await bench.driver.list() == []
    assert not bench.is_open()


async def test_delete_may_be_repeated(bench: Bench) -> None:
    await bench.driver.create(spec=bench.spec())
    await bench.driver.delete(vm_id=WEB)
    await bench.driver.delete(vm_id=WEB)
    assert await bench.driver.list() == []


async def test_the_console_is_shown_without_escape_sequences_and_kept_with_them(bench: Bench) -> None:
    await bench.driver.create(spec=bench.spec())
    await bench.driver.start(spec=bench.spec())
    await bench.speaks()
    assert list(bench.driver.console_tail(vm_id=WEB, lines=1)) == [qemu_guest.UP]
    assert f"\x1b[32m{qemu_guest.UP}\x1b[0m".encode() in bench.driver.console_log(vm_id=WEB)


async def test_the_console_of_a_run_is_kept_through_the_next(bench: Bench) -> None:
    await bench.driver.create(spec=bench.spec())
    await bench.driver.start(spec=bench.spec())
    await bench.speaks()
    await bench.driver.power_off(vm_id=WEB)
    await bench.driver.start(spec=bench.spec(deaf=True))
    assert qemu_guest.UP.encode() in bench.driver.console_log(vm_id=WEB)


async def test_what_a_machine_was_started_with_is_kept(bench: Bench) -> None:
    await bench.driver.create(spec=bench.spec())
    assert bench.driver.hypervisor_log(vm_id=WEB) == b""
    await bench.driver.start(spec=bench.spec())
    assert bench.driver.hypervisor_log(vm_id=WEB) != b""
    await bench.driver.power_off(vm_id=WEB)
    assert bench.driver.hypervisor_log(vm_id=WEB) != b""

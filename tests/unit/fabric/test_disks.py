"""Data disks: made, kept while detached, attached again, never smaller, and gone with their machine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dockyard.fabric.disks import disks_wanted
from dockyard.fabric.requests import DataDiskRequest, OsDiskRequest
from dockyard.model.disk import DataDisk
from dockyard.model.errors import Conflict, DockyardError, InvalidRequest, NotFound
from dockyard.model.operation import Operation, OperationStatus
from dockyard.model.provisioning import PowerState
from dockyard.model.resource_id import DISKS
from dockyard.model.virtual_machine import size_named
from tests.support.fabric import World, machine_request
from tests.support.values import machine_id

ZERO = DataDiskRequest(lun=0, size_gib=4)


def wanted(*asked: DataDiskRequest, present: tuple[DataDisk, ...] = (), **more: Any) -> tuple[DataDisk, ...]:
    owners = {disk.name.lower(): "web" for disk in present}
    options = {"machine": "web", "owners": owners, "most": 4, "new_id": lambda: "new", **more}
    return disks_wanted(asked, present=present, **options)


KNOWN = DataDisk(id="1", name="web_DataDisk_0", size_gib=4, lun=0)


def test_a_new_disk_is_named_after_its_lun() -> None:
    assert wanted(ZERO) == (DataDisk(id="new", name="web_DataDisk_0", size_gib=4, lun=0),)


def test_what_is_shown_may_be_asked_for_again() -> None:
    again = DataDiskRequest(lun=0, name=KNOWN.name.upper(), size_gib=4)
    assert wanted(again, present=(KNOWN,)) == (KNOWN,)
    assert wanted(DataDiskRequest(lun=0), present=(KNOWN,)) == (KNOWN,)


def test_a_disk_that_is_not_asked_for_is_detached_and_kept() -> None:
    (detached,) = wanted(present=(KNOWN,))
    assert detached == replace(KNOWN, lun=None)
    (again,) = wanted(DataDiskRequest(lun=2, attach=True, name=KNOWN.name), present=(detached,))
    assert again == replace(KNOWN, lun=2)


def test_a_new_disk_beside_a_detached_one_gets_another_name() -> None:
    found = wanted(ZERO, present=(replace(KNOWN, lun=None),))
    assert [(disk.name, disk.lun) for disk in found] == [("web_DataDisk_0_2", 0), ("web_DataDisk_0", None)]


@pytest.mark.parametrize(
    ("asked", "kind", "words"),
    [
        ((DataDiskRequest(lun=0),), InvalidRequest, "'dataDisk.diskSizeGB' is missing"),
        ((ZERO, ZERO), InvalidRequest, "A disk at LUN 0 already exists"),
        ((DataDiskRequest(lun=64, size_gib=1),), InvalidRequest, "not from 0 to 63"),
        (tuple(DataDiskRequest(lun=lun, size_gib=1) for lun in range(5)), Conflict, "of this size is 4"),
        ((DataDiskRequest(lun=0, attach=True, name="other"),), NotFound, "Disk 'other' is not found"),
        (
            (DataDiskRequest(lun=0, name="a", size_gib=1), DataDiskRequest(lun=1, name="A", size_gib=1)),
            Conflict,
            "owned",
        ),
    ],
)
def test_what_cannot_be_is_told(asked: tuple[DataDiskRequest, ...], kind: type[DockyardError], words: str) -> None:
    with pytest.raises(kind, match=words):
        wanted(*asked)


def test_a_disk_never_becomes_smaller() -> None:
    with pytest.raises(Conflict, match="cannot become smaller"):
        wanted(DataDiskRequest(lun=0, size_gib=3), present=(KNOWN,))


def test_another_machines_disk_is_its_own() -> None:
    with pytest.raises(Conflict, match="already owned by VM 'db'"):
        wanted(DataDiskRequest(lun=0, name="x", size_gib=1), owners={"x": "db"})


async def ended(world: World, operation: Operation | None) -> None:
    assert operation is not None
    done = await world.fabric.operations.wait(operation_id=operation.id)
    assert done.status is OperationStatus.SUCCEEDED, done.error


def put(world: World, **changes: Any) -> Operation | None:
    request = replace(machine_request(), **changes)
    return world.fabric.virtual_machines.create(request=request, only_if_absent=False)[1]


def disk_names(world: World) -> list[tuple[str, bool]]:
    return [(view.id.name, view.data is None or view.data.lun is not None) for view in world.fabric.disks.list()]


def attached_luns(world: World) -> list[int]:
    return sorted(world.hypervisor.attached_disks(vm_id=world.machine().vm_id))


async def test_disks_grow_while_the_machine_is_stopped_and_not_before(booted: World) -> None:
    await ended(booted, put(booted, data_disks=(ZERO,)))
    for change in ({"data_disks": (replace(ZERO, size_gib=5),)}, {"os_disk": OsDiskRequest(size_gib=40)}):
        with pytest.raises(Conflict, match="only while the machine is stopped") as caught:
            put(booted, **change)
        assert caught.value.code == "OperationNotAllowed"
    await ended(booted, booted.fabric.power.deallocate(id=machine_id()))
    await ended(booted, put(booted, data_disks=(replace(ZERO, size_gib=5),), os_disk=OsDiskRequest(size_gib=40)))
    assert (booted.machine().disk_gib, booted.machine().data_disks[0].size_gib) == (40, 5)
    assert await booted.fabric.virtual_machines.power_state(booted.machine()) is PowerState.DEALLOCATED


async def test_a_disk_that_comes_while_the_machine_is_stopped_is_there_at_its_start(booted: World) -> None:
    await ended(booted, booted.fabric.power.deallocate(id=machine_id()))
    await ended(booted, put(booted, data_disks=(ZERO,)))
    assert disk_names(booted) == [("web_OsDisk", True), ("web_DataDisk_0", True)]
    assert attached_luns(booted) == []
    started = booted.fabric.power.start(id=machine_id())
    await booted.boot()
    await ended(booted, started)
    assert attached_luns(booted) == [0]


async def test_disks_come_and_go_while_the_machine_runs(booted: World) -> None:
    process = booted.machine().process
    await ended(booted, put(booted, data_disks=(ZERO, replace(ZERO, lun=2))))
    assert attached_luns(booted) == [0, 2]
    await ended(booted, put(booted, data_disks=(replace(ZERO, lun=2),)))
    assert attached_luns(booted) == [2]
    assert dict(disk_names(booted)) == {"web_OsDisk": True, "web_DataDisk_0": False, "web_DataDisk_2": True}
    assert booted.machine().process == process


async def test_disks_and_another_size_come_with_one_start(booted: World) -> None:
    operation = put(booted, data_disks=(ZERO,), size=size_named("Standard_B2s"))
    await booted.until(lambda: booted.machine().agent is None)
    await booted.boot()
    await ended(booted, operation)
    assert attached_luns(booted) == [0]


async def test_a_detached_disk_is_deleted_and_an_attached_one_is_not(booted: World) -> None:
    await ended(booted, booted.fabric.power.deallocate(id=machine_id()))
    await ended(booted, put(booted, data_disks=(ZERO,)))
    disk = replace(machine_id(), type=DISKS, names=("web_DataDisk_0",))
    with pytest.raises(Conflict, match="is attached to VM"):
        booted.fabric.disks.delete(id=disk)
    await ended(booted, put(booted, data_disks=()))
    assert disk_names(booted) == [("web_OsDisk", True), ("web_DataDisk_0", False)]
    await ended(booted, booted.fabric.disks.delete(id=disk))
    assert disk_names(booted) == [("web_OsDisk", True)]
    assert booted.fabric.disks.delete(id=disk) is None
    with pytest.raises(Conflict, match="is attached to VM"):
        booted.fabric.disks.delete(id=replace(disk, names=("web_OsDisk",)))


async def test_a_smaller_size_must_have_room_for_the_disks(booted: World) -> None:
    await ended(booted, booted.fabric.power.deallocate(id=machine_id()))
    three = tuple(DataDiskRequest(lun=lun, size_gib=1) for lun in range(3))
    with pytest.raises(Conflict, match="of this size is 2"):
        put(booted, data_disks=three)

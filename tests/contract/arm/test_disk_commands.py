"""``dockyard vm disk`` against the API itself."""

from __future__ import annotations

import json

import pytest

from tests.contract.arm.conftest import Cli
from tests.support.arm_api import Api
from tests.support.fabric import machine_request

# The SDK's connection pools close their sockets only when they are collected.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
async def machine(api: Api) -> None:
    """The machine ``web``, which every command is about, and runs."""
    _, operation = api.world.fabric.virtual_machines.create(request=machine_request(), only_if_absent=True)
    assert operation is not None
    await api.world.boot("web")
    await api.world.fabric.operations.wait(operation_id=operation.id)


async def rows(cli: Cli) -> list[list[str]]:
    listed = await cli("vm", "disk", "list", "web", "--output", "tsv")
    assert listed.code == 0, listed.err
    return [line.split("\t") for line in listed.out.splitlines()]


async def test_disks_come_and_go_while_the_machine_runs(cli: Cli, api: Api) -> None:
    attached = await cli("vm", "disk", "attach", "web", "--size-gib", "4")
    assert (attached.code, attached.err) == (0, "The disk is /dev/disk/azure/scsi1/lun0 in 'web'.\n")
    named = await cli("vm", "disk", "attach", "web", "--size-gib", "1", "--name", "pictures", "--lun", "7")
    assert named.code == 0, named.err
    machine = api.world.machine()
    assert sorted(api.world.hypervisor.attached_disks(vm_id=machine.vm_id)) == [0, 7]
    assert (await cli("vm", "disk", "detach", "web", "--name", "web_DataDisk_0")).code == 0
    assert await rows(cli) == [
        ["7", "pictures", "1", "Attached", "/dev/disk/azure/scsi1/lun7"],
        ["-", "web_DataDisk_0", "4", "Unattached", "-"],
    ]
    back = await cli("vm", "disk", "attach", "web", "--name", "web_DataDisk_0")
    assert back.code == 0, back.err
    assert [row[:2] for row in await rows(cli)] == [["0", "web_DataDisk_0"], ["7", "pictures"]]


async def test_a_detached_disk_is_deleted(cli: Cli) -> None:
    for words in (("attach", "web", "--size-gib", "4"), ("detach", "web", "--name", "web_DataDisk_0")):
        assert (await cli("vm", "disk", *words)).code == 0
    assert (await cli("vm", "disk", "delete", "web", "--name", "web_DataDisk_0", "--yes")).code == 0
    assert json.loads((await cli("vm", "disk", "list", "web", "--output", "json")).out) == []


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("attach", "web"), 2, "No disk is named"),
        (("attach", "web", "--name", "none"), 3, "'none' is not found"),
        (("attach", "web", "--size-gib", "1", "--lun", "64"), 2, "is not from 0 to 63"),
        (("attach", "nope", "--size-gib", "1"), 3, "nope"),
        (("detach", "web", "--name", "none"), 3, "It has none."),
        (("delete", "web", "--name", "none", "--yes"), 3, "no data disk 'none'"),
        (("delete", "web", "--name", "none"), 2, "needs --yes"),
    ],
)
async def test_what_cannot_be_is_said(cli: Cli, words: tuple[str, ...], code: int, text: str) -> None:
    done = await cli("vm", "disk", *words)
    assert text in done.err
    assert done.code == code, done.err


async def test_an_attached_disk_is_not_deleted(cli: Cli) -> None:
    assert (await cli("vm", "disk", "attach", "web", "--size-gib", "4")).code == 0
    done = await cli("vm", "disk", "delete", "web", "--name", "web_DataDisk_0", "--yes")
    assert done.code == 4, done.err
    assert "Detach it first" in done.err

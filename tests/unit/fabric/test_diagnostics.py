"""What the server tells of one machine: its own operations, reports, goal and log entries, and no ciphertext."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dockyard.fabric.diagnostics import Diagnosis, Diagnostics, entries_naming
from dockyard.fabric.reports import KEPT, ReportHistory
from dockyard.model.errors import NotFound
from dockyard.model.resource_id import ResourceId
from dockyard.wire.goal_state import documents
from dockyard_contract.aggregate_status import AggregateStatus, GuestAgentReport
from tests.support.fabric import World, extension_request, handler_report, machine_request
from tests.support.values import machine_id

LOG = """\
2030-01-02 03:04:05,678 INFO dockyard.serve: begins
2030-01-02 03:04:06,678 ERROR dockyard.fabric.operations: operation {operation} failed unexpectedly
Traceback (most recent call last):
  File "x.py", line 1
2030-01-02 03:04:07,678 WARNING dockyard.wire: guest {vm_id} finds the platform unwell
2030-01-02 03:04:08,678 WARNING dockyard.wire: guest another finds the platform unwell
"""


def diagnose(world: World, id: ResourceId) -> Diagnosis:
    diagnostics = Diagnostics(
        store=world.store,
        guests=world.fabric.guests,
        hypervisor=world.hypervisor,
        render=documents.every,
        server_log=lambda: world.server_log,
    )
    return diagnostics.of(id=id)


async def test_a_machine_is_told_of_and_no_other(booted: World) -> None:
    _, other = booted.fabric.virtual_machines.create(request=machine_request("other"), only_if_absent=False)
    _, operation = await booted.fabric.extensions.set(request=extension_request(protected_settings={"key": "canary-1"}))
    assert operation is not None
    assert other is not None
    await booted.report("web", handler_report(status="error", message="the disk is full"))
    booted.server_log = LOG.format(operation=operation.id, vm_id=booted.machine().vm_id)
    found = diagnose(booted, machine_id())
    assert [each.target.key for each in found.operations] == [machine_id().key, operation.target.key]
    assert [line.split()[2] for line in found.server_log.splitlines() if line.startswith("2030")] == [
        "ERROR",
        "WARNING",
    ]
    assert "Traceback" in found.server_log
    assert "another" not in found.server_log
    assert [len(report.status.handlers) for report in found.reports] == [0, 1]
    assert found.hypervisor_log == "started 1 times\n"


async def test_the_goal_state_is_as_served_but_for_protected_settings(booted: World) -> None:
    await booted.fabric.extensions.set(request=extension_request(protected_settings={"key": "canary-1"}))
    (known,) = booted.store.extensions(machine=machine_id())
    assert known.protected is not None
    served = documents.every(booted.fabric.guests.goal(vm_id=booted.machine().vm_id))
    told = diagnose(booted, machine_id()).goal_documents
    assert known.protected.ciphertext in served["extensionsConfig"]
    assert {name: text.replace(known.protected.ciphertext, "(removed)") for name, text in served.items()} == told


async def test_of_nothing_there_is_no_diagnosis(booted: World) -> None:
    with pytest.raises(NotFound):
        diagnose(booted, machine_id("nobody"))


def test_entries_are_told_by_their_first_line() -> None:
    assert entries_naming("no date\n2030-01-02 x: WEB\nbelow\n2030-01-02 y\n", words=["web"]) == (
        "2030-01-02 x: WEB\nbelow\n"
    )


def test_reports_that_say_nothing_new_are_not_kept(world: World) -> None:
    history = ReportHistory()
    ready = AggregateStatus(guest_agent=GuestAgentReport("2.12.0.2", "Ready"), timestamp="1")
    for status in (ready, replace(ready, timestamp="2"), replace(ready, supported_features=("x",))):
        history.take(vm_id="web", status=status, at=world.clock.now())
    assert [report.status.timestamp for report in history.of(vm_id="web")] == ["1", "1"]
    for number in range(100):
        history.take(vm_id="web", status=replace(ready, supported_features=(str(number),)), at=world.clock.now())
    assert len(history.of(vm_id="web")) == KEPT
    history.forget(vm_id="web")
    assert history.of(vm_id="web") == ()

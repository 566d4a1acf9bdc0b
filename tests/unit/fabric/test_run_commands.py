"""Several configurations of one handler, and the action that runs one script at a time."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from dockyard.fabric.requests import RunCommandRequest
from dockyard.fabric.run_views import run_view
from dockyard.model.errors import Conflict, InvalidRequest, NotFound
from dockyard.model.guest import Configuration, Plugin, PluginState
from dockyard.model.operation import Operation, OperationStatus
from dockyard.model.provisioning import ProvisioningState
from dockyard.model.resource_id import ResourceId
from tests.support.fabric import World, extension_request, run_report
from tests.support.values import machine_id

SCRIPT = {"source": {"script": "uptime"}}


def named(name: str) -> ResourceId:
    return machine_id().child(kind="runCommands", name=name)


async def begin(world: World, name: str, **changes: Any) -> Operation:
    request = RunCommandRequest(id=named(name), location="local", settings={**SCRIPT, **changes})
    _, operation = await world.fabric.run_commands.set(request=request)
    assert operation is not None
    return operation


async def invoke(world: World, script: str = "uptime") -> Operation:
    protected = {"source": {"script": script}}
    request = RunCommandRequest(id=machine_id(), location="local", settings={}, protected_settings=protected)
    return await world.fabric.run_commands.invoke(request=request)


def plugin(world: World) -> Plugin:
    (found,) = world.fabric.guests.goal(vm_id=world.machine().vm_id).plugins
    return found


def configurations(world: World) -> dict[str, Configuration]:
    return {one.name: one for one in plugin(world).configurations}


async def test_two_names_are_two_configurations_of_one_handler(booted: World) -> None:
    await begin(booted, "first")
    await begin(booted, "second")
    assert (plugin(booted).handler_name, plugin(booted).state) == (
        "Microsoft.CPlat.Core.RunCommandHandlerLinux",
        PluginState.ENABLED,
    )
    assert set(configurations(booted)) == {"first", "second"}


async def test_each_operation_ends_with_its_own_configurations_word(booted: World) -> None:
    first, second = await begin(booted, "first"), await begin(booted, "second")
    running = run_report("second", status="transitioning", state="Running")
    await booted.report("web", run_report("first", output="up\n"), running)
    done = await booted.fabric.operations.wait(operation_id=first.id)
    assert done.status is OperationStatus.SUCCEEDED
    assert not booted.fabric.operations.get(operation_id=second.id).is_final
    view = run_view(booted.fabric.run_commands.get(id=named("first")))
    assert (view.state, view.output) == ("Succeeded", "up\n")
    assert run_view(booted.fabric.run_commands.get(id=named("second"))).state == "Running"


async def test_run_commands_are_no_extensions_and_the_action_is_neither(booted: World) -> None:
    await begin(booted, "first")
    await invoke(booted)
    assert booted.fabric.extensions.list(machine=machine_id()) == []
    assert [child.id.name for child in booted.fabric.run_commands.list(machine=machine_id())] == ["first"]


async def test_one_that_goes_is_disabled_while_the_others_stay(booted: World) -> None:
    first, second = await begin(booted, "first"), await begin(booted, "second")
    await booted.report("web", run_report("first"), run_report("second"))
    for operation in (first, second):
        await booted.fabric.operations.wait(operation_id=operation.id)
    leaving = await booted.fabric.run_commands.delete(id=named("first"))
    assert leaving is not None
    wanted = {name: one.is_wanted for name, one in configurations(booted).items()}
    assert (plugin(booted).state, wanted) == (PluginState.ENABLED, {"first": False, "second": True})
    await booted.report("web", run_report("second"))
    await booted.fabric.operations.wait(operation_id=leaving.id)
    assert set(configurations(booted)) == {"second"}
    with pytest.raises(NotFound, match="The run command 'first' does not exist"):
        booted.fabric.run_commands.get(id=named("first"))


async def test_the_handler_goes_with_the_last_one(booted: World) -> None:
    operation = await begin(booted, "first")
    await booted.report("web", run_report("first"))
    await booted.fabric.operations.wait(operation_id=operation.id)
    leaving = await booted.fabric.run_commands.delete(id=named("first"))
    assert leaving is not None
    assert plugin(booted).state is PluginState.UNINSTALL
    await booted.report("web")
    await booted.fabric.operations.wait(operation_id=leaving.id)
    assert booted.fabric.guests.goal(vm_id=booted.machine().vm_id).plugins == ()


async def test_other_settings_are_another_number_of_that_name_alone(booted: World) -> None:
    first = await begin(booted, "first")
    await begin(booted, "second")
    await booted.report("web", run_report("first"))
    await booted.fabric.operations.wait(operation_id=first.id)
    await begin(booted, "first", source={"script": "reboot"})
    numbers = {name: one.sequence_number for name, one in configurations(booted).items()}
    assert numbers == {"first": 1, "second": 0}


async def test_the_same_settings_run_nothing(booted: World) -> None:
    operation = await begin(booted, "first")
    await booted.report("web", run_report("first"))
    await booted.fabric.operations.wait(operation_id=operation.id)
    request = RunCommandRequest(id=named("first"), location="local", settings=SCRIPT)
    _, again = await booted.fabric.run_commands.set(request=request)
    assert again is None


async def test_a_name_with_a_dot_is_refused(booted: World) -> None:
    with pytest.raises(InvalidRequest, match="cannot name one of several"):
        await begin(booted, "first.one")


async def test_anybodys_handler_may_have_several_extensions_when_its_manifest_says_so(booted: World) -> None:
    for name in ("one", "two"):
        request = extension_request(
            id=machine_id().child(kind="extensions", name=name),
            publisher="Microsoft.CPlat.Core",
            type="RunCommandHandlerLinux",
            type_handler_version="1.3",
        )
        await booted.fabric.extensions.set(request=request)
    assert set(configurations(booted)) == {"one", "two"}
    assert [child.id.name for child in booted.fabric.extensions.list(machine=machine_id())] == ["one", "two"]


async def test_a_run_command_cannot_take_the_name_of_an_extension_of_the_handler(booted: World) -> None:
    await begin(booted, "first")
    request = extension_request(
        id=machine_id().child(kind="extensions", name="FIRST"),
        publisher="Microsoft.CPlat.Core",
        type="RunCommandHandlerLinux",
        type_handler_version="1.3",
    )
    with pytest.raises(Conflict, match="has a configuration named 'FIRST' already"):
        await booted.fabric.extensions.set(request=request)


async def test_tags_alone_run_nothing(booted: World) -> None:
    await begin(booted, "first")
    before = booted.machine().incarnation
    changed = booted.fabric.run_commands.set_tags(id=named("first"), tags={"team": "red"})
    assert (changed.tags, booted.machine().incarnation) == ({"team": "red"}, before)


async def test_the_action_ends_with_the_output_as_its_result(booted: World) -> None:
    operation = await invoke(booted, "echo canary-77e1")
    report = run_report("RunShellScript", output="up 3 days\n", error="oh\n")
    await booted.report("web", report)
    done = await booted.fabric.operations.wait(operation_id=operation.id)
    assert done.result is not None
    (value,) = json.loads(done.result)["value"]
    assert value["message"] == "Enable succeeded: \n[stdout]\nup 3 days\n\n[stderr]\noh\n"
    assert value["code"] == "ProvisioningState/succeeded"


async def test_the_actions_script_is_stored_as_ciphertext_only(booted: World) -> None:
    await invoke(booted, "echo canary-77e1")
    booted.store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"canary-77e1" not in (booted.folder / "store.db").read_bytes()


async def test_a_failing_script_is_the_actions_failure_in_azures_words(booted: World) -> None:
    operation = await invoke(booted)
    await booted.report("web", run_report("RunShellScript", state="Failed", exit_code=3, error="oh\n"))
    done = await booted.fabric.operations.wait(operation_id=operation.id)
    assert done.error is not None
    assert done.error.code == "VMExtensionProvisioningError"
    assert "when processing extension 'RunCommandLinux'" in done.error.message
    assert "command terminated with exit status=3\n[stdout]\n\n[stderr]\noh\n" in done.error.message


async def test_one_action_at_a_time(booted: World) -> None:
    operation = await invoke(booted)
    with pytest.raises(Conflict, match="Run command extension execution is in progress"):
        await invoke(booted)
    await booted.report("web", run_report("RunShellScript"))
    await booted.fabric.operations.wait(operation_id=operation.id)
    again = await invoke(booted)
    await booted.report("web", run_report("RunShellScript", sequence_number=1, output="second\n"))
    done = await booted.fabric.operations.wait(operation_id=again.id)
    assert "second" in (done.result or "")


async def test_the_action_goes_on_after_the_server_died(booted: World) -> None:
    operation = await invoke(booted)
    await booted.reopen()
    await booted.report("web", run_report("RunShellScript", output="late\n"))
    done = await booted.fabric.operations.wait(operation_id=operation.id)
    assert "late" in (done.result or "")


async def test_a_handler_that_fails_as_a_whole_fails_each_of_them(booted: World) -> None:
    operation = await begin(booted, "first")
    whole = replace(run_report("first"), status="NotReady", code=1007, message="no Python", settings_status=None)
    await booted.report("web", replace(whole, extension_name=None, sequence_number=None))
    done = await booted.fabric.operations.wait(operation_id=operation.id)
    assert done.error is not None
    assert "no Python" in done.error.message
    assert booted.fabric.run_commands.get(id=named("first")).provisioning_state is ProvisioningState.FAILED


async def test_a_message_that_is_no_view_is_told_as_it_is(booted: World) -> None:
    operation = await begin(booted, "first")
    report = run_report("first")
    assert report.settings_status is not None
    broken = replace(report, settings_status=replace(report.settings_status, status="error", message="it was cut"))
    await booted.report("web", broken)
    await booted.fabric.operations.wait(operation_id=operation.id)
    view = run_view(booted.fabric.run_commands.get(id=named("first")))
    assert (view.state, view.message) == ("Failed", "it was cut")


async def test_a_failure_that_counts_is_told_in_words_and_not_as_a_document(booted: World) -> None:
    operation = await begin(booted, "first", treatFailureAsDeploymentFailure=True)
    await booted.report("web", run_report("first", status="error", state="Failed", exit_code=3, error="no disk\n"))
    done = await booted.fabric.operations.wait(operation_id=operation.id)
    assert done.error is not None
    assert "no disk" in done.error.message
    assert "executionState" not in done.error.message
    assert "'dockyard vm run-command show web first'" in done.error.message

"""Deployments over fake resources: order, failures, modes, cancellation, the death of a server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from dockyard.fabric.deployments import DeploymentRequest
from dockyard.fabric.foreseeing import Change, ChangeType, foresee
from dockyard.model.deployment import DEPLOYMENTS, Deployment, DeploymentMode, DeploymentState
from dockyard.model.errors import Conflict, InvalidRequest, NotFound
from dockyard.model.operation import OperationStatus
from dockyard.model.resource_id import ResourceId
from dockyard.templates.errors import TemplateError
from dockyard.templates.places import Source
from dockyard.templates.template import read_template
from tests.support.fabric import World
from tests.support.fake_resources import FakeResources
from tests.support.values import GROUP, SUBSCRIPTION
from tests.unit.templates.kit import machine, template

SECRET = {"p": {"type": "securestring"}}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def resources() -> FakeResources:
    return FakeResources()


def an_id(name: str = "first", *, group: str = GROUP) -> ResourceId:
    return ResourceId(SUBSCRIPTION, group, DEPLOYMENTS, (name,))


def request(
    body: Mapping[str, Any], *, mode: DeploymentMode = DeploymentMode.INCREMENTAL, group: str = GROUP, **supplied: Any
) -> DeploymentRequest:
    return DeploymentRequest(
        id=an_id(group=group),
        mode=mode,
        template=read_template(dict(body), source=Source()),
        kept=body,
        supplied={name: {"value": value} for name, value in supplied.items()},
        tenant_id="adfs",
        endpoint="https://127.0.0.1:1",
    )


async def deploy(world: World, resources: FakeResources, body: Mapping[str, Any], **options: Any) -> Deployment:
    made = world.fabric.deployments.start(request=request(body, **options), client=resources)
    await world.fabric.operations.wait(operation_id=made.operation_id)
    return world.fabric.deployments.get(id=made.id)


CHAIN = [machine("c", dependsOn=["b"]), machine("b", dependsOn=["a"]), machine("a"), machine("free")]


async def test_each_resource_waits_for_those_it_depends_on(world: World, resources: FakeResources) -> None:
    done = await deploy(world, resources, template(resources=CHAIN))
    assert done.state is DeploymentState.SUCCEEDED
    log = resources.log
    assert log.index("made a") < log.index("put b") < log.index("made b") < log.index("put c")
    assert log.index("put free") < log.index("made a")
    assert {step.target.name: step.state for step in done.steps} == dict.fromkeys(
        ("a", "b", "c", "free"), DeploymentState.SUCCEEDED
    )


async def test_what_does_not_depend_is_made_at_once_but_not_all_of_hundreds(
    world: World, resources: FakeResources
) -> None:
    many = machine("[concat('vm', copyIndex())]", copy={"name": "l", "count": 40})
    await deploy(world, resources, template(resources=[many]))
    assert resources.most_at_once == 10


async def test_a_failure_is_named_and_what_depends_on_it_is_not_begun(world: World, resources: FakeResources) -> None:
    resources.failing = {"b"}
    done = await deploy(world, resources, template(resources=CHAIN))
    assert done.state is DeploymentState.FAILED
    assert done.error is not None
    assert done.error.code == "DeploymentFailed"
    assert "virtualMachines/b: b does not want to." in done.error.message
    assert [(step.target.name, step.error.code) for step in done.failures if step.error] == [("b", "Unwilling")]
    assert "put c" not in resources.log
    assert "made free" in resources.log
    operation = world.fabric.operations.get(operation_id=done.operation_id)
    assert operation.status is OperationStatus.FAILED


async def test_deploying_again_completes_what_failed(world: World, resources: FakeResources) -> None:
    resources.failing = {"b"}
    await deploy(world, resources, template(resources=CHAIN))
    resources.failing = set()
    again = await deploy(world, resources, template(resources=CHAIN))
    assert again.state is DeploymentState.SUCCEEDED
    assert len(resources.documents) == 4


async def test_states_of_resources_reach_others_and_the_outputs(world: World, resources: FakeResources) -> None:
    body = template(
        resources=[machine("b", properties={"of": "[reference('a').made]"}), machine("a")],
        outputs={"made": {"type": "string", "value": "[reference('b').of]"}},
    )
    done = await deploy(world, resources, body)
    assert done.outputs == {"made": {"type": "String", "value": "a"}}


async def test_a_wrong_expression_in_a_body_fails_its_resource_alone(world: World, resources: FakeResources) -> None:
    body = template(resources=[machine("a", properties={"x": "[reference('b').none]"}), machine("b")])
    done = await deploy(world, resources, body)
    (failure,) = done.failures
    assert failure.error is not None
    assert failure.error.code == "InvalidTemplate"
    assert "resources[0].properties.x" in failure.error.message
    assert "made b" in resources.log


async def test_incremental_mode_keeps_what_the_template_does_not_name(world: World, resources: FakeResources) -> None:
    await deploy(world, resources, template(resources=[machine("old")]))
    await deploy(world, resources, template(resources=[machine("new")]))
    assert len(resources.documents) == 2


async def test_complete_mode_deletes_it_users_before_used(world: World, resources: FakeResources) -> None:
    nic = {"type": "Microsoft.Network/networkInterfaces", "apiVersion": "1", "name": "nic"}
    account = {"type": "Microsoft.Storage/storageAccounts", "apiVersion": "1", "name": "disks"}
    child = {"type": "Microsoft.Compute/virtualMachines/extensions", "apiVersion": "1", "name": "old/child"}
    kept_child = {**child, "name": "kept/gone"}
    first = [account, nic, machine("old"), child, machine("kept"), kept_child]
    await deploy(world, resources, template(resources=first))
    resources.log.clear()
    done = await deploy(world, resources, template(resources=[machine("kept")]), mode=DeploymentMode.COMPLETE)
    deleted = [line.removeprefix("delete ") for line in resources.log if line.startswith("delete")]
    assert deleted == ["gone", "old", "nic", "disks"]
    assert [document["name"] for document in resources.documents.values()] == ["kept"]
    assert [step.kind.value for step in done.steps] == ["Create", *["Delete"] * 4]


async def test_complete_mode_deletes_nothing_when_something_failed(world: World, resources: FakeResources) -> None:
    await deploy(world, resources, template(resources=[machine("old")]))
    resources.failing = {"new"}
    await deploy(world, resources, template(resources=[machine("new")]), mode=DeploymentMode.COMPLETE)
    assert "delete old" not in resources.log


async def test_secure_values_are_neither_stored_nor_shown(world: World, resources: FakeResources) -> None:
    body = template(
        parameters=SECRET,
        resources=[machine("a", properties={"x": "[parameters('p')]"})],
        outputs={"o": {"type": "securestring", "value": "[parameters('p')]"}},
    )
    done = await deploy(world, resources, body, p="canary-9d")
    assert "canary-9d" in str(resources.documents)
    assert "canary-9d" not in repr(done)
    assert "canary-9d" not in repr(request(body, p="canary-9d"))
    stored = b"".join(path.read_bytes() for path in world.folder.glob("store.db*"))
    assert b"canary-9d" not in stored


async def test_a_deployment_that_runs_cannot_be_replaced_or_forgotten(world: World, resources: FakeResources) -> None:
    resources.held["a"] = asyncio.Event()
    deployments = world.fabric.deployments
    body = template(resources=[machine("a")])
    made = deployments.start(request=request(body), client=resources)
    with pytest.raises(Conflict, match="still active"):
        deployments.start(request=request(body), client=resources)
    with pytest.raises(Conflict, match="still active"):
        deployments.delete(id=made.id)
    resources.held["a"].set()
    await world.fabric.operations.wait(operation_id=made.operation_id)
    assert deployments.delete(id=made.id) is True
    assert deployments.delete(id=made.id) is False
    assert len(resources.documents) == 1


async def test_a_canceled_deployment_begins_nothing_more(world: World, resources: FakeResources) -> None:
    resources.held["a"] = asyncio.Event()
    made = world.fabric.deployments.start(request=request(template(resources=CHAIN)), client=resources)
    await world.until(lambda: "made free" in resources.log)
    await world.fabric.deployments.cancel(id=made.id)
    found = world.fabric.deployments.get(id=made.id)
    assert found.state is DeploymentState.CANCELED
    assert {step.target.name: step.state for step in found.steps}["a"] is DeploymentState.CANCELED
    assert "put b" not in resources.log
    with pytest.raises(Conflict, match="has ended"):
        await world.fabric.deployments.cancel(id=made.id)


async def test_an_interrupted_deployment_is_marked_failed_and_can_be_repeated(
    world: World, resources: FakeResources
) -> None:
    resources.held["b"] = asyncio.Event()
    made = world.fabric.deployments.start(request=request(template(resources=CHAIN)), client=resources)
    await world.until(lambda: "put b" in resources.log)
    await world.reopen()
    await world.fabric.operations.wait(operation_id=made.operation_id)
    found = world.fabric.deployments.get(id=made.id)
    assert found.state is DeploymentState.FAILED
    assert found.error is not None
    assert found.error.code == "DeploymentInterrupted"
    assert "Deploy the same template again" in found.error.message
    assert {step.target.name: step.state.value for step in found.steps}["b"] == "Failed"
    resources.held["b"].set()
    assert (await deploy(world, resources, template(resources=CHAIN))).state is DeploymentState.SUCCEEDED


async def test_a_resource_something_else_works_on_is_waited_for(world: World, resources: FakeResources) -> None:
    await deploy(world, resources, template(resources=[machine("a")]))
    (document,) = resources.documents.values()
    document["properties"]["provisioningState"] = "Creating"
    resources.log.clear()
    again = asyncio.create_task(deploy(world, resources, template(resources=[machine("a")])))
    for _ in range(50):
        await asyncio.sleep(0)
    assert resources.log == []
    document["properties"]["provisioningState"] = "Succeeded"
    assert (await again).state is DeploymentState.SUCCEEDED


async def test_what_is_wrong_is_refused_before_anything_is_written(world: World, resources: FakeResources) -> None:
    deployments = world.fabric.deployments
    resources.unserved = {"A.B/c"}
    unknown = {"type": "A.B/c", "apiVersion": "1", "name": "x"}
    with pytest.raises(InvalidRequest, match="not served"):
        deployments.start(request=request(template(resources=[unknown])), client=resources)
    with pytest.raises(TemplateError):
        deployments.start(request=request(template(resources=[machine("[nonsense()]")])), client=resources)
    with pytest.raises(NotFound, match="'nowhere'"):
        deployments.start(request=request(template(), group="nowhere"), client=resources)
    assert list(deployments.list(resource_group=GROUP)) == []
    assert resources.log == []


async def test_a_group_that_goes_ends_its_deployments(world: World, resources: FakeResources) -> None:
    resources.held["a"] = asyncio.Event()
    made = world.fabric.deployments.start(request=request(template(resources=CHAIN)), client=resources)
    await world.until(lambda: "put a" in resources.log)
    gone = world.fabric.resource_groups.delete(name=GROUP)
    await world.fabric.operations.wait(operation_id=gone.id)
    error = world.fabric.operations.get(operation_id=made.operation_id).error
    assert error is not None
    assert error.code == "ResourceGroupBeingDeleted"
    assert world.store.deployment(id=made.id) is None


async def test_a_group_takes_its_deployments_records_along(world: World, resources: FakeResources) -> None:
    await deploy(world, resources, template())
    world.store.delete_resource_group(name=GROUP)
    assert world.store.deployments(resource_group=GROUP) == []


async def changes(
    world: World, resources: FakeResources, body: Mapping[str, Any], **options: Any
) -> dict[str, ChangeType]:
    return {change.id.name: change.kind for change in await foreseen(world, resources, body, **options)}


async def foreseen(world: World, resources: FakeResources, body: Mapping[str, Any], **options: Any) -> Sequence[Change]:
    asked = request(body, **options)
    plan, masked = (
        world.fabric.deployments.plan(request=asked, client=resources, masked=each) for each in (False, True)
    )
    return await foresee(plan=plan, masked=masked, client=resources, mode=asked.mode)


async def test_what_would_change_is_told_without_changing_it(world: World, resources: FakeResources) -> None:
    first = [machine("same", properties={"x": 1}), machine("other", properties={"x": 1}), machine("old")]
    await deploy(world, resources, template(resources=first))
    resources.log.clear()
    second = [machine("same", properties={"x": 1}), machine("other", properties={"x": 2}), machine("new")]
    expected = {"same": ChangeType.NO_CHANGE, "other": ChangeType.MODIFY, "new": ChangeType.CREATE}
    found = await changes(world, resources, template(resources=second))
    assert found == {**expected, "old": ChangeType.IGNORE}
    found = await changes(world, resources, template(resources=second), mode=DeploymentMode.COMPLETE)
    assert found == {**expected, "old": ChangeType.DELETE}
    assert resources.log == []


async def test_what_would_change_tells_no_secret(world: World, resources: FakeResources) -> None:
    properties = {
        "x": "[base64(parameters('p'))]",
        "protectedSettings": {"k": "canary-2"},
        "y": "[reference('a').none]",
    }
    body = template(parameters=SECRET, resources=[machine("a"), machine("b", properties=properties)])
    found = await foreseen(world, resources, body, p="canary-1")
    assert "canary" not in repr(found)
    assert "Y2FuYXJ5" not in repr(found)


async def test_a_secret_that_stays_the_same_is_no_change(world: World, resources: FakeResources) -> None:
    body = template(parameters=SECRET, resources=[machine("a", properties={"x": "[parameters('p')]"})])
    await deploy(world, resources, body, p="canary-1")
    assert await changes(world, resources, body, p="canary-1") == {"a": ChangeType.NO_CHANGE}
    (change,) = await foreseen(world, resources, body, p="canary-2")
    assert [(each.path, each.after) for each in change.delta] == [("properties.x", "********")]
    assert "canary-2" not in repr(change)

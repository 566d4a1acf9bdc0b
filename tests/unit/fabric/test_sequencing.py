"""Extensions in the order they ask for: levels for the agent, refusals and failures in Azure's words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dockyard.fabric import sequencing
from dockyard.model.errors import InvalidRequest
from dockyard.model.extension import Extension
from dockyard.model.operation import OperationStatus
from dockyard.model.package_name import PackageName
from dockyard.model.provisioning import ProvisioningState
from dockyard_contract.aggregate_status import HandlerReport, SettingsReport
from tests.support.fabric import World, extension_request
from tests.support.raw_zip import package
from tests.support.values import an_extension, machine_id
from tests.unit.fabric.test_packages import content, said


def ext(name: str, *after: str, state: ProvisioningState = ProvisioningState.SUCCEEDED) -> Extension:
    id = machine_id().child(kind="extensions", name=name)
    return replace(an_extension(), id=id, provision_after=after, provisioning_state=state)


def checked(name: str, *after: str, others: tuple[Extension, ...]) -> tuple[str, ...]:
    return sequencing.checked_order(ext(name).id, after=after, others=others)


def test_names_and_ids_are_taken_in_any_case() -> None:
    others = (ext("First"), ext("second"))
    assert checked("third", "FIRST", str(others[1].id).upper(), "first", others=others) == ("First", "second")


@pytest.mark.parametrize(
    "name", ["nothing", "", "/subscriptions/x", str(machine_id("other").child(kind="extensions", name="first"))]
)
def test_a_name_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="in its provisionAfterExtensions property, but the extension") as caught:
        checked("third", name, others=(ext("first"), ext("leaving", state=ProvisioningState.DELETING)))
    assert caught.value.code == "BadRequest"


@pytest.mark.parametrize(
    ("name", "after", "told"),
    [("a", "a", "a -> a"), ("a", "c", "a -> c -> b -> a"), ("b", "c", "b -> c -> b"), ("A", "b", "A -> b -> A")],
)
def test_a_cycle_is_refused_and_shown(name: str, after: str, told: str) -> None:
    others = (ext("a"), ext("b", "a"), ext("c", "b"))
    with pytest.raises(InvalidRequest, match=f"after it itself: {told}\\. "):
        checked(name, after, others=others)


def test_a_new_order_takes_the_place_of_the_old_one() -> None:
    assert checked("b", "c", others=(ext("a"), ext("b", "a"), ext("c"))) == ("c",)


def test_levels_are_the_longest_way() -> None:
    made = [ext("d", "b", "c"), ext("c", "b"), ext("b", "A"), ext("a"), ext("alone"), ext("lost", "gone")]
    found = sequencing.levels(made)
    assert [found[each.id.key] for each in made] == [3, 2, 1, 0, 0, 0]


def test_what_others_come_after_stays() -> None:
    others = (ext("first"), ext("second", "First"))
    with pytest.raises(InvalidRequest, match=r"will no longer exist\. First, remove the extension 'second' or remove"):
        sequencing.check_may_go(others[0].id, others=others)
    sequencing.check_may_go(others[1].id, others=others)
    leaving = replace(others[1], provisioning_state=ProvisioningState.DELETING)
    sequencing.check_may_go(others[0].id, others=(others[0], leaving))


async def test_a_failed_predecessor_fails_the_follower_and_says_so(booted: World) -> None:
    from_gallery = []
    for kind in ("First", "Second"):
        await booted.fabric.packages.publish(name=named(kind), content=content(package()))
        after = () if kind == "First" else ("first",)
        request = extension_request(
            id=ext(kind.lower()).id, publisher="Contoso", type=kind, type_handler_version="1.0", provision_after=after
        )
        from_gallery.append(await booted.fabric.extensions.set(request=request))
    (first, one), (second, two) = from_gallery
    assert one is not None
    assert two is not None
    plugins = booted.fabric.guests.goal(vm_id=booted.machine().vm_id).plugins
    assert [(plugin.handler_name, plugin.dependency_level) for plugin in plugins] == [
        ("Contoso.First", 0),
        ("Contoso.Second", 1),
    ]
    failed = replace(
        said(first, "error"), name="Contoso.First", settings_status=SettingsReport(status="error", message="no disk")
    )
    skipped = HandlerReport(
        name="Contoso.Second", version="1.0.0", status="NotReady", code=-1, message="will skip the rest"
    )
    await booted.report("web", failed, skipped)
    done = await booted.fabric.operations.wait(operation_id=two.id)
    assert done.status is OperationStatus.FAILED
    assert done.error is not None
    assert "'second' is marked as failed since it depends upon the VM Extension 'first'" in done.error.message
    assert (await booted.fabric.operations.wait(operation_id=one.id)).status is OperationStatus.FAILED
    with pytest.raises(InvalidRequest, match="no longer exist"):
        await booted.fabric.extensions.delete(id=first.id)
    assert second.provision_after == ("first",)


async def test_the_same_order_again_changes_nothing(booted: World) -> None:
    await booted.fabric.packages.publish(name=named("First"), content=content(package()))
    request = extension_request(id=ext("first").id, publisher="Contoso", type="First")
    extension, operation = await booted.fabric.extensions.set(request=request)
    assert operation is not None
    await booted.report("web", replace(said(extension), name="Contoso.First"))
    await booted.fabric.operations.wait(operation_id=operation.id)
    assert (await booted.fabric.extensions.set(request=request))[1] is None
    with pytest.raises(InvalidRequest):
        await booted.fabric.extensions.set(request=replace(request, provision_after=("first",)))
    assert booted.fabric.extensions.get(id=extension.id).provisioning_state is ProvisioningState.SUCCEEDED


def named(kind: str) -> PackageName:
    return PackageName.checked(publisher="Contoso", type=kind, version="1.0.0")

"""Who may do what: roles at scopes, as ARM judges them and as it words a refusal."""

from __future__ import annotations

import pytest

from dockyard.model.operation import Operation, OperationKind, OperationStatus
from dockyard.model.role import CONTRIBUTOR, OWNER, READER, RoleDefinition
from tests.contract.arm.test_official_sdk import BODY
from tests.support.callers import PRINCIPALS, RG, ROLES, SUB, Directory
from tests.support.values import NOW, machine_id

VM = f"{RG}/providers/Microsoft.Compute/virtualMachines/web"
OTHER = f"{SUB}/resourceGroups/other"
GROUP_BODY = {"location": "local"}


async def test_without_a_role_nothing_is_seen(calls: Directory) -> None:
    stranger = await calls.principal("stranger")
    assert (await stranger.get("/subscriptions")).json() == {"value": []}
    for path in (SUB, RG, VM, f"{SUB}/resourceGroups", f"{SUB}/locations", f"{RG}/resources"):
        assert (await stranger.get(path)).status_code == 403, path


async def test_a_refusal_is_worded_as_arm_words_it(calls: Directory) -> None:
    reader = await calls.with_role(READER)
    answer = await reader.put(VM, BODY)
    assert answer.status_code == 403
    error = answer.json()["error"]
    assert error["code"] == "AuthorizationFailed"
    assert error["message"] == (
        f"The client '{reader.document['properties']['appId']}' with object id '{reader.object_id}' does not have"
        " authorization to perform action 'Microsoft.Compute/virtualMachines/write' over scope"
        f" '{VM}' or the scope is invalid. If access was recently granted, please refresh your credentials."
    )


@pytest.mark.parametrize("role", [OWNER, CONTRIBUTOR, READER], ids=lambda role: role.name)
async def test_what_each_role_may_do(calls: Directory, role: RoleDefinition) -> None:
    caller = await calls.with_role(role)
    writes = role is not READER
    assigns = role is OWNER
    assert (await caller.get(f"{RG}/resources")).status_code == 200
    assert (await caller.put(OTHER, GROUP_BODY)).status_code == (201 if writes else 403)
    assert (await caller.put(VM, BODY)).status_code == (201 if writes else 403)
    assert (await caller.post(f"{VM}/powerOff")).status_code in ((202, 409) if writes else (403,))
    assert (await caller.get(f"{SUB}/{ROLES}")).status_code == 200
    assert (await calls.assign(caller, READER, by=caller)).status_code == (201 if assigns else 403)
    assert (await caller.put(f"{PRINCIPALS}/another", {})).status_code == (201 if assigns else 403)
    assert (await caller.post(f"{PRINCIPALS}/another/resetSecret")).status_code == (200 if assigns else 403)
    assert (await caller.delete(f"{PRINCIPALS}/another")).status_code == (200 if assigns else 403)


async def test_a_role_holds_below_its_scope_and_nowhere_else(calls: Directory) -> None:
    await calls.owner.put(OTHER, GROUP_BODY)
    await calls.owner.put(f"{SUB}/resourceGroups/dockyard2", GROUP_BODY)
    caller = await calls.with_role(CONTRIBUTOR, scope=RG)
    assert (await caller.put(VM, BODY)).status_code == 201
    assert (await caller.get(VM.replace("resourceGroups/dockyard", "RESOURCEGROUPS/Dockyard"))).status_code == 200
    for path in (OTHER, f"{SUB}/resourceGroups/dockyard2", f"{OTHER}/resources"):
        assert (await caller.get(path)).status_code == 403, path
    shown = (await caller.get(f"{SUB}/resourceGroups")).json()["value"]
    assert [each["name"] for each in shown] == ["dockyard"]
    assert len((await caller.get("/subscriptions")).json()["value"]) == 1


async def test_a_role_at_one_machine_reaches_its_children_alone(calls: Directory) -> None:
    await calls.owner.put(VM, BODY)
    await calls.owner.put(f"{VM}2", BODY)
    caller = await calls.with_role(READER, scope=VM)
    assert (await caller.get(VM)).status_code == 200
    assert (await caller.get(f"{VM}/extensions")).status_code == 200
    assert (await caller.get(f"{VM}2")).status_code == 403
    assert (await caller.get(RG)).status_code == 403


async def test_a_namesake_does_not_inherit_the_roles_of_what_went(calls: Directory) -> None:
    await calls.owner.put(OTHER, GROUP_BODY)
    caller = await calls.with_role(OWNER, scope=OTHER)
    assert (await calls.owner.delete(OTHER)).status_code == 202
    await calls.world.until(lambda: not any(group.name == "other" for group in calls.world.store.resource_groups()))
    assert (await calls.owner.put(OTHER, GROUP_BODY)).status_code == 201
    assert (await caller.get(OTHER)).status_code == 403


async def test_an_assignment_through_its_life(calls: Directory) -> None:
    caller = await calls.principal("someone")
    name = "11111111-2222-4333-8444-555555555555"
    assert (await calls.assign(caller, READER, scope=RG, name=name)).status_code == 201
    assert (await calls.assign(caller, READER, scope=RG, name=name)).status_code == 200
    again = await calls.assign(caller, READER, scope=RG)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "RoleAssignmentExists")
    other = await calls.assign(caller, OWNER, scope=RG, name=name)
    assert (other.status_code, other.json()["error"]["code"]) == (400, "RoleAssignmentUpdateNotPermitted")
    shown = (await calls.owner.get(f"{RG}/{ROLES}/{name}")).json()
    assert shown["id"] == f"{RG}/{ROLES}/{name}"
    assert shown["properties"]["scope"] == RG
    assert (await calls.owner.delete(f"{RG}/{ROLES}/{name}")).json() == shown
    assert (await calls.owner.delete(f"{RG}/{ROLES}/{name}")).status_code == 204
    assert (await calls.owner.get(f"{RG}/{ROLES}/{name}")).status_code == 404


async def test_filters_choose_among_assignments(calls: Directory) -> None:
    at_group = await calls.with_role(READER, scope=RG, name="at-group")
    listed = (await calls.owner.get(f"{SUB}/{ROLES}")).json()["value"]
    assert {each["properties"]["scope"] for each in listed} == {SUB, RG}
    here = (await calls.owner.get(f"{SUB}/{ROLES}", _filter="atScope()")).json()["value"]
    assert [each["properties"]["scope"] for each in here] == [SUB]
    asked = f"principalId eq '{at_group.object_id}'"
    theirs = (await calls.owner.get(f"{SUB}/{ROLES}", _filter=asked)).json()["value"]
    assert [each["properties"]["principalId"] for each in theirs] == [at_group.object_id]


async def test_the_built_in_roles_have_azures_names_and_guids(calls: Directory) -> None:
    path = f"{SUB}/providers/Microsoft.Authorization/roleDefinitions"
    shown = (await calls.owner.get(path)).json()["value"]
    assert {(each["properties"]["roleName"], each["name"]) for each in shown} == {
        ("Owner", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"),
        ("Contributor", "b24988ac-6180-42a0-ab88-20f7382dd24c"),
        ("Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7"),
    }
    one = (await calls.owner.get(path, _filter="roleName eq 'Reader'")).json()["value"]
    assert one[0]["properties"]["permissions"][0]["actions"] == ["*/read"]
    assert (await calls.owner.get(f"{path}/{one[0]['name']}")).json() == one[0]


async def test_permissions_are_the_callers_own(calls: Directory) -> None:
    reader = await calls.with_role(READER, scope=RG)
    path = "providers/Microsoft.Authorization/permissions"
    assert (await reader.get(f"{RG}/{path}")).json()["value"][0]["actions"] == ["*/read"]
    assert (await calls.owner.get(f"{RG}/{path}")).json()["value"][0]["actions"] == ["*"]


async def test_no_role_is_made_by_a_path_that_reads_as_another_action(calls: Directory) -> None:
    """A type of resource without a name would shift the words of the path behind it by one."""
    caller = await calls.with_role(CONTRIBUTOR, scope=RG)
    crooked = f"{RG}/providers/microsoft.compute/virtualmachines"
    answer = await calls.assign(caller, OWNER, scope=crooked, by=caller)
    assert answer.status_code in (403, 404)
    assert len((await calls.owner.get(f"{SUB}/{ROLES}")).json()["value"]) == 2


async def test_the_owner_stays_the_owner(calls: Directory) -> None:
    own = (await calls.owner.get(f"{SUB}/{ROLES}")).json()["value"][0]
    assert (await calls.owner.delete(own["id"])).status_code == 409
    assert (await calls.owner.delete(f"{PRINCIPALS}/dockyard")).status_code == 409
    assert (await calls.owner.post(f"{PRINCIPALS}/dockyard/resetSecret")).status_code == 409


async def test_another_subscription_does_not_exist(calls: Directory) -> None:
    answer = await calls.owner.get("/subscriptions/00000000-0000-4000-8000-00000000000f/resourceGroups")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "SubscriptionNotFound")


async def test_what_a_script_printed_is_read_with_a_role_on_its_machine(calls: Directory) -> None:
    await calls.owner.put(VM, BODY)
    reader = await calls.with_role(READER, scope=VM)
    stranger = await calls.principal("stranger")
    for name, result in (("printed", '{"value": []}'), ("plain", None)):
        operation = Operation(
            id=name,
            kind=OperationKind.RUN_COMMAND,
            target=machine_id(),
            status=OperationStatus.SUCCEEDED,
            started_at=NOW,
            ended_at=NOW,
            result=result,
        )
        calls.world.store.put_operation(operation)
    address = f"{SUB}/providers/Microsoft.Compute/locations/local/operations"
    assert (await stranger.get(f"{address}/plain")).status_code == 200
    assert (await reader.get(f"{address}/printed")).json()["properties"]["output"] == {"value": []}
    for query in ({}, {"monitor": "true"}):
        refused = await stranger.ask("GET", f"{address}/printed", query=query)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "AuthorizationFailed")

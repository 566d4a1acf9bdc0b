"""Resources whatever their type: lists, filters, tags, providers; each caller sees what is theirs to read."""

from __future__ import annotations

from typing import Any

import pytest

from dockyard.model.role import CONTRIBUTOR, OWNER, READER
from tests.contract.arm.test_official_sdk import BODY
from tests.support.callers import RG, SUB, Caller, Directory

OTHER = f"{SUB}/resourceGroups/other"
VM = f"{RG}/providers/Microsoft.Compute/virtualMachines/web"
ACCOUNT = f"{OTHER}/providers/Microsoft.Storage/storageAccounts/store1"
TAGS = "providers/Microsoft.Resources/tags/default"


@pytest.fixture(autouse=True)
async def resources(calls: Directory) -> None:
    assert (await calls.owner.put(VM, {**BODY, "tags": {"env": "test", "team": "blue"}})).status_code == 201
    assert (await calls.owner.put(f"{VM}2", {**BODY, "tags": {}})).status_code == 201
    for name in ("web", "web2"):
        await calls.world.boot(name)
    await calls.settled()
    assert (await calls.owner.put(OTHER, {"location": "local", "tags": {"env": "live"}})).status_code == 201
    account = {"location": "local", "sku": {"name": "Standard_LRS"}, "tags": {"env": "live"}}
    assert (await calls.owner.put(ACCOUNT, account)).status_code == 200


async def names(caller: Caller, path: str, **query: str) -> list[str]:
    answer = await caller.get(path, **query)
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json()["value"]]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", ["web", "web2", "store1"]),
        ("resourceType eq 'Microsoft.Compute/virtualMachines'", ["web", "web2"]),
        ("resourcetype eq 'microsoft.storage/storageaccounts' and resourceGroup eq 'OTHER'", ["store1"]),
        ("resourceGroup eq 'other' and name eq 'web'", []),
        ("name eq 'web'", ["web"]),
        ("name ne 'web'", ["web2", "store1"]),
        ("tagName eq 'env'", ["web", "store1"]),
        ("tagname eq 'env' and tagvalue eq 'live'", ["store1"]),
        ("tagName eq 'team' and tagValue eq 'test'", []),
        ("location eq 'elsewhere'", []),
        ("name eq 'o''clock'", []),
    ],
)
async def test_filters(calls: Directory, asked: str, found: list[str]) -> None:
    assert await names(calls.owner, f"{SUB}/resources", _filter=asked) == found


@pytest.mark.parametrize("asked", ["name", "name eq web", "name eq 'a' or name eq 'b'", "name eq 'a' and", "x eq 'y'"])
async def test_wrong_filters_are_refused(calls: Directory, asked: str) -> None:
    answer = await calls.owner.get(f"{SUB}/resources", _filter=asked)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidFilterInQueryString")


async def test_lists_are_cut_and_expanded(calls: Directory) -> None:
    assert await names(calls.owner, f"{SUB}/resources", _top="1") == ["web"]
    assert (await calls.owner.get(f"{SUB}/resources", _top="-1")).status_code == 400
    expand = "createdTime,changedTime,provisioningState"
    shown = (await calls.owner.get(f"{OTHER}/resources", _expand=expand)).json()["value"][0]
    assert shown == {
        "id": ACCOUNT,
        "name": "store1",
        "type": "Microsoft.Storage/storageAccounts",
        "location": "local",
        "tags": {"env": "live"},
        "sku": {"name": "Standard_LRS", "tier": "Standard"},
        "kind": "StorageV2",
        "provisioningState": "Succeeded",
        "createdTime": shown["createdTime"],
    }
    assert await names(calls.owner, f"{RG}/resources") == ["web", "web2"]
    assert (await calls.owner.get(f"{SUB}/resourceGroups/nowhere/resources")).status_code == 404


async def test_lists_leave_out_what_the_caller_may_not_read(calls: Directory) -> None:
    at_other = await calls.with_role(READER, scope=OTHER, name="at-other")
    assert await names(at_other, f"{SUB}/resources") == ["store1"]
    assert await names(at_other, f"{SUB}/resources", _top="1") == ["store1"]
    assert await names(at_other, f"{SUB}/resourceGroups") == ["other"]
    assert await names(at_other, f"{SUB}/providers/Microsoft.Storage/storageAccounts") == ["store1"]
    assert await names(at_other, f"{SUB}/providers/Microsoft.Compute/virtualMachines") == []
    assert (await at_other.get(f"{RG}/resources")).status_code == 403
    at_web = await calls.with_role(READER, scope=VM, name="at-web")
    assert await names(at_web, f"{SUB}/resources") == ["web"]
    assert await names(at_web, f"{RG}/resources") == ["web"]
    assert await names(at_web, f"{RG}/providers/Microsoft.Compute/virtualMachines") == ["web"]
    assert [each["tagName"] for each in (await at_web.get(f"{SUB}/tagNames")).json()["value"]] == ["env", "team"]
    stranger = await calls.principal("stranger")
    for path in (f"{SUB}/resources", f"{RG}/resources", f"{SUB}/providers/Microsoft.Compute/virtualMachines"):
        assert (await stranger.get(path)).status_code == 403, path


async def test_only_lists_are_read_from_below(calls: Directory) -> None:
    """What ends in a word and is no list, such as the view of a machine, needs a role over the whole machine."""
    body = {"location": "local", "properties": {"publisher": "Microsoft.Azure.Extensions", "type": "DockerExtension"}}
    body["properties"] |= {"typeHandlerVersion": "1.0", "settings": {}}  # type: ignore[operator]
    assert (await calls.owner.put(f"{VM}/extensions/DockerExtension", body)).status_code == 201
    below = await calls.with_role(READER, scope=f"{VM}/extensions/DockerExtension", name="below")
    assert await names(below, f"{VM}/extensions") == ["DockerExtension"]
    assert await names(below, f"{RG}/resources") == ["web/DockerExtension"]
    assert (await below.get(f"{VM}/instanceView")).status_code == 403
    assert (await below.get(VM)).status_code == 403


@pytest.mark.parametrize("scope", [SUB, OTHER, VM, ACCOUNT])
async def test_tags_of_any_scope(calls: Directory, scope: str) -> None:
    path = f"{scope}/{TAGS}"

    async def patched(operation: str, **given: str) -> Any:
        answer = await calls.owner.ask("PATCH", path, {"operation": operation, "properties": {"tags": given}})
        assert answer.status_code == 200, answer.text
        return answer.json()["properties"]["tags"]

    put = await calls.owner.put(path, {"properties": {"tags": {"a": "1", "B": "2"}}})
    assert put.status_code == 200, put.text
    own = {name: text for name, text in put.json()["properties"]["tags"].items() if name.startswith("dockyard-")}
    assert put.json() == {
        "id": path,
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": {"a": "1", "B": "2", **own}},
    }
    assert await patched("Merge", b="3", c="4") == {"a": "1", "b": "3", "c": "4", **own}
    assert await patched("delete", a="other", c="4") == {"a": "1", "b": "3", **own}
    assert (await calls.owner.get(path)).json()["properties"]["tags"] == {"a": "1", "b": "3", **own}
    assert (await calls.owner.get(scope)).json()["tags"] == {"a": "1", "b": "3", **own}
    assert await patched("Replace", d="5") == {"d": "5", **own}
    assert (await calls.owner.delete(path)).status_code == 200
    assert (await calls.owner.get(path)).json()["properties"]["tags"] == own


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({f"tag{number}": "" for number in range(51)}, "InvalidTags"),
        ({"n" * 513: ""}, "TagNameTooLong"),
        ({"name": "v" * 257}, "TagValueTooLong"),
        ({"a/b": ""}, "InvalidTagNameCharacters"),
        ({" ": ""}, "InvalidTagNameCharacters"),
        ({"a": "", "A": ""}, "DuplicateTagNames"),
        ({"a": 1}, "InvalidRequestContent"),
    ],
)
async def test_tags_have_limits_everywhere(calls: Directory, tags: dict[str, Any], code: str) -> None:
    for answer in (
        await calls.owner.put(f"{VM}/{TAGS}", {"properties": {"tags": tags}}),
        await calls.owner.ask("PATCH", VM, {"tags": tags}),
        await calls.owner.put(OTHER, {"location": "local", "tags": tags}),
        await calls.owner.put(ACCOUNT, {"location": "local", "tags": tags}),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code), answer.request.url


async def test_merged_tags_are_counted_together(calls: Directory) -> None:
    for first in (0, 25):
        given = {f"tag{number}": "" for number in range(first, first + 25)}
        body = {"operation": "Merge", "properties": {"tags": given}}
        assert (await calls.owner.ask("PATCH", f"{SUB}/{TAGS}", body)).status_code == 200
    body = {"operation": "Merge", "properties": {"tags": {"more": ""}}}
    assert (await calls.owner.ask("PATCH", f"{SUB}/{TAGS}", body)).json()["error"]["code"] == "InvalidTags"


async def test_tags_are_changed_by_those_who_may_change_the_resource(calls: Directory) -> None:
    reader = await calls.with_role(READER)
    contributor = await calls.with_role(CONTRIBUTOR, scope=VM)
    body = {"properties": {"tags": {"a": "1"}}}
    assert (await reader.put(f"{VM}/{TAGS}", body)).status_code == 403
    assert (await reader.get(f"{VM}/{TAGS}")).status_code == 200
    assert (await contributor.put(f"{VM}/{TAGS}", body)).status_code == 200
    assert (await contributor.put(f"{VM}2/{TAGS}", body)).status_code == 403
    wrong = await contributor.ask("PATCH", f"{VM}/{TAGS}", {"operation": "Add", **body})
    assert wrong.json()["error"]["code"] == "InvalidTagsPatchOperation"
    assert (await calls.owner.put(f"{VM}9/{TAGS}", body)).status_code == 404


async def test_the_names_of_tags_in_use(calls: Directory) -> None:
    shown = (await calls.owner.get(f"{SUB}/tagNames")).json()["value"]
    counted = {each["tagName"]: {v["tagValue"]: v["count"]["value"] for v in each["values"]} for each in shown}
    assert counted == {"env": {"live": 2, "test": 1}, "team": {"blue": 1}}
    assert [each["count"]["value"] for each in shown] == [3, 1]


async def test_providers_are_what_is_served(calls: Directory) -> None:
    shown = {each["namespace"]: each for each in (await calls.owner.get(f"{SUB}/providers")).json()["value"]}
    assert {"Microsoft.Authorization", "Microsoft.Compute", "Microsoft.Resources", "Microsoft.Storage"} <= set(shown)
    types = {each["resourceType"] for each in shown["Microsoft.Compute"]["resourceTypes"]}
    assert {"virtualMachines", "virtualMachines/extensions", "virtualMachines/runCommands", "images"} <= types
    assert {"locations", "locations/vmSizes", "locations/publishers"} <= types
    assert not {each for each in types if "instanceView" in each or "start" in each}
    assert {"locks", "roleAssignments", "roleDefinitions"} <= {
        each["resourceType"] for each in shown["Microsoft.Authorization"]["resourceTypes"]
    }
    one = (await calls.owner.get(f"{SUB}/providers/microsoft.compute")).json()
    assert one == shown["Microsoft.Compute"]
    assert one["registrationState"] == "Registered"
    unknown = await calls.owner.get(f"{SUB}/providers/Microsoft.Nothing")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "InvalidResourceNamespace")


async def test_every_version_a_provider_names_is_served(calls: Directory) -> None:
    one = (await calls.owner.get(f"{SUB}/providers/Microsoft.Compute")).json()
    (machines,) = [each for each in one["resourceTypes"] if each["resourceType"] == "virtualMachines"]
    assert machines["locations"] == ["local"]
    for version in machines["apiVersions"]:
        assert (await calls.owner.ask("GET", VM, query={"api-version": version})).status_code == 200


async def test_providers_stay_registered(calls: Directory) -> None:
    path = f"{SUB}/providers/Microsoft.Compute"
    assert (await calls.owner.post(f"{path}/register")).json()["registrationState"] == "Registered"
    assert (await calls.owner.post(f"{path}/unregister")).json()["error"]["code"] == "CannotUnregisterProvider"
    reader = await calls.with_role(READER, scope=RG)
    assert (await reader.get(path)).status_code == 200
    assert (await reader.post(f"{path}/register")).status_code == 403
    owner = await calls.with_role(OWNER)
    assert (await owner.post(f"{path}/register")).status_code == 200

"""What ARM does for every resource alike: versions, unknown types, ETags, repeated PUTs, throttling."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dockyard.arm.throttling import Limit, Limits
from dockyard.model.role import READER
from tests.contract.arm.test_official_sdk import BODY
from tests.support.callers import RG, SUB, Directory, directory

VM = f"{RG}/providers/Microsoft.Compute/virtualMachines/web"
GROUP = f"{SUB}/resourceGroups/red"


async def test_a_request_names_its_version(calls: Directory) -> None:
    answer = await calls.owner.ask("GET", SUB, query={"api-version": ""})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "MissingApiVersionParameter")
    for wrong in ("latest", "2024-1-1", "2024-13-01", "2024-11-01 ", "'"):
        answer = await calls.owner.ask("GET", SUB, query={"api-version": wrong})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (400, "InvalidApiVersionParameter")
        assert "The supported versions are '2026-04-01," in error["message"]
    for right in ("2014-04-01", "2099-12-31", "2015-05-01-preview"):
        assert (await calls.owner.ask("GET", SUB, query={"api-version": right})).status_code == 200


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"{RG}/providers/Microsoft.Nothing/things/x", "InvalidResourceNamespace"),
        (f"{RG}/providers/Microsoft.Compute/things/x", "InvalidResourceType"),
        (f"{VM}/things/x", "InvalidResourceType"),
        (f"{RG}/things", "NotFound"),
        ("/things", "NotFound"),
    ],
)
async def test_what_is_not_served_is_told_apart(calls: Directory, path: str, code: str) -> None:
    answer = await calls.owner.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, code)


async def test_a_method_that_is_not_served_is_told_with_those_that_are(calls: Directory) -> None:
    answer = await calls.owner.post(GROUP)
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "MethodNotAllowed")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, PATCH, PUT"


async def test_the_same_put_again_changes_nothing(calls: Directory) -> None:
    first = await calls.owner.put(GROUP, {"location": "local", "tags": {"a": "b"}})
    second = await calls.owner.put(GROUP, {"location": "local", "tags": {"a": "b"}})
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    made = await calls.owner.put(VM, BODY)
    assert made.status_code == 201
    await calls.world.boot()
    await calls.settled()
    again = await calls.owner.put(VM, BODY)
    assert again.status_code == 200
    assert "azure-asyncoperation" not in again.headers
    assert again.headers["etag"] == made.headers["etag"]


async def test_an_etag_changes_with_what_was_asked_for(calls: Directory) -> None:
    red = (await calls.owner.put(GROUP, {"tags": {"colour": "red"}})).headers["etag"]
    assert (await calls.owner.get(GROUP)).headers["etag"] == red
    blue = (await calls.owner.put(GROUP, {"tags": {"colour": "blue"}})).headers["etag"]
    assert red != blue
    assert (await calls.owner.ask("GET", GROUP, headers={"If-None-Match": blue})).status_code == 304
    assert (await calls.owner.ask("GET", GROUP, headers={"If-None-Match": red})).status_code == 200


async def test_if_match_lets_only_the_present_one_be_changed(calls: Directory) -> None:
    assert (await calls.owner.put(GROUP, {}, headers={"If-Match": "*"})).status_code == 412
    tag = (await calls.owner.put(GROUP, {}, headers={"If-None-Match": "*"})).headers["etag"]
    assert (await calls.owner.put(GROUP, {}, headers={"If-None-Match": "*"})).status_code == 412
    changed = await calls.owner.put(GROUP, {"tags": {"a": "b"}}, headers={"If-Match": f'"x", W/{tag}'})
    assert changed.status_code == 200
    stale = await calls.owner.ask("DELETE", GROUP, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["error"]["code"]) == (412, "PreconditionFailed")
    assert (await calls.owner.get(GROUP)).status_code == 200
    assert (await calls.owner.ask("DELETE", GROUP, headers={"If-Match": changed.headers["etag"]})).status_code == 202


async def test_of_many_with_the_same_etag_one_wins(calls: Directory) -> None:
    tag = (await calls.owner.put(GROUP, {})).headers["etag"]
    answers = await asyncio.gather(
        *(calls.owner.put(GROUP, {"tags": {"n": str(n)}}, headers={"If-Match": tag}) for n in range(20))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 19


async def test_a_machine_shows_its_etag_as_azures_documents_do(calls: Directory) -> None:
    await calls.owner.put(VM, BODY)
    await calls.world.boot()
    await calls.settled()
    shown = await calls.owner.get(VM)
    assert shown.json()["etag"] == shown.headers["etag"]
    changed = await calls.owner.ask("PATCH", VM, {"tags": {"a": "b"}}, headers={"If-Match": shown.json()["etag"]})
    assert changed.status_code == 200
    assert changed.json()["etag"] != shown.json()["etag"]


async def test_a_body_too_large_is_refused_under_a_condition_too(calls: Directory) -> None:
    body = {"tags": {"a": "x" * (5 * 2**20)}}
    answer = await calls.owner.put(GROUP, body, headers={"If-Match": "*"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "RequestContentTooLarge")


async def test_each_principal_has_its_own_buckets_for_reads_and_writes(tmp_path: Path) -> None:
    limits = Limits(reads=Limit(3, 0.5), writes=Limit(30, 1))
    async with directory(tmp_path, limits=limits) as calls:
        reader = await calls.with_role(READER)
        left = [(await reader.get(SUB)).headers["x-ms-ratelimit-remaining-subscription-reads"] for _ in range(3)]
        assert left == ["2", "1", "0"]
        refused = await reader.get(SUB)
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "TooManyRequests")
        assert refused.headers["retry-after"] == "2"
        assert (await reader.put(GROUP, {})).status_code == 403
        assert (await calls.owner.get(SUB)).status_code == 200
        made = await calls.owner.put(GROUP, {})
        assert int(made.headers["x-ms-ratelimit-remaining-subscription-writes"]) < 30
        await calls.world.clock.sleep(2)
        assert (await reader.get(SUB)).status_code == 200
        assert (await reader.get(SUB)).status_code == 429

"""Instance metadata by Azure's rules."""

from __future__ import annotations

import httpx
import pytest

from tests.support.wire_bench import GOAL

HEADERS = {"Metadata": "true"}
# What cloud-init 25.1 and WALinuxAgent 2.12 ask for, word for word.
ASKED = [
    "/metadata/instance?api-version=2021-08-01&extended=true",
    "/metadata/instance?api-version=2019-06-01",
    "/metadata/instance?api-version=2018-02-01",
]


@pytest.mark.parametrize("path", ASKED)
async def test_the_machine_is_described(meta: httpx.AsyncClient, path: str) -> None:
    document = (await meta.get(path, headers={"Metadata": "True"})).json()
    assert document["compute"]["vmId"] == GOAL.vm_id
    assert len(document["network"]["interface"]) == 2


@pytest.mark.parametrize(("version", "has_it"), [("2018-02-01", False), ("2020-07-15", True), ("2021-08-01", True)])
async def test_an_old_version_lacks_what_came_later(meta: httpx.AsyncClient, version: str, has_it: bool) -> None:
    compute = await meta.get(f"/metadata/instance/compute?api-version={version}", headers=HEADERS)
    assert ("osProfile" in compute.json()) is has_it


async def test_a_part_can_be_asked_for(meta: httpx.AsyncClient) -> None:
    compute = await meta.get("/metadata/instance/compute?api-version=2018-02-01", headers=HEADERS)
    assert compute.json()["location"] == "local"
    interface = "/metadata/instance/network/interface/1/macAddress?api-version=2021-08-01&format=text"
    assert (await meta.get(interface, headers=HEADERS)).text == "525511111111"


@pytest.mark.parametrize("headers", [{}, {"Metadata": "no"}, {"Metadata": "true", "X-Forwarded-For": "10.0.0.9"}])
async def test_a_request_that_was_talked_into_is_refused(meta: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert (await meta.get(ASKED[0], headers=headers)).status_code == 400
    assert (await meta.get("/metadata/versions", headers=headers)).status_code == 400


@pytest.mark.parametrize("query", ["", "?api-version=", "?api-version=latest"])
async def test_a_request_without_a_version_is_refused(meta: httpx.AsyncClient, query: str) -> None:
    assert (await meta.get(f"/metadata/instance{query}", headers=HEADERS)).status_code == 400


async def test_the_versions_are_listed(meta: httpx.AsyncClient) -> None:
    assert "2021-08-01" in (await meta.get("/metadata/versions", headers=HEADERS)).json()["apiVersions"]


@pytest.mark.parametrize("path", ["compute/nothing", "network/interface/2", "network/interface/²", "compute/name/x"])
async def test_a_part_that_is_not_there_is_not_found(meta: httpx.AsyncClient, path: str) -> None:
    answer = await meta.get(f"/metadata/instance/{path}?api-version=2021-08-01", headers=HEADERS)
    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/", "/metadata/identity/oauth2/token?api-version=2018-02-01", "/metadata/attested"])
async def test_other_services_are_not_found(meta: httpx.AsyncClient, path: str) -> None:
    assert (await meta.get(path, headers=HEADERS)).status_code == 404

"""The host plugin as WALinuxAgent 2.12 asks it."""

from __future__ import annotations

import httpx
import pytest

from dockyard_contract.aggregate_status import (
    AggregateStatus,
    GoalStateReport,
    GuestAgentReport,
    dump_aggregate_status,
)
from dockyard_contract.extension_manifest import parse_extension_manifest
from dockyard_contract.status_upload import StatusUpload, dump_status_upload
from tests.support.wire_bench import GOAL, Bench

STATUS = AggregateStatus(GuestAgentReport("2.12", "Ready"), (), GoalStateReport("Success", "1"))


def upload(content: bytes) -> str:
    return dump_status_upload(
        StatusUpload("http://168.63.129.16/status/x", (("x-ms-blob-type", "BlockBlob"),), content)
    )


async def test_the_agents_version_is_offered(host: httpx.AsyncClient) -> None:
    assert "2015-09-01" in (await host.get("/versions")).json()


async def test_it_is_well(host: httpx.AsyncClient) -> None:
    assert (await host.get("/health")).status_code == 200


async def test_a_status_report_arrives(bench: Bench, host: httpx.AsyncClient) -> None:
    answer = await host.put("/status", content=upload(dump_aggregate_status(STATUS).encode()))
    assert (answer.status_code, bench.platform.statuses) == (200, [(GOAL.vm_id, STATUS)])


@pytest.mark.parametrize(
    "body", ["", "{}", upload(b""), upload(b"{}"), upload(b"\xff"), '{"requestUri":"","content":"%"}']
)
async def test_a_report_nobody_can_read_is_a_bad_request(bench: Bench, host: httpx.AsyncClient, body: str) -> None:
    assert (await host.put("/status", content=body)).status_code == 400
    assert bench.platform.statuses == []


async def test_there_is_no_second_source_of_goals(host: httpx.AsyncClient) -> None:
    assert (await host.get("/vmSettings")).status_code == 404


async def test_an_artifact_can_be_fetched_the_long_way(host: httpx.AsyncClient) -> None:
    url = "http://168.63.129.16/extensions/Contoso.Harbour.Crane/1.2.3/manifest.xml"
    answer = await host.get("/extensionArtifact", headers={"x-ms-artifact-location": url})
    assert parse_extension_manifest(answer.content).versions[0].version == "1.2.3"


@pytest.mark.parametrize("location", ["", "http://169.254.169.254/metadata/instance", "file:///etc/passwd"])
async def test_the_long_way_leads_nowhere_else(host: httpx.AsyncClient, location: str) -> None:
    answer = await host.get("/extensionArtifact", headers={"x-ms-artifact-location": location})
    assert answer.status_code == 404


async def test_the_agents_log_is_taken_and_let_go(host: httpx.AsyncClient) -> None:
    assert (await host.put("/vmAgentLog", content=b"x" * 1_000_000)).status_code == 200

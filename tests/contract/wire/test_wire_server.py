"""The wire server as WALinuxAgent 2.12 and cloud-init 25.1 ask it."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from dockyard.wire.http import REPORT_LIMIT
from dockyard_contract.aggregate_status import AggregateStatus, GuestAgentReport, dump_aggregate_status
from dockyard_contract.certificates import parse_certificates
from dockyard_contract.extension_manifest import parse_extension_manifest
from dockyard_contract.extensions_config import parse_extensions_config
from dockyard_contract.goal_state import parse_goal_state
from dockyard_contract.health import (
    Health,
    HealthServiceReport,
    HealthState,
    Observation,
    dump_health,
    dump_health_service,
)
from dockyard_contract.hosting_environment import parse_hosting_environment, parse_shared_config
from dockyard_contract.versions import AGENT_VERSION, parse_versions
from tests.support.fake_platform import a_goal, a_plugin
from tests.support.wire_bench import GOAL, Bench

STATUS = dump_aggregate_status(AggregateStatus(GuestAgentReport("2.12", "Ready")))
HEALTH = Health("1", GOAL.vm_id, "_web", HealthState.NOT_READY, "ProvisioningFailed", "no <disk>")


async def test_the_agents_protocol_version_is_offered(wire: httpx.AsyncClient) -> None:
    assert AGENT_VERSION in parse_versions((await wire.get("/?comp=versions")).content).supported


@pytest.mark.parametrize("path", ["/machine/?comp=goalstate", "/machine?comp=goalstate"])
async def test_every_part_a_goal_state_names_is_there(wire: httpx.AsyncClient, path: str) -> None:
    goal = parse_goal_state((await wire.get(path)).content)
    environment = parse_hosting_environment((await wire.get(goal.hosting_environment)).content)
    shared = parse_shared_config((await wire.get(goal.shared_config)).content)
    config = parse_extensions_config((await wire.get(goal.extensions_config)).content)
    assert (environment.instance, shared.address, config.incarnation) == ("_web", "10.0.0.4", 1)


async def test_a_new_goal_is_served_at_once(bench: Bench, wire: httpx.AsyncClient) -> None:
    before = parse_goal_state((await wire.get("/machine/?comp=goalstate")).content)
    await bench.platform.publish(a_goal(incarnation=2))
    after = parse_goal_state((await wire.get("/machine/?comp=goalstate")).content)
    config = parse_extensions_config((await wire.get(after.extensions_config)).content)
    assert (before.incarnation, after.incarnation, config.plugins) == (1, 2, ())


async def test_the_certificate_opens_with_the_transport_key_alone(
    bench: Bench, wire: httpx.AsyncClient, tmp_path: Path
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = transport(key)
    answer = await wire.get(certificates_url(), headers=offered(certificate))
    (tmp_path / "envelope").write_bytes(parse_certificates(answer.content).envelope)
    (tmp_path / "certificate").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "key").write_bytes(pem(key))
    argv = ["cms", "-decrypt", "-inform", "DER", "-in", "envelope", "-recip", "certificate", "-inkey", "key"]
    openssl = await asyncio.create_subprocess_exec("openssl", *argv, cwd=tmp_path, stdout=asyncio.subprocess.PIPE)
    opened, _ = await openssl.communicate()
    assert opened == bench.keys.pkcs12(vm_id=GOAL.vm_id)


@pytest.mark.parametrize("header", ["", "%%%", base64.b64encode(b"no certificate").decode()])
async def test_an_unusable_transport_certificate_is_a_bad_request(wire: httpx.AsyncClient, header: str) -> None:
    answer = await wire.get(certificates_url(), headers={"x-ms-guest-agent-public-x509-cert": header})
    assert answer.status_code == 400


async def test_a_transport_key_nothing_can_be_encrypted_to_is_a_bad_request(wire: httpx.AsyncClient) -> None:
    certificate = transport(ec.generate_private_key(ec.SECP256R1()))
    assert (await wire.get(certificates_url(), headers=offered(certificate))).status_code == 400


@pytest.mark.parametrize("path", ["/machine/?comp=health", "/machine?comp=health"])
async def test_a_health_report_arrives(bench: Bench, wire: httpx.AsyncClient, path: str) -> None:
    answer = await wire.post(path, content=dump_health(HEALTH))
    vm_id, report = bench.platform.health[0]
    assert (answer.status_code, vm_id, report.ready, report.description) == (200, GOAL.vm_id, False, "no <disk>")
    assert report.user_agent.startswith("WALinuxAgent")


async def test_a_status_blob_is_a_report_too(bench: Bench, wire: httpx.AsyncClient) -> None:
    goal = parse_goal_state((await wire.get("/machine/?comp=goalstate")).content)
    blob = parse_extensions_config((await wire.get(goal.extensions_config)).content).status_blob
    answer = await wire.put(blob.url, content=STATUS)
    assert (answer.status_code, bench.platform.statuses[0][0]) == (201, GOAL.vm_id)


async def test_an_extension_is_fetched_as_its_goal_says(bench: Bench, wire: httpx.AsyncClient, tmp_path: Path) -> None:
    archive = tmp_path / "package.zip"
    archive.write_bytes(bytes(range(256)) * 4000)
    await bench.platform.publish(a_goal(a_plugin(archive=archive), incarnation=2))
    goal = parse_goal_state((await wire.get("/machine/?comp=goalstate")).content)
    plugin = parse_extensions_config((await wire.get(goal.extensions_config)).content).plugins[0]
    manifest = parse_extension_manifest((await wire.get(plugin.location)).content)
    assert manifest.versions[0].version == plugin.version
    assert (await wire.get(manifest.versions[0].urls[0])).content == archive.read_bytes()


async def test_a_package_that_is_gone_is_not_found(wire: httpx.AsyncClient) -> None:
    assert (await wire.get("/extensions/Contoso.Harbour.Crane/1.2.3/package.zip")).status_code == 404


async def test_an_extension_the_goal_does_not_name_is_not_found(wire: httpx.AsyncClient) -> None:
    assert (await wire.get("/extensions/Contoso.Harbour.Crane/9.9.9/manifest.xml")).status_code == 404


@pytest.mark.parametrize(("comp", "status"), [("telemetrydata", 200), ("roleProperties", 202)])
async def test_what_nobody_reads_is_taken(wire: httpx.AsyncClient, comp: str, status: int) -> None:
    assert (await wire.post(f"/machine?comp={comp}", content=b"x" * 65536)).status_code == status


async def test_the_agents_judgement_is_taken(wire: httpx.AsyncClient) -> None:
    report = HealthServiceReport("WALinuxAgent", (Observation("GuestAgentPluginHeartbeat", False, "no answer"),))
    assert (await wire.post("/HealthService", content=dump_health_service(report))).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/machine?comp=health"),
        ("POST", "/HealthService"),
        ("PUT", f"/status/{GOAL.vm_id}"),
    ],
)
@pytest.mark.parametrize("body", [b"", b"{}", b"<a/>", b"\xff\xfe", b"[" * 100_000])
async def test_a_report_nobody_can_read_is_a_bad_request(
    bench: Bench, wire: httpx.AsyncClient, method: str, path: str, body: bytes
) -> None:
    assert (await wire.request(method, path, content=body)).status_code == 400
    assert (bench.platform.health, bench.platform.statuses) == ([], [])


async def test_a_report_beyond_all_bounds_is_refused(wire: httpx.AsyncClient) -> None:
    answer = await wire.put(f"/status/{GOAL.vm_id}", content=b" " * (REPORT_LIMIT + 1))
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/?comp=other"),
        ("GET", "/machine/?comp=other"),
        ("POST", "/machine/?comp=other"),
        ("GET", "/nothing"),
        ("GET", f"/machine/{GOAL.vm_id}/_web?comp=config&type=other"),
        ("GET", f"/machine/{GOAL.vm_id}/_web?comp=other"),
        ("GET", "/machine/another/_web?comp=config&type=extensionsConfig"),
        ("PUT", "/status/another"),
        ("GET", "/metadata/instance?api-version=2021-08-01"),
    ],
)
async def test_what_is_not_there_is_not_found(wire: httpx.AsyncClient, method: str, path: str) -> None:
    assert (await wire.request(method, path)).status_code == 404


async def test_a_machine_that_is_gone_is_not_found(bench: Bench, wire: httpx.AsyncClient) -> None:
    await bench.platform.forget(GOAL.vm_id)
    assert (await wire.get("/machine/?comp=goalstate")).status_code == 404
    assert (await wire.post("/machine?comp=health", content=dump_health(HEALTH))).status_code == 404


async def test_a_document_follows_the_goal_and_not_the_first_answer(bench: Bench, wire: httpx.AsyncClient) -> None:
    url = f"/machine/{GOAL.vm_id}/_web?comp=config&type=extensionsConfig"
    await wire.get(url)
    await bench.platform.publish(a_goal(replace(a_plugin(), version="2.0"), incarnation=2))
    assert parse_extensions_config((await wire.get(url)).content).plugins[0].version == "2.0"


def certificates_url() -> str:
    return f"/machine/{GOAL.vm_id}/_web?comp=certificates"


def offered(certificate: x509.Certificate) -> dict[str, str]:
    der = certificate.public_bytes(serialization.Encoding.DER)
    return {"x-ms-guest-agent-public-x509-cert": base64.b64encode(der).decode(), "x-ms-cipher-name": "DES_EDE3_CBC"}


def transport(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "LinuxTransport")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return builder.sign(key, hashes.SHA256())


def pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

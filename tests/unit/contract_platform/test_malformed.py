"""What is not a platform's document is refused with the document's name, the place, and the expectation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dockyard_contract.aggregate_status import parse_aggregate_status
from dockyard_contract.certificates import parse_certificates
from dockyard_contract.errors import MalformedDocument
from dockyard_contract.extension_manifest import parse_extension_manifest
from dockyard_contract.extensions_config import parse_extensions_config
from dockyard_contract.goal_state import parse_goal_state
from dockyard_contract.health import parse_health, parse_health_service
from dockyard_contract.hosting_environment import parse_hosting_environment, parse_shared_config
from dockyard_contract.status_upload import parse_status_upload
from dockyard_contract.versions import parse_versions

PARSERS: tuple[Callable[[str], object], ...] = (
    parse_aggregate_status,
    parse_certificates,
    parse_extension_manifest,
    parse_extensions_config,
    parse_goal_state,
    parse_health,
    parse_health_service,
    parse_hosting_environment,
    parse_shared_config,
    parse_status_upload,
    parse_versions,
)
AGENT = '{"aggregateStatus":{"guestAgentStatus":{"version":"2","status":"Ready"}'
BLOB = '<StatusUploadBlob statusBlobType="BlockBlob">u</StatusUploadBlob>'


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize(
    "text", ["", "null", "[1]", "<a/>", "<Health", "{", "\x00", '<!DOCTYPE a [<!ENTITY b "c">]><a/>']
)
def test_what_is_no_such_document_is_refused(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(MalformedDocument, match="expected"):
        parse(text)


def _config(inner: str, *, blob: str = BLOB) -> str:
    return f'<Extensions goalStateIncarnation="1">{inner}{blob}</Extensions>'


def _plugin(state: str = "enabled") -> str:
    return f'<Plugins><Plugin name="A.B" version="1" location="l" state="{state}"/></Plugins>'


def _settings(version: str, *, inner: str = '<RuntimeSettings seqNo="0"/>') -> str:
    return f'<PluginSettings><Plugin name="A.B" version="{version}">{inner}</Plugin></PluginSettings>'


@pytest.mark.parametrize(
    ("parse", "text", "member"),
    [
        (parse_aggregate_status, "{}", "aggregateStatus"),
        (parse_aggregate_status, '{"aggregateStatus":{}}', "guestAgentStatus"),
        (parse_aggregate_status, AGENT.replace("Ready", "Fine") + "}}", "guestAgentStatus.status"),
        (parse_aggregate_status, AGENT + ',"handlerAggregateStatus":{}}}', "handlerAggregateStatus"),
        (
            parse_aggregate_status,
            AGENT + ',"handlerAggregateStatus":[{}]}}',
            r"handlerAggregateStatus\[0\].handlerName",
        ),
        (
            parse_aggregate_status,
            AGENT + ',"handlerAggregateStatus":[{"handlerName":"a","handlerVersion":"1","status":"Ready",'
            '"runtimeSettingsStatus":{"sequenceNumber":0,"settingsStatus":{"status":{"status":"failed"}}}}]}}',
            "settingsStatus.status.status: expected one of transitioning",
        ),
        (parse_certificates, "<CertificateFile><Format>Pem</Format></CertificateFile>", "Format: expected Pkcs7Blob"),
        (parse_certificates, "<CertificateFile><Data>é!</Data></CertificateFile>", "Data: expected a base64"),
        (parse_extensions_config, _config(""), "Extensions/Plugins"),
        (parse_extensions_config, _config(_plugin(), blob=""), "StatusUploadBlob"),
        (parse_extensions_config, _config(_plugin(""), blob=BLOB), "expected one of enabled"),
        (parse_extensions_config, _config(_plugin() + _settings("2")), "expected name and version of a listed plugin"),
        (parse_extensions_config, _config(_plugin() + _settings("1", inner="")), "RuntimeSettings"),
        (parse_goal_state, "<GoalState><Incarnation>x</Incarnation></GoalState>", "GoalState/Container"),
        (parse_health, "<Health><GoalStateIncarnation>1</GoalStateIncarnation></Health>", "Health/Container"),
        (
            parse_health_service,
            '{"Source":"a","Observations":[{"ObservationName":"b"}]}',
            r"Observations\[0\].IsHealthy",
        ),
        (parse_status_upload, '{"requestUri":"u","content":"%"}', "content: expected a base64 text"),
        (parse_status_upload, '{"requestUri":"u","content":"é"}', "content: expected a base64 text"),
        (parse_status_upload, '{"requestUri":"u","content":7}', "content: expected a string"),
    ],
)
def test_the_error_names_the_member(parse: Callable[[str], object], text: str, member: str) -> None:
    with pytest.raises(MalformedDocument, match=member):
        parse(text)


def test_a_health_state_of_another_word_is_refused() -> None:
    role = "<Role><InstanceId>i</InstanceId><Health><State>Fine</State></Health></Role>"
    container = f"<Container><ContainerId>c</ContainerId><RoleInstanceList>{role}</RoleInstanceList></Container>"
    text = f"<Health><GoalStateIncarnation>1</GoalStateIncarnation>{container}</Health>"
    with pytest.raises(MalformedDocument, match="State: expected one of Ready, NotReady"):
        parse_health(text)

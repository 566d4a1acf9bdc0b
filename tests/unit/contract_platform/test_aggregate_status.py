"""The agent's report: read as WALinuxAgent 2.12 writes it, with whatever a handler made it pass on."""

from __future__ import annotations

import json

import pytest

from dockyard_contract.aggregate_status import HandlerReport, SettingsReport, parse_aggregate_status

# Written by the agent's own code (vm_status_to_v1), with a handler's status whose code is a text.
WRITTEN = (
    '{"version": "1.1", "timestampUTC": "2026-11-23T22:11:46Z", "aggregateStatus": {"guestAgentStatus": {"vers'
    'ion": "2.12.0.2", "status": "Ready", "formattedMessage": {"lang": "en-US", "message": "Guest Agent is run'
    'ning"}}, "handlerAggregateStatus": [{"handlerVersion": "1.2.3", "handlerName": "Contoso.Harbour.Crane", "'
    'status": "Ready", "code": 0, "useExactVersion": true, "formattedMessage": {"lang": "en-US", "message": "P'
    'lugin enabled"}, "runtimeSettingsStatus": {"settingsStatus": {"status": {"name": "Contoso.Harbour.Crane",'
    ' "configurationAppliedTime": null, "operation": "Enable", "status": "success", "code": "12", "formattedMe'
    'ssage": {"lang": "en-US", "message": "ok"}, "substatus": [{"name": "a", "status": "success", "code": 0, "'
    'formattedMessage": {"lang": "en-US", "message": "m"}}]}, "version": 1.0, "timestampUTC": "2026-11-23T22:1'
    '1:46Z"}, "sequenceNumber": 3}}], "vmArtifactsAggregateStatus": {"goalStateAggregateStatus": {"formattedMe'
    'ssage": {"lang": "en-US", "message": "GoalState executed successfully"}, "timestampUTC": "2026-11-23T22:1'
    '1:46Z", "inSvdSeqNo": 5, "status": "Success", "code": 0}}}, "guestOSInfo": {"computerName": "vm", "osName'
    '": "debian", "osVersion": "13", "version": "2.12.0.2"}, "supportedFeatures": [{"Key": "MultipleExtensions'
    'PerHandler", "Value": "1.0"}]}'
)


def test_the_agents_own_writing_is_read() -> None:
    status = parse_aggregate_status(WRITTEN)
    handler = status.handlers[0]
    assert (status.incarnation, status.guest_agent.status, handler.sequence_number) == (5, "Ready", 3)
    assert handler.settings_status is not None
    assert (handler.settings_status.code, handler.settings_status.substatuses[0].name) == (12, "a")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (7, 7),
        ("7", 7),
        ("-3", -3),
        ("²", 0),
        ("x", 0),
        (None, 0),
        (True, 0),
        (1.5, 0),
        ([1], 0),
        (10**30, 0),
        ("9" * 40, 0),
    ],
)
def test_a_handlers_code_of_any_kind_does_not_cost_the_report(written: object, read: int) -> None:
    assert _settings(code=written).code == read


@pytest.mark.parametrize(("written", "read"), [("text", "text"), (None, ""), (7, "7"), ({"a": [1]}, '{"a": [1]}')])
def test_a_handlers_message_of_any_kind_does_not_cost_the_report(written: object, read: str) -> None:
    assert _settings(formattedMessage={"lang": "en", "message": written}).message == read


@pytest.mark.parametrize(
    ("word", "read"), [("ready", "Ready"), ("Busy", "NotReady"), (None, "NotReady"), (3, "NotReady")]
)
def test_a_heartbeats_word_becomes_one_of_the_agents(word: object, read: str) -> None:
    document = json.loads(WRITTEN)
    document["aggregateStatus"]["handlerAggregateStatus"][0]["status"] = word
    assert parse_aggregate_status(json.dumps(document)).handlers[0].status == read


@pytest.mark.parametrize(
    ("handler", "settings", "is_final"),
    [
        ("Ready", None, True),
        ("Ready", "success", True),
        ("Ready", "error", True),
        ("Ready", "transitioning", False),
        ("NotReady", None, True),
        ("NotReady", "transitioning", True),
        ("Installing", None, False),
    ],
)
def test_a_handler_is_final_when_nothing_is_under_way(handler: str, settings: str | None, is_final: bool) -> None:
    report = HandlerReport("a", "1", handler, settings_status=None if settings is None else SettingsReport(settings))
    assert report.is_final is is_final


@pytest.mark.parametrize("text", ['"etag"', '"-1"', '""', "null", '"²"', '"' + "9" * 40 + '"'])
def test_a_sequence_that_is_no_incarnation_reads_as_none(text: str) -> None:
    assert parse_aggregate_status(WRITTEN.replace('"inSvdSeqNo": 5', f'"inSvdSeqNo": {text}')).incarnation is None


def _settings(**members: object) -> SettingsReport:
    document = json.loads(WRITTEN)
    handler = document["aggregateStatus"]["handlerAggregateStatus"][0]
    handler["runtimeSettingsStatus"]["settingsStatus"]["status"].update(members)
    settings = parse_aggregate_status(json.dumps(document)).handlers[0].settings_status
    assert settings is not None
    return settings

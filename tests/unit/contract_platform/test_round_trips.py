"""What is written can be read: every document of the platform's side, there and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dockyard_contract.aggregate_status import (
    AggregateStatus,
    GoalStateReport,
    GuestAgentReport,
    GuestOsReport,
    HandlerReport,
    SettingsReport,
    SubStatusReport,
    dump_aggregate_status,
    parse_aggregate_status,
)
from dockyard_contract.certificates import Certificates, dump_certificates, parse_certificates
from dockyard_contract.extension_manifest import (
    ExtensionManifest,
    PublishedVersion,
    dump_extension_manifest,
    parse_extension_manifest,
)
from dockyard_contract.extensions_config import (
    BlobType,
    ConfigurationState,
    ExtensionsConfig,
    GoalStateMetaData,
    HandlerState,
    NamedSettings,
    Plugin,
    PluginSettings,
    StatusBlob,
    dump_extensions_config,
    parse_extensions_config,
)
from dockyard_contract.goal_state import GoalState, dump_goal_state, parse_goal_state
from dockyard_contract.health import (
    Health,
    HealthServiceReport,
    HealthState,
    Observation,
    dump_health,
    dump_health_service,
    parse_health,
    parse_health_service,
)
from dockyard_contract.hosting_environment import (
    HostingEnvironment,
    SharedConfig,
    dump_hosting_environment,
    dump_shared_config,
    parse_hosting_environment,
    parse_shared_config,
)
from dockyard_contract.settings import HandlerSettings
from dockyard_contract.status_upload import StatusUpload, dump_status_upload, parse_status_upload
from dockyard_contract.versions import Versions, dump_versions, parse_versions

NASTY = "a <b> & ]]> \"c\" 'd' é 🐳"
GOAL = GoalState(7, "container", "_web", "http://h/?a=1&b=2", "http://s/", "http://e/", "http://c/?x=1&y=2", "n.7.xml")
CONFIG = ExtensionsConfig(
    incarnation=7,
    status_blob=StatusBlob("http://blob/?sig=a&b", BlobType.BLOCK),
    plugins=(
        Plugin(
            "Contoso.Crane", "1.2.3", "http://m/?a&b", HandlerState.ENABLED, PluginSettings(4, HandlerSettings(), 2)
        ),
        Plugin("Contoso.Pump", "1.0", "http://m/", HandlerState.UNINSTALL),
        Plugin(
            "Contoso.Winch",
            "2.0",
            "http://m/",
            configurations=(
                NamedSettings("first", PluginSettings(4, HandlerSettings(), 2)),
                NamedSettings("second", PluginSettings(0, HandlerSettings(protected="Y2lwaGVy", thumbprint="AB" * 20))),
                NamedSettings("gone", PluginSettings(1, HandlerSettings()), ConfigurationState.DISABLED),
            ),
        ),
    ),
    meta_data=GoalStateMetaData(7, 638_000_000_000_000_000),
)
STATUS = AggregateStatus(
    guest_agent=GuestAgentReport("2.12.0.2", "Ready", "Guest Agent is running"),
    handlers=(
        HandlerReport("Contoso.Pump", "1.0", "NotReady", 1009, NASTY),
        HandlerReport(
            "Contoso.Crane", "1.2.3", "Ready", 0, "Plugin enabled",
            SettingsReport(
                "transitioning", 3, NASTY, "Enable", "crane", "2026-01-01T00:00:00Z",
                (SubStatusReport("engine", "success", 0, NASTY), SubStatusReport("pull", "error", -1, "")),
            ),
            4, "first",
        ),
    ),
    goal_state=GoalStateReport("Success", "7", 0, "done", "2026-01-01T00:00:00Z"),
    guest_os=GuestOsReport("web", "debian", "13", "2.12.0.2"),
    timestamp="2026-01-01T00:00:00Z",
    supported_features=("MultipleExtensionsPerHandler",),
)  # fmt: skip


@pytest.mark.parametrize(
    ("value", "dump", "parse"),
    [
        (Versions("2012-11-30", ("2012-11-30", "2015-04-05")), dump_versions, parse_versions),
        (GOAL, dump_goal_state, parse_goal_state),
        (replace(GOAL, certificates=None, config_name=""), dump_goal_state, parse_goal_state),
        (HostingEnvironment("d", NASTY, "_web", 7), dump_hosting_environment, parse_hosting_environment),
        (SharedConfig("d", "web", "_web", 7, "10.0.0.4"), dump_shared_config, parse_shared_config),
        (Certificates(7, bytes(range(256)) * 3), dump_certificates, parse_certificates),
        (CONFIG, dump_extensions_config, parse_extensions_config),
        (replace(CONFIG, plugins=(), meta_data=None), dump_extensions_config, parse_extensions_config),
        (
            ExtensionManifest(
                (PublishedVersion("1.2.3", ("http://a/?b&c", "http://d/")), PublishedVersion("1.3.0", ()))
            ),
            dump_extension_manifest,
            parse_extension_manifest,
        ),
        (Health("7", "c", "_web", HealthState.READY), dump_health, parse_health),
        (Health("7", "c", "i", HealthState.NOT_READY, "ProvisioningFailed", NASTY), dump_health, parse_health),
        (
            HealthServiceReport("WALinuxAgent", (Observation("GuestAgentPluginHeartbeat", False, NASTY, "x"),)),
            dump_health_service,
            parse_health_service,
        ),
        (STATUS, dump_aggregate_status, parse_aggregate_status),
        (AggregateStatus(GuestAgentReport("2.12", "NotReady")), dump_aggregate_status, parse_aggregate_status),
        (StatusUpload("http://b", (("x-ms-version", "2014-02-14"),), b"{}"), dump_status_upload, parse_status_upload),
    ],
    ids=lambda part: type(part).__name__,
)
def test_what_is_written_reads_back(value: object, dump: Callable[[Any], str], parse: Callable[[str], object]) -> None:
    assert parse(dump(value)) == value

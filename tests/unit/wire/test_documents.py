"""From a goal to what a guest reads: each document says what the goal says, and no more."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from dockyard.model.extension import ProtectedSettings
from dockyard.model.guest import Configuration, PluginState
from dockyard.model.virtual_machine import SshPublicKey
from dockyard.wire.artifacts import manifest
from dockyard.wire.goal_state import documents as wire_server
from dockyard.wire.metadata import documents as metadata
from dockyard_contract.extension_manifest import parse_extension_manifest
from dockyard_contract.extensions_config import ConfigurationState, HandlerState, parse_extensions_config
from dockyard_contract.goal_state import parse_goal_state
from dockyard_contract.hosting_environment import parse_hosting_environment, parse_shared_config
from tests.support.fake_platform import HANDLER, a_goal, a_plugin
from tests.support.values import a_machine

GOAL = a_goal(a_plugin(sequence_number=4, protected=ProtectedSettings("Y2lwaGVy", "AB" * 20)), incarnation=7)


def test_a_goal_state_names_its_parts_by_absolute_urls() -> None:
    read = parse_goal_state(wire_server.goal_state(GOAL))
    where = f"http://168.63.129.16/machine/{GOAL.vm_id}/_web"
    assert (read.incarnation, read.container_id, read.instance_id) == (7, GOAL.vm_id, "_web")
    assert read.extensions_config == f"{where}?comp=config&type=extensionsConfig&incarnation=7"
    assert read.certificates == f"{where}?comp=certificates&incarnation=7"


def test_an_extension_comes_with_both_kinds_of_settings() -> None:
    config = parse_extensions_config(wire_server.extensions_config(GOAL))
    plugin = config.plugins[0]
    assert (plugin.name, plugin.version, plugin.state) == (HANDLER, "1.2.3", HandlerState.ENABLED)
    assert plugin.settings is not None
    assert plugin.settings.sequence_number == 4
    settings = plugin.settings.settings
    assert settings.public is not None
    assert settings.public.members == {"greeting": 'a <b> & ]]> "c"'}
    assert (settings.protected, settings.thumbprint) == ("Y2lwaGVy", "AB" * 20)


def test_a_goal_tells_its_time_and_where_reports_go() -> None:
    config = parse_extensions_config(wire_server.extensions_config(GOAL))
    assert config.meta_data is not None
    assert (config.meta_data.in_svd_seq_no, config.meta_data.created_on_ticks) == (7, GOAL.machine.goal_ticks)
    assert config.status_blob.url == f"http://168.63.129.16/status/{GOAL.vm_id}"


def test_an_extension_without_settings_has_none_in_the_document() -> None:
    plugin = replace(a_plugin(), settings=None, state=PluginState.UNINSTALL)
    read = parse_extensions_config(wire_server.extensions_config(a_goal(plugin))).plugins[0]
    assert (read.settings, read.state) == (None, HandlerState.UNINSTALL)


def test_named_configurations_stand_beside_each_other_and_need_a_feature_of_the_agent() -> None:
    named = (
        Configuration(name="first", sequence_number=3, settings={"a": 1}),
        Configuration(name="gone", sequence_number=0, is_wanted=False),
    )
    text = wire_server.extensions_config(a_goal(replace(a_plugin(), configurations=named)))
    read = parse_extensions_config(text).plugins[0]
    assert read.settings is None
    assert [(one.name, one.settings.sequence_number, one.state) for one in read.configurations] == [
        ("first", 3, ConfigurationState.ENABLED),
        ("gone", 0, ConfigurationState.DISABLED),
    ]
    assert "<RequiredFeatures><RequiredFeature><Name>MultipleExtensionsPerHandler</Name>" in text
    assert "RequiredFeatures" not in wire_server.extensions_config(GOAL)


def test_the_manifest_leads_to_the_one_version_asked_for() -> None:
    versions = parse_extension_manifest(manifest(a_plugin())).versions
    assert [version.version for version in versions] == ["1.2.3"]
    assert versions[0].urls == (f"http://168.63.129.16/extensions/{HANDLER}/1.2.3/package.zip",)


def test_the_deployment_is_named_after_the_machine() -> None:
    environment = parse_hosting_environment(wire_server.hosting_environment(GOAL))
    shared = parse_shared_config(wire_server.shared_config(GOAL))
    assert (environment.role, environment.instance, shared.address) == ("web", "_web", "10.0.0.4")


def test_metadata_carries_what_cloud_init_provisions_from() -> None:
    compute = json.loads(metadata.instance(GOAL))["compute"]
    assert compute["osProfile"] == {
        "adminUsername": "dockyard",
        "computerName": "web",
        "disablePasswordAuthentication": "true",
    }
    assert compute["publicKeys"] == [{"keyData": "ssh-ed25519 AAAA me", "path": "/home/dockyard/.ssh/authorized_keys"}]


def test_a_key_loses_the_line_end_that_cloud_init_refuses() -> None:
    profile = replace(a_machine().os_profile, ssh_public_keys=(SshPublicKey("/p", "ssh-ed25519 AAAA me\r\n"),))
    goal = a_goal(machine=replace(a_machine(), os_profile=profile))
    assert json.loads(metadata.instance(goal))["compute"]["publicKeys"][0]["keyData"] == "ssh-ed25519 AAAA me"


def test_user_data_is_served_and_custom_data_is_not() -> None:
    profile = replace(a_machine().os_profile, custom_data="c2VjcmV0", password_hash="$6$canary")
    machine = replace(a_machine(), os_profile=profile, user_data="I2Nsb3VkLWNvbmZpZw==")
    text = metadata.instance(a_goal(machine=machine))
    compute = json.loads(text)["compute"]
    assert (compute["userData"], compute["customData"]) == ("I2Nsb3VkLWNvbmZpZw==", "")
    assert compute["osProfile"]["disablePasswordAuthentication"] == "false"
    assert "c2VjcmV0" not in text
    assert "canary" not in text


def test_metadata_lists_both_interfaces_by_hardware_address() -> None:
    interfaces = json.loads(metadata.instance(GOAL))["network"]["interface"]
    assert [interface["macAddress"] for interface in interfaces] == ["525411111111", "525511111111"]
    assert [interface["ipv4"]["ipAddress"][0]["privateIpAddress"] for interface in interfaces] == [
        "10.0.0.4",
        "10.0.2.15",
    ]
    assert interfaces[0]["ipv4"]["subnet"] == [{"address": "10.0.0.0", "prefix": "24"}]


def test_no_document_tells_where_a_package_lies_on_the_host() -> None:
    goal = a_goal(a_plugin(archive=Path("/host/gallery/crane.zip")))
    renders = (wire_server.extensions_config, wire_server.goal_state, wire_server.shared_config, metadata.instance)
    assert not any("/host/gallery" in render(goal) for render in renders)

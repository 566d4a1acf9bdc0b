"""What the agent hands over: its variables, the handler's environment file, and the meaning of exit codes."""

from __future__ import annotations

import pytest

from dockyard_contract.environment import (
    PATH_VARIABLE,
    SEQUENCE_VARIABLE,
    VERSION_VARIABLE,
    AgentVariables,
    Command,
    ExitCode,
    HandlerEnvironment,
    dump_handler_environment,
    parse_handler_environment,
)
from dockyard_contract.errors import MalformedDocument

FOLDERS = HandlerEnvironment(log_folder="/l", config_folder="/c", status_folder="/s", heartbeat_file="/h")
FULL = HandlerEnvironment(
    log_folder="/l",
    config_folder="/c",
    status_folder="/s",
    heartbeat_file="/h",
    name="Publisher.Type",
    events_folder="/e",
    deployment_id="d",
    role_name="r",
    instance="i",
    host_resolver_address="168.63.129.16",
)
VARIABLES = AgentVariables(
    folder="/var/lib/waagent/P.T-1.0",
    version="1.0",
    sequence_number=3,
    extension_name="one",
    wire_protocol_address="168.63.129.16",
    updating_from_version="0.9",
    target_version="1.0",
    old_disable_exit_code="NOT_RUN",
    old_uninstall_exit_code="0",
)


@pytest.mark.parametrize("environment", [FOLDERS, FULL])
def test_a_handler_environment_survives_the_way_through_a_file(environment: HandlerEnvironment) -> None:
    assert parse_handler_environment(dump_handler_environment(environment)) == environment


@pytest.mark.parametrize("variables", [VARIABLES, AgentVariables(folder="/x", version="1")])
def test_the_variables_survive_the_way_through_an_environment(variables: AgentVariables) -> None:
    assert AgentVariables.from_environ(variables.to_environ()) == variables


def test_foreign_variables_are_passed_over() -> None:
    environ = {PATH_VARIABLE: "/x", VERSION_VARIABLE: "1", "HOME": "/root", "VERSION": ""}
    assert AgentVariables.from_environ(environ) == AgentVariables(folder="/x", version="1")


@pytest.mark.parametrize(
    ("environ", "member"),
    [
        ({}, PATH_VARIABLE),
        ({PATH_VARIABLE: "/x"}, VERSION_VARIABLE),
        ({PATH_VARIABLE: "/x", VERSION_VARIABLE: "1", SEQUENCE_VARIABLE: "-1"}, SEQUENCE_VARIABLE),
        ({PATH_VARIABLE: "/x", VERSION_VARIABLE: "1", SEQUENCE_VARIABLE: "²"}, SEQUENCE_VARIABLE),
    ],
)
def test_a_missing_or_wrong_variable_is_named(environ: dict[str, str], member: str) -> None:
    with pytest.raises(MalformedDocument) as caught:
        AgentVariables.from_environ(environ)
    assert caught.value.member == member


@pytest.mark.parametrize(
    ("text", "member", "expected"),
    [
        ("{}", "", "an array"),
        ("[]", "", "one element"),
        ("[{}]", "[0].handlerEnvironment", "a member of this name"),
        ('[{"handlerEnvironment":{}}]', "[0].handlerEnvironment.logFolder", "a member of this name"),
        ('[{"handlerEnvironment":{"logFolder":"l"}}]', "[0].handlerEnvironment.logFolder", "an absolute path"),
    ],
)
def test_a_malformed_file_is_named_with_its_member(text: str, member: str, expected: str) -> None:
    with pytest.raises(MalformedDocument) as caught:
        parse_handler_environment(text)
    assert (caught.value.document, caught.value.member) == ("HandlerEnvironment.json", member)
    assert caught.value.expected == expected


def test_files_carry_the_number_and_for_several_configurations_the_name() -> None:
    assert FOLDERS.settings_file(3) == "/c/3.settings"
    assert FOLDERS.status_file(3) == "/s/3.status"
    assert FOLDERS.settings_file(3, extension_name="one") == "/c/one.3.settings"
    assert FOLDERS.status_file(3, extension_name="one") == "/s/one.3.status"


def test_the_time_limits_are_the_agents() -> None:
    assert {command.value: command.time_limit for command in Command} == {
        "install": 900,
        "enable": 300,
        "disable": 900,
        "update": 900,
        "uninstall": 300,
    }


def test_three_exit_codes_are_the_users_matter() -> None:
    assert [int(code) for code in ExitCode if code.is_users_matter] == [51, 52, 53]

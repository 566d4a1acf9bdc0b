"""What cannot be done: an error that says why, an exit code that says whose matter it is, and a machine as before."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from dockyard_contract.status import StatusWord
from dockyard_guest.values import Listener, OsRelease
from tests.scenario.kit import (
    CERTS,
    GOOD_CERTIFICATE,
    LOG,
    NOW,
    SECRET,
    Context,
    State,
    folder,
    machine_with_engine,
    machine_with_running_engine,
)

REMOTE = {"docker": {"port": 2376}}
PLACE = "runtimeSettings[0].handlerSettings"


def remote(state: State, number: int = 0) -> State:
    return state.settings(REMOTE, {"certs": CERTS}, number=number)


@pytest.mark.parametrize(
    ("public", "protected", "words"),
    [
        ([], None, f"{PLACE}.publicSettings: expected an object, found an array"),
        ({"docker": "x"}, None, f"{PLACE}.publicSettings.docker: expected an object, found a string"),
        ({"docker": {"port": []}}, None, f"{PLACE}.publicSettings.docker.port: expected an integer, found an array"),
        ({"docker": {"port": "http"}}, None, "docker.port: expected a port number, found another text"),
        ({"docker": {"port": 0}}, None, "docker.port: expected a port from 1 to 65535"),
        ({"docker": {"options": "-D"}}, None, "docker.options: expected an array, found a string"),
        ({"docker": {"options": [1]}}, None, "docker.options[0]: expected a string, found an integer"),
        ({"docker": {"port": 2376}}, None, "Port 2376 is asked for without certificates"),
        ({"docker": {"options": ["--label='a"]}}, None, "docker.options[0] has a quote that is not closed"),
        ({"docker": {"options": ["-H tcp://0.0.0.0:2375"]}}, None, "docker.options[0] opens the engine to the network"),
        (
            {"docker": {"options": ["-H", "tcp://0.0.0.0:2375"]}},
            None,
            "docker.options[0] opens the engine to the network",
        ),
        (REMOTE, {"certs": CERTS, "x": 1} | {"certs": {}}, "protectedSettings.certs.ca: expected a member"),
        (REMOTE, {"certs": {**CERTS, "key": "no pem"}}, "certs.key: expected PEM, or base64 of PEM"),
        (REMOTE, {"certs": None}, "Port 2376 is asked for without certificates"),
        (REMOTE, [], f"{PLACE}.protectedSettings: expected an object, found an array"),
        ({"docker": {"options": ["--config-file=/x"]}}, None, "has --config-file"),
    ],
)
def test_settings_that_cannot_be_used_end_with_53(
    context: Context, public: object, protected: object, words: str
) -> None:
    out = context.run("enable", machine_with_engine().settings(public, protected))
    assert out.exit_code == 53
    assert out.status().status is StatusWord.ERROR
    assert out.status().code == 53
    assert words in out.message()
    assert out.events == ()


@pytest.mark.parametrize("text", ["{", "[]", '{"runtimeSettings": []}', "\x00"])
def test_a_settings_file_that_is_none_ends_with_53(context: Context, text: str) -> None:
    out = context.run("enable", machine_with_engine().file(f"{folder()}/config/0.settings", text))
    assert out.exit_code == 53
    assert out.message().startswith("0.settings: ")


def test_a_missing_settings_file_ends_with_53(context: Context) -> None:
    out = context.run("enable", machine_with_engine())
    assert out.exit_code == 53
    assert "0.settings is missing" in out.message()


def test_an_empty_settings_file_is_no_settings_for_number_0_alone(context: Context) -> None:
    good = context.enable(remote(machine_with_running_engine()))
    out = context.enable(good.file(f"{folder()}/config/3.settings", ""), number=3)
    assert out.exit_code == 53
    assert out.message(3) == "The settings file 3.settings is empty."
    assert out.running == good.running


def test_settings_for_another_machines_certificate_end_with_53(context: Context) -> None:
    envelope = base64.b64encode(b"for somebody else").decode()
    members = f'{{"protectedSettings":"{envelope}","protectedSettingsCertThumbprint":"{"B" * 40}"}}'
    text = f'{{"runtimeSettings":[{{"handlerSettings":{members}}}]}}'
    state = machine_with_engine().file(f"{folder()}/config/0.settings", text)
    out = context.run("enable", state)
    assert out.exit_code == 53
    assert "cannot be decrypted" in out.message()


@pytest.mark.parametrize("thumbprint", ["../../etc/shadow", "", "A" * 39, "G" * 40])
def test_a_thumbprint_that_is_none_never_becomes_a_path(context: Context, thumbprint: str) -> None:
    text = (
        '{"runtimeSettings":[{"handlerSettings":{"protectedSettings":"AAAA","protectedSettingsCertThumbprint":"%s"}}]}'
    )
    out = context.run("enable", machine_with_engine().file(f"{folder()}/config/0.settings", text))
    assert out.exit_code == 53
    assert "hexadecimal" in out.message() or "protectedSettingsCertThumbprint" in out.message()


def test_a_repaired_setting_is_taken_at_the_next_number(context: Context) -> None:
    failed = context.enable(machine_with_engine().settings({"docker": {"port": "x"}}))
    out = context.enable(remote(failed, number=1), number=1)
    assert out.status(1).status is StatusWord.SUCCESS


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"key_matches": False}, "certs.key` does not belong"),
        ({"chain_problem": "unable to get local issuer certificate"}, "does not lead to the authority"),
        ({"serves": False}, "lacks serverAuth"),
        ({"not_before": NOW + 60}, "is valid only from"),
        ({"not_after": NOW - 60}, "has expired"),
    ],
)
def test_a_bad_certificate_never_reaches_the_engine(context: Context, change: dict[str, object], words: str) -> None:
    good = context.enable(remote(machine_with_running_engine()))
    state = replace(remote(good, number=1), certificate=replace(GOOD_CERTIFICATE, **change))  # type: ignore[arg-type]
    out = context.enable(state, number=1)
    assert out.exit_code == 53
    assert words in out.message(1)
    assert out.files["/etc/docker/cert.pem"] == good.files["/etc/docker/cert.pem"]
    assert "restart docker.service" not in out.events


def test_an_option_the_engine_refuses_is_named_before_anything_is_touched(context: Context) -> None:
    good = context.enable(remote(machine_with_running_engine()))
    public = {"docker": {"port": 2376, "options": ["--bogus"]}}
    state = replace(good.settings(public, {"certs": CERTS}, number=1), world={"refused_words": ("--bogus",)})
    out = context.enable(state, number=1)
    assert out.exit_code == 53
    assert "unknown flag: --bogus" in out.message(1)
    assert "restart docker.service" not in out.events
    assert out.files["/etc/docker/daemon.json"] == good.files["/etc/docker/daemon.json"]


def test_an_engine_that_does_not_come_up_gets_its_last_good_files_back(context: Context) -> None:
    good = context.enable(remote(machine_with_running_engine()))
    public = {"docker": {"port": 2377, "options": ["--bogus"]}}
    doors = {"validates": False, "refused_words": ("--bogus",)}
    state = replace(good.settings(public, {"certs": CERTS}, number=1), world=doors)
    out = context.enable(state, number=1)
    assert out.status(1).status is StatusWord.ERROR
    assert "unknown flag: --bogus" in out.message(1)
    assert "The configuration before is back, and the engine runs with it." in out.message(1)
    assert out.running == good.running
    for path in ("/etc/docker/daemon.json", "/etc/docker/key.pem", "/var/lib/dockyard-docker/record.json"):
        assert out.files[path] == good.files[path]
    assert out.modes["/etc/docker/key.pem"] == 0o400


def test_a_first_configuration_that_fails_leaves_no_trace_in_the_engines_files(context: Context) -> None:
    public = {"docker": {"port": 2376, "options": ["--bogus"]}}
    doors = {"validates": False, "refused_words": ("--bogus",)}
    state = replace(machine_with_running_engine().settings(public, {"certs": CERTS}), world=doors)
    out = context.enable(state)
    assert not any(path.startswith(("/etc/docker/", "/etc/systemd/")) for path in out.files)
    assert out.running is not None


def test_an_engine_that_answers_anybody_is_closed_again(context: Context) -> None:
    state = replace(remote(machine_with_running_engine()), world={"serves_anybody": True})
    out = context.enable(state)
    assert "answers on port 2376 without asking for a certificate" in out.message()
    assert out.running is not None
    assert out.running.port is None


def test_a_port_in_use_is_named_with_its_holder_and_nothing_is_touched(context: Context) -> None:
    state = replace(remote(machine_with_running_engine()), listeners={2376: Listener(port=2376, pid=42, name="nginx")})
    out = context.enable(state)
    assert out.exit_code == 53
    assert "Port 2376 is in use by nginx (process 42)." in out.message()
    assert out.events == ("start the work for 0",)


def test_a_daemons_configuration_that_is_no_json_is_named(context: Context) -> None:
    out = context.enable(remote(machine_with_engine().file("/etc/docker/daemon.json", '{"a": 1,}')))
    assert out.exit_code == 53
    assert "/etc/docker/daemon.json: expected a JSON text, found a mistake at line 1" in out.message()
    assert out.files["/etc/docker/daemon.json"] == '{"a": 1,}'


def test_a_drop_in_of_somebody_else_that_replaces_the_command_is_named(context: Context) -> None:
    other = "/etc/systemd/system/docker.service.d/override.conf"
    out = context.enable(remote(machine_with_engine().file(other, "[Service]\nExecStart=\nExecStart=/bin/x\n")))
    assert out.exit_code == 53
    assert out.message().startswith(f"{other} replaces the engine's start command")


def test_no_engine_and_no_network_end_with_52_and_the_host(context: Context) -> None:
    out = context.enable(replace(remote(State()), world={"network": False}))
    assert out.exit_code == 52
    assert out.status().code == 52
    assert "deb.debian.org" in out.message()
    assert out.part("engine")[0] is StatusWord.ERROR


@pytest.mark.parametrize(
    "doors", [{"systemd": False}, {"release": OsRelease(id="alpine", pretty_name="Alpine Linux v3.20")}]
)
def test_a_machine_that_cannot_have_the_extension_ends_install_with_51(
    context: Context, doors: dict[str, object]
) -> None:
    assert context.run("install", replace(State(), world=doors)).exit_code == 51


def test_install_is_quick_and_touches_nothing(context: Context) -> None:
    out = context.run("install", State())
    assert out.exit_code == 0
    assert out.events == ()


def test_a_fault_of_our_own_is_reported_without_its_text(context: Context) -> None:
    out = context.enable(replace(remote(machine_with_engine()), certificate=None))
    assert out.exit_code == 1
    assert out.status().status is StatusWord.ERROR
    assert "AssertionError" in out.message()
    assert "nobody said" not in out.message() + out.files[LOG]


@pytest.mark.parametrize("doors", [{}, {"validates": False, "refused_words": ("--bogus",)}, {"serves_anybody": True}])
def test_secrets_are_nowhere_but_in_the_key_file(context: Context, doors: dict[str, object]) -> None:
    public = {"docker": {"port": 2376, "options": ["--bogus"]}}
    out = context.enable(replace(machine_with_engine().settings(public, {"certs": CERTS}), world=doors))
    holders = {path for path, text in out.files.items() if SECRET in text}
    assert holders <= {"/etc/docker/key.pem"}
    assert all(out.modes[path] == 0o400 for path in holders)

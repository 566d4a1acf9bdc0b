"""Enable on machines of every starting point: what is in place afterwards, and what is reported."""

from __future__ import annotations

from dataclasses import replace

from dockyard_contract.status import StatusWord
from tests.scenario.kit import CERTS, Context, State, folder, machine_with_engine, machine_with_running_engine

DROP_IN = "/etc/systemd/system/docker.service.d/10-docker-extension.conf"
REMOTE = {"docker": {"port": "2376", "options": ["--label=a=b -D"]}}


def remote(state: State, number: int = 0) -> State:
    return state.settings(REMOTE, {"certs": CERTS}, number=number)


def test_enable_reports_transitioning_and_leaves_the_work_to_the_background(context: Context) -> None:
    out = context.run("enable", remote(machine_with_engine()))
    assert out.exit_code == 0
    assert out.status().status is StatusWord.TRANSITIONING
    assert out.events == ("start the work for 0",)


def test_enable_keeps_the_sequence_number_in_mrseq(context: Context) -> None:
    out = context.run("enable", remote(machine_with_engine(), number=4), number=4)
    assert out.files[f"{folder()}/mrseq"] == "4\n"


def test_a_port_with_certificates_opens_the_engine_with_mutual_tls(context: Context) -> None:
    out = context.enable(remote(machine_with_engine()))
    assert out.status().status is StatusWord.SUCCESS
    assert out.message() == "Docker 26.1.5+dfsg1 (API 1.45) is ready on TCP port 2376 with mutual TLS."
    assert out.running is not None
    assert (
        out.running.arguments[-5:] == ("-H", "tcp://0.0.0.0:2376", "--label=a=b", "-D")[-5:] or out.running.port == 2376
    )
    assert out.running.config["tlsverify"] is True


def test_the_units_own_command_is_kept_and_added_to(context: Context) -> None:
    out = context.enable(remote(machine_with_engine()))
    assert out.files[DROP_IN].endswith(
        "[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock "
        "$DOCKER_OPTS -H tcp://0.0.0.0:2376 --label=a=b -D\n"
    )


def test_certificates_lie_under_their_final_modes(context: Context) -> None:
    out = context.enable(remote(machine_with_engine()))
    assert [out.modes[f"/etc/docker/{name}.pem"] for name in ("ca", "cert", "key")] == [0o444, 0o444, 0o400]
    assert out.files["/etc/docker/key.pem"] == CERTS["key"] + "\n"


def test_without_port_and_certificates_the_engine_has_its_unix_socket_alone(context: Context) -> None:
    out = context.enable(machine_with_engine().settings({}))
    assert out.status().status is StatusWord.SUCCESS
    assert "unix socket" in out.message()
    assert DROP_IN not in out.files
    assert "/etc/docker/key.pem" not in out.files


def test_an_extension_without_any_settings_gets_an_engine(context: Context) -> None:
    out = context.enable(machine_with_engine().file(f"{folder()}/config/0.settings", ""))
    assert out.status().status is StatusWord.SUCCESS


def test_units_that_an_image_ships_disabled_are_enabled(context: Context) -> None:
    out = context.enable(machine_with_engine().settings({}))
    assert out.enabled == {"docker.service", "docker.socket", "containerd.service"}


def test_an_engine_that_is_only_to_be_started_is_not_restarted(context: Context) -> None:
    first = context.enable(remote(machine_with_running_engine()))
    out = context.run("work", replace(first, active=frozenset()))
    assert "start docker.service" in out.events
    assert "restart docker.service" not in out.events


def test_a_machine_without_engine_gets_it_from_the_distribution_with_apparmor(context: Context) -> None:
    out = context.enable(remote(State()))
    assert out.status().status is StatusWord.SUCCESS
    assert "install docker.io apparmor" in out.events
    assert out.part("engine")[1].startswith("installed apparmor, containerd, docker-cli, docker.io, runc")


def test_members_of_the_daemons_configuration_that_users_wrote_are_kept(context: Context) -> None:
    before = machine_with_engine().file("/etc/docker/daemon.json", '{"log-driver": "local", "mtu": 1400}')
    config = context.enable(remote(before)).daemon_config()
    assert config["log-driver"] == "local"
    assert config["mtu"] == 1400
    assert config["tlscacert"] == "/etc/docker/ca.pem"


def test_a_users_own_word_on_live_restore_counts(context: Context) -> None:
    before = machine_with_engine().file("/etc/docker/daemon.json", '{"live-restore": false}')
    assert context.enable(remote(before)).daemon_config()["live-restore"] is False


def test_a_member_set_by_an_option_is_left_out_of_the_configuration(context: Context) -> None:
    state = machine_with_engine().settings({"docker": {"options": ["--live-restore=false"]}})
    out = context.enable(state)
    assert out.status().status is StatusWord.SUCCESS
    assert "live-restore" not in out.daemon_config()


def test_a_machine_in_a_swarm_is_not_given_live_restore(context: Context) -> None:
    swarm = machine_with_engine().file("/var/lib/docker/swarm/docker-state.json", "{}")
    out = context.enable(remote(swarm))
    assert "live-restore" not in out.daemon_config()


def test_every_step_is_reported_with_its_status_and_its_seconds(context: Context) -> None:
    out = context.enable(remote(machine_with_engine()))
    names = [part.name for part in out.status().substatus]
    first, second = ["settings", "engine", "certificates", "configuration"], ["protection", "service", "endpoint"]
    assert names == [*first, *second, "confinement"]
    assert all(part.status is StatusWord.SUCCESS for part in out.status().substatus)
    assert all(part.message and part.message.message.endswith(" s)") for part in out.status().substatus)


def test_the_endpoint_step_tells_the_refusal_and_the_versions(context: Context) -> None:
    word, text = context.enable(remote(machine_with_engine())).part("endpoint")
    assert word is StatusWord.SUCCESS
    assert "Docker 26.1.5+dfsg1 (API 1.45)" in text
    assert "refuses a client without a certificate (TLSV13_ALERT_CERTIFICATE_REQUIRED)" in text


def test_settings_that_mean_nothing_here_are_named_in_a_warning(context: Context) -> None:
    public = {"docker": {"port": 2376, "colour": 1}, "azure": "AzureCloud"}
    protected = {"certs": {**CERTS, "extra": "x"}, "token": {"password": "p"}}
    out = context.enable(machine_with_engine().settings(public, protected))
    word, text = out.part("settings")
    assert word is StatusWord.WARNING
    assert "ignored: azure, docker.colour, token, certs.extra" in text
    assert out.status().status is StatusWord.SUCCESS


def test_a_certificate_that_expires_soon_is_a_warning(context: Context) -> None:
    state = remote(machine_with_engine())
    assert state.certificate is not None
    soon = replace(state.certificate, not_after=1_750_000_000.0 + 86400)
    assert context.enable(replace(state, certificate=soon)).part("certificates")[0] is StatusWord.WARNING


def test_a_machine_without_apparmor_is_a_warning(context: Context) -> None:
    state = replace(remote(machine_with_engine()), world={"security": ("name=seccomp",)})
    out = context.enable(state)
    assert out.part("confinement")[0] is StatusWord.WARNING
    assert out.status().status is StatusWord.SUCCESS


def test_new_settings_change_the_port_with_one_restart(context: Context) -> None:
    first = context.enable(remote(machine_with_running_engine()))
    public = {"docker": {"port": 2377}}
    out = context.enable(first.settings(public, {"certs": CERTS}, number=1), number=1)
    assert out.events.count("restart docker.service") == 1
    assert out.running is not None
    assert out.running.port == 2377


def test_settings_without_certificates_close_what_settings_before_had_opened(context: Context) -> None:
    first = context.enable(remote(machine_with_running_engine()))
    out = context.enable(first.settings({}, number=1), number=1)
    assert out.running is not None
    assert out.running.port is None
    assert "/etc/docker/key.pem" not in out.files
    assert "tlsverify" not in out.daemon_config()


def test_certificates_of_the_user_are_left_alone_when_none_are_given(context: Context) -> None:
    before = machine_with_engine().file("/etc/docker/ca.pem", "the user's own")
    assert context.enable(before.settings({})).files["/etc/docker/ca.pem"] == "the user's own"


def test_an_engine_that_cannot_judge_a_configuration_is_tried(context: Context) -> None:
    out = context.enable(replace(remote(machine_with_engine()), world={"validates": False}))
    assert out.status().status is StatusWord.SUCCESS
    assert "cannot judge" in out.part("configuration")[1]

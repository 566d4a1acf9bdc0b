"""The plan: what changes, and above all what does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dockyard_guest.errors import PermanentError
from dockyard_guest.handlers.docker.facts import Facts, Found
from dockyard_guest.handlers.docker.places import (
    CERTIFICATE_FILES,
    DAEMON_CONFIG,
    DAEMON_FILES,
    DROP_IN,
    GUARD,
    GUARD_DROP_IN,
    SECCOMP_PROFILE,
    UNITS,
)
from dockyard_guest.handlers.docker.plan import Plan, decide
from dockyard_guest.handlers.docker.record import Record
from dockyard_guest.handlers.docker.settings import Bundle, DockerSettings
from dockyard_guest.values import Listener, Unit

BASE = "/usr/sbin/dockerd -H fd://"
BUNDLE = Bundle(authority=b"a", certificate=b"c", key=b"k")
REMOTE = DockerSettings(port=2376, bundle=BUNDLE)
LOCAL = DockerSettings()


def unit(name: str, *, active: str = "active", enabled: str = "enabled") -> Unit:
    return Unit(name=name, load_state="loaded", active_state=active, file_state=enabled, main_pid=7)


def bare(**changes: object) -> Facts:
    facts = Facts(
        base_command=BASE,
        units={name: unit(name) for name in UNITS},
        files={path: Found() for path in (DAEMON_CONFIG, DROP_IN, *CERTIFICATE_FILES, *DAEMON_FILES)},
        record=Record(owner="1"),
    )
    return replace(facts, **changes)  # type: ignore[arg-type]


def done(settings: DockerSettings, facts: Facts) -> Facts:
    """The facts after a plan has been carried out."""
    plan = decide(settings, facts, version="1")
    files = {**facts.files, **{change.path: Found(change.content, change.mode) for change in plan.changes}}
    return replace(facts, files=files, record=plan.record)


def paths(plan: Plan) -> set[str]:
    return {change.path for change in plan.changes}


@pytest.mark.parametrize("settings", [REMOTE, LOCAL, DockerSettings(options=("-D",)), DockerSettings(bundle=BUNDLE)])
def test_a_plan_carried_out_leaves_nothing_to_do(settings: DockerSettings) -> None:
    plan = decide(settings, done(settings, bare()), version="1")
    assert plan.changes == ()
    assert not plan.touches_engine
    assert str(plan) == "nothing to do"


def test_a_remote_engine_needs_all_five_files_the_profile_the_guard_and_a_restart() -> None:
    plan = decide(REMOTE, bare(), version="1")
    assert paths(plan) == {DAEMON_CONFIG, DROP_IN, *CERTIFICATE_FILES, SECCOMP_PROFILE, GUARD, GUARD_DROP_IN}
    files = "ca.pem, cert.pem, key.pem, daemon.json, 10-docker-extension.conf, docker-extension-seccomp.json"
    assert plan.restart == f"{files} changed"


def test_new_certificates_alone_leave_the_rest_alone() -> None:
    facts = done(REMOTE, bare())
    renewed = replace(REMOTE, bundle=replace(BUNDLE, certificate=b"c2", key=b"k2"))
    plan = decide(renewed, facts, version="1")
    assert {path.rpartition("/")[2] for path in paths(plan)} == {"cert.pem", "key.pem"}
    assert plan.restart


def test_a_wrong_mode_is_put_right_without_a_restart() -> None:
    facts = done(REMOTE, bare())
    key = CERTIFICATE_FILES[2]
    loose = replace(facts, files={**facts.files, key: Found(b"k", 0o644)})
    plan = decide(REMOTE, loose, version="1")
    assert paths(plan) == {key}
    assert not plan.touches_engine


def test_an_interrupted_change_needs_a_restart() -> None:
    plan = decide(REMOTE, replace(done(REMOTE, bare()), interrupted=True), version="1")
    assert plan.restart == "an earlier change was interrupted"


def test_an_engine_that_does_not_run_is_started() -> None:
    stopped = {name: unit(name, active="inactive") for name in UNITS}
    plan = decide(LOCAL, replace(done(LOCAL, bare()), units=stopped), version="1")
    assert plan.start
    assert not plan.restart


def test_units_shipped_disabled_are_enabled_and_missing_ones_are_not() -> None:
    units = {UNITS[0]: unit(UNITS[0], enabled="disabled"), UNITS[1]: unit(UNITS[1]), UNITS[2]: Unit(name=UNITS[2])}
    assert decide(LOCAL, bare(units=units), version="1").enable == (UNITS[0],)


def test_a_mode_the_user_gave_the_configuration_is_kept() -> None:
    facts = bare(files={**bare().files, DAEMON_CONFIG: Found(b'{"mtu": 1}', 0o600)})
    plan = decide(REMOTE, facts, version="1")
    assert next(change.mode for change in plan.changes if change.path == DAEMON_CONFIG) == 0o600


def test_the_key_is_written_for_root_alone() -> None:
    modes = {change.path.rpartition("/")[2]: change.mode for change in decide(REMOTE, bare(), version="1").changes}
    assert (modes["key.pem"], modes["cert.pem"], modes["ca.pem"]) == (0o400, 0o444, 0o444)


@pytest.mark.parametrize(
    ("listener", "words"),
    [
        (Listener(port=2376, pid=42, name="nginx"), "in use by nginx (process 42)"),
        (Listener(port=2376), "in use by a process that cannot be seen from here"),
    ],
)
def test_a_port_of_somebody_else_is_an_error_with_its_holder(listener: Listener, words: str) -> None:
    with pytest.raises(PermanentError) as caught:
        decide(REMOTE, bare(listener=listener), version="1")
    assert words in caught.value.brief


def test_the_engines_own_port_is_no_obstacle() -> None:
    decide(REMOTE, bare(listener=Listener(port=2376, pid=7, name="dockerd")), version="1")


def test_arguments_for_the_judgement_are_all_the_engine_will_get() -> None:
    plan = decide(replace(REMOTE, options=("--label=a b",)), bare(), version="1")
    assert plan.arguments == ("-H", "fd://", "-H", "tcp://0.0.0.0:2376", "--label=a b")


def test_no_representation_shows_the_key() -> None:
    secret = replace(REMOTE, bundle=replace(BUNDLE, key=b"canary-55"))
    plan = decide(secret, bare(), version="1")
    assert "canary-55" not in repr(secret) + repr(plan) + str(plan)

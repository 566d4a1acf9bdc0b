"""Safe defaults: each yields to the user's own word wherever he has said it, and to what the machine is."""

from __future__ import annotations

import pytest

from dockyard_guest.handlers.docker.safe_defaults import MEMBER_DEFAULTS, Switch, choose_defaults

ALL = frozenset(MEMBER_DEFAULTS)


def chosen(said: dict[str, object], *, off: frozenset[Switch] = frozenset(), swarm: bool = False) -> frozenset[Switch]:
    return frozenset(choose_defaults(said, off=off, swarm=swarm).applied)


def test_a_machine_about_which_nothing_is_said_gets_them_all() -> None:
    members = choose_defaults({}, off=frozenset(), swarm=False).members
    assert members["icc"] is False
    assert members["no-new-privileges"] is True
    assert members["userland-proxy"] is False
    assert members["log-opts"] == {"max-size": "10m", "max-file": "5"}


@pytest.mark.parametrize("switch", sorted(ALL, key=str))
def test_each_is_switched_off_alone(switch: Switch) -> None:
    assert chosen({}, off=frozenset({switch})) == ALL - {switch}


@pytest.mark.parametrize(
    ("member", "switch"),
    [
        ("icc", Switch.ICC),
        ("log-driver", Switch.LOG_ROTATION),
        ("log-opts", Switch.LOG_ROTATION),
        ("userland-proxy", Switch.USERLAND_PROXY),
        ("no-new-privileges", Switch.NO_NEW_PRIVILEGES),
        ("default-ulimits", Switch.ULIMITS),
        ("seccomp-profile", Switch.SECCOMP),
        ("live-restore", Switch.LIVE_RESTORE),
    ],
)
def test_the_users_own_word_counts_whatever_it_is(member: str, switch: Switch) -> None:
    assert chosen({member: True}) == ALL - {switch}
    assert choose_defaults({member: True}, off=frozenset(), swarm=False).left == (switch,)


@pytest.mark.parametrize("word", [False, "false"])
def test_an_engine_without_iptables_is_not_given_what_needs_them(word: object) -> None:
    assert chosen({"iptables": word}) == ALL - {Switch.ICC, Switch.USERLAND_PROXY}


def test_a_swarm_has_no_live_restore() -> None:
    assert chosen({}, swarm=True) == ALL - {Switch.LIVE_RESTORE}


def test_a_kernel_that_filters_no_system_calls_is_given_no_profile() -> None:
    kept = choose_defaults({}, off=frozenset(), swarm=False, seccomp=False)
    assert frozenset(kept.applied) == ALL - {Switch.SECCOMP}
    assert kept.left == (Switch.SECCOMP,)

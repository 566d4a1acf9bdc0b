"""Containers, logins and users: what the settings of 2016 and their successors bring about once the engine works."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from dockyard_contract.status import StatusWord

from .containers import Containers
from .kit import Context, State, machine_with_engine

FILE = "/etc/docker/compose/docker-compose.yml"
CONFIG = "/var/lib/dockyard-docker/client/config.json"
WEB = {"web": {"image": "web:1", "ports": ["80:80"]}}
HIDDEN = "hidden-77aa"


def machine(played: Containers, *, compose: bool = True) -> State:
    """A machine with an engine, and with a compose program."""
    state = machine_with_engine()
    packages = state.packages | ({"docker-compose"} if compose else set())
    return replace(state, packages=packages, world={**state.world, "containers_of": played})


def everything(state: State) -> str:
    """All that anybody but root could read of what was done: statuses, logs, what was started."""
    told = [text for path, text in state.files.items() if path.endswith((".status", ".log"))]
    return "\n".join((*told, *state.events))


def test_services_of_the_oldest_form_run(context: Context) -> None:
    played = Containers()
    out = context.enable(machine(played).settings({"compose": WEB}))
    assert json.loads(out.files[FILE]) == {"services": WEB}
    assert out.modes[FILE] == 0o600
    assert played.calls == ["config", "pull", "up"]
    assert out.part("compose") == (StatusWord.SUCCESS, "web: Up 1 second (0.0 s)")


def test_a_file_with_services_and_a_text_stay_as_they_are(context: Context) -> None:
    text = json.dumps({"version": "2", "services": WEB})
    for compose in (json.loads(text), text):
        played = Containers()
        out = context.enable(machine(played).settings({"compose": compose}))
        assert json.loads(out.files[FILE])["version"] == "2"
        assert played.running == {"web": "Up 1 second"}


def test_old_words_of_a_service_become_todays(context: Context) -> None:
    old = {"image": "web:1", "net": "container:one", "log_driver": "syslog", "log_opt": {"tag": "x"}}
    out = context.enable(machine(Containers()).settings({"compose": {"one": WEB["web"], "two": old}}))
    assert json.loads(out.files[FILE])["services"]["two"] == {
        "image": "web:1",
        "network_mode": "service:one",
        "logging": {"driver": "syslog", "options": {"tag": "x"}},
    }


def test_variables_reach_compose_the_secret_ones_over_the_public_ones(context: Context) -> None:
    played = Containers()
    public = {"compose": WEB, "compose-environment": {"A": "public", "B": "public"}}
    out = context.enable(machine(played).settings(public, {"environment": {"B": HIDDEN}}))
    assert (played.environment["A"], played.environment["B"]) == ("public", HIDDEN)
    assert played.environment["COMPOSE_PROJECT_NAME"] == "compose"
    assert played.environment["COMPOSE_HTTP_TIMEOUT"] == "600"
    assert HIDDEN not in everything(out)


def test_a_wrong_file_is_refused_and_the_former_stays(context: Context) -> None:
    played = Containers()
    first = context.enable(machine(played).settings({"compose": WEB}))
    wrong = first.settings({"compose": {"bad": {"ports": []}}}, {"environment": {"B": HIDDEN}}, number=1)
    out = context.enable(wrong, number=1)
    assert out.status(1).status is StatusWord.ERROR
    assert 'service "bad" has neither an image' in out.part("compose", 1)[1] + out.message(1)
    assert HIDDEN not in everything(out)
    assert out.files[FILE] == first.files[FILE]
    assert played.running == {"web": "Up 1 second"}
    assert out.part("endpoint", 1)[0] is StatusWord.SUCCESS


def test_the_compose_program_is_installed_when_it_is_wanted(context: Context) -> None:
    out = context.enable(machine(Containers(), compose=False).settings({"compose": WEB}))
    assert "install docker-compose" in out.events
    assert out.status().status is StatusWord.SUCCESS


def test_nothing_is_installed_without_compose(context: Context) -> None:
    out = context.enable(machine(Containers(), compose=False).settings({}))
    assert "install docker-compose" not in out.events


def test_pulls_that_time_out_are_tried_again(context: Context) -> None:
    played = Containers(slow=2)
    out = context.enable(machine(played).settings({"compose": WEB}))
    assert played.calls == ["config", "pull", "pull", "pull", "up"]
    assert out.status().status is StatusWord.SUCCESS


def test_an_image_of_the_machine_needs_no_registry(context: Context) -> None:
    played = Containers(offered=set(), images={"web:1"})
    out = context.enable(machine(played).settings({"compose": WEB}))
    assert out.status().status is StatusWord.SUCCESS


def test_an_image_that_is_nowhere_leaves_the_engine_ready(context: Context) -> None:
    out = context.enable(machine(Containers(offered=set())).settings({"compose": WEB}))
    assert out.status().status is StatusWord.ERROR
    assert "The engine is ready, but containers of compose did not start" in out.message()
    assert "No such image: web:1" in out.message() + out.part("compose")[1]
    assert out.running is not None


def test_other_settings_do_not_pull_again(context: Context) -> None:
    played = Containers()
    first = context.enable(machine(played).settings({"compose": WEB}))
    context.enable(first.settings({"compose": WEB, "docker": {"options": ["--label=a=b"]}}, number=1), number=1)
    assert played.calls == ["config", "pull", "up", "config", "up"]


def test_a_container_that_ended_badly_is_a_warning(context: Context) -> None:
    played = Containers(ends={"web": "Exited (1) 2 seconds ago"})
    out = context.enable(machine(played).settings({"compose": WEB}))
    assert out.part("compose") == (StatusWord.WARNING, "web: Exited (1) 2 seconds ago (0.0 s)")


@pytest.mark.parametrize(("remove", "left"), [(True, {}), (False, {"web": "Up 1 second"})])
def test_containers_go_only_when_the_settings_say_so(context: Context, remove: bool, left: dict[str, str]) -> None:
    played = Containers()
    first = context.enable(machine(played).settings({"compose": WEB}))
    out = context.enable(first.settings({"compose-remove": remove}, number=1), number=1)
    assert played.running == left
    assert (FILE in out.files) is not remove


def test_uninstall_takes_file_and_logins(context: Context) -> None:
    played = Containers(passwords={"r.example": HIDDEN})
    login = {"server": "r.example", "username": "u", "password": HIDDEN, "email": "e"}
    state = context.enable(machine(played, compose=False).settings({"compose": WEB}, {"login": login}))
    out = context.run("uninstall", state)
    assert out.exit_code == 0
    assert not {FILE, CONFIG} & set(out.files)
    assert "docker-compose" not in out.packages


# ---------------------------------------------------------------- logins


def log_in(context: Context, played: Containers, *logins: dict[str, str], single: Any = None) -> State:
    """Enable with logins."""
    return context.enable(machine(played).settings({}, {"login": single, "logins": list(logins)}))


def test_logins_are_kept_for_root_alone(context: Context) -> None:
    played = Containers(passwords={"r.example": HIDDEN, "": "other"})
    hub = {"username": "me", "password": "other"}
    out = log_in(context, played, hub, single={"server": "r.example", "username": "u", "password": HIDDEN})
    assert out.part("logins") == (StatusWord.SUCCESS, "logged in to r.example, Docker Hub (0.0 s)")
    assert out.modes[CONFIG] == 0o600
    assert set(json.loads(out.files[CONFIG])["auths"]) == {"r.example", ""}
    assert HIDDEN not in everything(out)


def test_logins_go_with_the_settings(context: Context) -> None:
    played = Containers(passwords={"r.example": HIDDEN})
    state = log_in(context, played, {"server": "r.example", "username": "u", "password": HIDDEN})
    out = context.enable(state.settings({}, {}, number=1), number=1)
    assert CONFIG not in out.files


def test_a_wrong_password_names_the_registry_and_not_the_password(context: Context) -> None:
    played = Containers(passwords={"r.example": "right"})
    out = log_in(context, played, {"server": "r.example", "username": "u", "password": HIDDEN})
    assert out.status().status is StatusWord.ERROR
    assert "r.example refused the login of u" in out.message()
    assert HIDDEN not in everything(out)


def test_a_registry_that_is_not_reached_is_tried_again_and_named(context: Context) -> None:
    out = log_in(context, Containers(), {"server": "r.example", "username": "u", "password": HIDDEN})
    assert "r.example was not reached, 3 times" in out.message()


def test_a_login_with_nothing_filled_in_is_none(context: Context) -> None:
    out = log_in(context, Containers(), single={"server": "", "username": "", "password": "", "email": ""})
    assert out.status().status is StatusWord.SUCCESS


# ---------------------------------------------------------------- users

MADE_WITH = "<ns0:Environment><ns1:Set><ns1:UserName>azureuser</ns1:UserName></ns1:Set></ns0:Environment>"


@pytest.mark.parametrize(
    ("docker", "expected"), [({}, {"azureuser"}), ({"users": []}, set()), ({"users": ["bob"]}, {"bob"})]
)
def test_the_group_has_who_is_named_or_whom_the_machine_was_made_with(
    context: Context, docker: object, expected: set[str]
) -> None:
    played = Containers(accounts={"azureuser": {"sudo"}, "bob": {"bob"}})
    state = machine(played).file("/var/lib/waagent/ovf-env.xml", MADE_WITH)
    context.enable(state.settings({"docker": docker}))
    assert {name for name, groups in played.accounts.items() if "docker" in groups} == expected


def test_a_user_who_is_not_there_is_named(context: Context) -> None:
    out = context.enable(machine(Containers()).settings({"docker": {"users": ["nobody-here"]}}))
    assert out.status().status is StatusWord.ERROR
    assert "docker.users names nobody-here" in out.message()

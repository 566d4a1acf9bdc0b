"""The work is killed before each single thing it changes, one after the other; the agent's next enable must finish it.

The first run on a machine and a change on a running one are both driven through all their effects: files written and
removed, engine started and restarted. A reboot is a kill that also starts the engine with whatever files are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from dockyard_contract.status import StatusWord
from tests.scenario.kit import CERTS, KILLED, UNITS, Context, State, machine_with_running_engine

FIRST = {"docker": {"port": 2376}}
CHANGED = {"docker": {"port": 2377, "options": ["--label=a=b"]}}
OTHER = {**CERTS, "cert": CERTS["cert"].replace("server", "renewed")}


def deaths(context: Context, begun: State, *, number: int) -> Iterator[State]:
    """The machine after the work has died before its first effect, its second, and so on until it lives."""
    for effect in range(1, 1000):
        dead = context.run("work", replace(begun, world={**begun.world, "dies_at": effect}), number=number)
        if dead.exit_code != KILLED:
            assert effect > 15, "the work had hardly anything to do"
            return
        yield dead
    raise AssertionError("the work never ended")


def rebooted(state: State) -> State:
    files = {path: text for path, text in state.files.items() if not path.startswith("/run/")}
    return replace(state, files=files, active=UNITS if "docker.service" in state.enabled else frozenset())


@pytest.fixture(params=["killed", "rebooted"])
def after(request: pytest.FixtureRequest) -> bool:
    """Whether the machine is rebooted before the agent's next enable."""
    return bool(request.param == "rebooted")


def test_a_first_run_killed_anywhere_is_finished_by_the_next_enable(context: Context, after: bool) -> None:
    begun = context.run("enable", machine_with_running_engine().settings(FIRST, {"certs": CERTS}))
    wanted = context.run("work", begun)
    for dead in deaths(context, begun, number=0):
        out = context.enable(rebooted(dead) if after else dead)
        assert out.status().status is StatusWord.SUCCESS
        assert out.running == wanted.running
        assert engine_files(out) == engine_files(wanted)


def test_a_change_killed_anywhere_is_finished_by_the_next_enable(context: Context, after: bool) -> None:
    good = context.enable(machine_with_running_engine().settings(FIRST, {"certs": CERTS}))
    begun = context.run("enable", good.settings(CHANGED, {"certs": OTHER}, number=1), number=1)
    wanted = context.run("work", begun, number=1)
    for dead in deaths(context, begun, number=1):
        out = context.enable(rebooted(dead) if after else dead, number=1)
        assert out.status(1).status is StatusWord.SUCCESS
        assert out.running == wanted.running
        assert engine_files(out) == engine_files(wanted)


def test_a_change_that_fails_after_a_kill_still_goes_back_to_the_last_good_one(context: Context) -> None:
    good = context.enable(machine_with_running_engine().settings(FIRST, {"certs": CERTS}))
    doors = {"validates": False, "refused_words": ("--bogus",)}
    bad = good.settings({"docker": {"port": 2377, "options": ["--bogus"]}}, {"certs": OTHER}, number=1)
    begun = context.run("enable", bad, number=1)
    for dead in deaths(context, replace(begun, world=doors), number=1):
        out = context.enable(replace(dead, world=doors), number=1)
        assert out.status(1).status is StatusWord.ERROR
        assert out.running == good.running
        assert engine_files(out) == engine_files(good)


def engine_files(state: State) -> dict[str, str]:
    places = ("/etc/docker/", "/etc/systemd/", "/var/lib/dockyard-docker/")
    return {path: text for path, text in state.files.items() if path.startswith(places)}

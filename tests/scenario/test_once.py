"""A handler whose deed is done once for each sequence number: whatever the agent repeats, it is not done twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dockyard_contract.status import StatusWord
from dockyard_guest.errors import PermanentError
from dockyard_guest.ports import Machine, Progress
from dockyard_guest.values import Applied, PlainSettings, Repeats, Section
from tests.scenario.kit import KILLED, LIB, NAME, Context, State, folder

DEEDS = "/var/lib/deeds"
WORK_LOCK = f"{folder()}/0.settings.lock"


class Deed:
    """Adds a line to a file."""

    title = "Deed"

    def __init__(self, machine: Machine, *, repeats: Repeats) -> None:
        self._machine = machine
        self.repeats = repeats

    def install(self) -> str:
        return "It can be done."

    def check(self, settings: PlainSettings) -> None:
        settings.public.optional_string("text")

    def apply(self, settings: PlainSettings, *, progress: Progress) -> Applied:
        with progress.step("deed", "doing it"):
            files = self._machine.files
            text = settings.public.optional_string("text") or "done"
            files.make_folder("/var/lib", mode=0o755)
            files.write(DEEDS, (files.read(DEEDS) or b"") + f"{text}\n".encode(), mode=0o600)
            if text == "fail":
                raise PermanentError("It went wrong.")
        return Applied(message="It is done.")

    def disable(self) -> str:
        return "Nothing to disable."

    def update(self, *, target_version: str) -> str:
        return f"Nothing to hand over to {target_version}."

    def uninstall(self) -> str:
        return "Nothing to take back."

    def diagnose(self) -> tuple[Section, ...]:
        return ()


def context_of(root: Path, repeats: Repeats) -> Context:
    root.mkdir(exist_ok=True)
    create: Callable[[Machine, str], Deed] = lambda machine, _: Deed(machine, repeats=repeats)  # noqa: E731
    return Context(root, room="deed", create=create)


@pytest.fixture(params=[Repeats.IF_INTERRUPTED, Repeats.NEVER])
def repeats(request: pytest.FixtureRequest) -> Repeats:
    found: Repeats = request.param
    return found


@pytest.fixture
def once(tmp_path: Path, repeats: Repeats) -> Context:
    return context_of(tmp_path / "once", repeats)


@pytest.fixture
def never(tmp_path: Path) -> Context:
    return context_of(tmp_path / "never", Repeats.NEVER)


def asked(text: str = "done", *, number: int = 0) -> State:
    return State().settings({"text": text}, number=number)


def rebooted(state: State) -> State:
    return replace(state, files={path: text for path, text in state.files.items() if not path.startswith("/run/")})


def updated(state: State, version: str, *, number: int = 0) -> State:
    """The state with another version's folder, into which the agent has copied what it copies."""
    old, new = folder(), f"{LIB}/{NAME}-{version}"
    kept = (f"{old}/mrseq", f"{old}/status/{number}.status", f"{old}/config/{number}.settings")
    copies = {path.replace(old, new): text for path, text in state.files.items() if path in kept}
    return replace(state, files={**state.files, **copies})


def killed_in_the_middle(context: Context, state: State) -> State:
    """The state after work that died once its deed was done, before it could say so."""
    begun = context.run("enable", state)
    for effect in range(1, 20):
        dead = context.run("work", replace(begun, world={"dies_at": effect}))
        assert dead.exit_code == KILLED
        if dead.files.get(DEEDS):
            return rebooted(dead)
    raise AssertionError("the deed was never done")


def test_the_number_again_does_nothing_and_leaves_the_status(once: Context) -> None:
    first = once.enable(asked())
    again = once.enable(rebooted(first))
    assert (again.exit_code, again.events) == (0, ())
    assert again.files[DEEDS] == "done\n"
    assert again.files[f"{folder()}/status/0.status"] == first.files[f"{folder()}/status/0.status"]


def test_a_failed_number_is_not_tried_again(once: Context) -> None:
    failed = once.enable(asked("fail"))
    assert failed.status().status is StatusWord.ERROR
    again = once.enable(rebooted(failed))
    assert (again.exit_code, again.files[DEEDS]) == (0, "fail\n")
    assert again.status() == failed.status()


def test_refused_settings_are_refused_once(once: Context) -> None:
    refused = once.enable(State().settings({"text": 3}))
    assert refused.exit_code == 53
    again = once.enable(rebooted(refused))
    assert (again.exit_code, again.status()) == (0, refused.status())


def test_a_newer_number_is_done(once: Context) -> None:
    first = once.enable(asked())
    second = once.enable(first.settings({"text": "more"}, number=1), number=1)
    assert second.files[DEEDS] == "done\nmore\n"


def test_an_old_goal_state_does_nothing(once: Context) -> None:
    second = once.enable(once.enable(asked()).settings({"text": "more"}, number=1), number=1)
    stale = once.enable(rebooted(second), number=0)
    assert (stale.exit_code, stale.files[DEEDS]) == (0, "done\nmore\n")


def test_a_lower_number_that_was_never_seen_is_done(once: Context) -> None:
    seventh = once.enable(asked(number=7), number=7)
    anew = once.enable(seventh.settings({"text": "anew"}, number=0), number=0)
    assert anew.files[DEEDS] == "done\nanew\n"


def test_another_version_does_not_do_it_again(once: Context) -> None:
    first = once.enable(asked())
    after = once.enable(updated(first, "1.4.0"), version="1.4.0")
    assert (after.events, after.files[DEEDS]) == ((), "done\n")
    assert after.status(version="1.4.0").status is StatusWord.SUCCESS


def test_work_that_is_alive_is_left_alone(once: Context) -> None:
    begun = once.run("enable", asked())
    again = once.run("enable", replace(begun, held_locks=(WORK_LOCK,)))
    assert (again.exit_code, again.events, again.status()) == (0, (), begun.status())


def test_work_that_was_accepted_and_never_begun_is_begun(once: Context) -> None:
    accepted = rebooted(once.run("enable", asked()))
    done = once.enable(accepted)
    assert (done.files[DEEDS], done.status().status) == ("done\n", StatusWord.SUCCESS)


def test_a_second_worker_finds_the_work_done(once: Context) -> None:
    first = once.enable(asked())
    again = once.run("work", first)
    assert (again.exit_code, again.files[DEEDS], again.status()) == (0, "done\n", first.status())


def test_interrupted_work_that_may_be_repeated_is(tmp_path: Path) -> None:
    context = context_of(tmp_path / "idempotent", Repeats.IF_INTERRUPTED)
    again = context.enable(killed_in_the_middle(context, asked()))
    assert (again.files[DEEDS], again.status().status) == ("done\ndone\n", StatusWord.SUCCESS)


def test_interrupted_work_that_must_not_be_repeated_ends_as_an_error(never: Context) -> None:
    dead = killed_in_the_middle(never, asked())
    assert dead.status().status is StatusWord.TRANSITIONING
    again = never.enable(dead)
    assert (again.exit_code, again.events, again.files[DEEDS]) == (0, (), "done\n")
    assert again.status().status is StatusWord.ERROR
    assert again.message().startswith("Deed was interrupted before its end, by a restart of the machine for example.")


def test_a_worker_that_is_started_again_after_it_was_killed_ends_as_an_error(never: Context) -> None:
    again = never.run("work", killed_in_the_middle(never, asked()))
    assert (again.exit_code, again.files[DEEDS], again.status().status) == (1, "done\n", StatusWord.ERROR)


def test_interrupted_work_is_not_repeated_by_another_version(never: Context) -> None:
    dead = killed_in_the_middle(never, asked())
    after = never.enable(updated(dead, "1.4.0"), version="1.4.0")
    assert (after.files[DEEDS], after.status(version="1.4.0").status) == ("done\n", StatusWord.ERROR)


# ---------------------------------------------------------------- several named configurations


def named(state: State, name: str, text: str, *, number: int = 0) -> State:
    made = State().settings({"text": text}).files[f"{folder()}/config/0.settings"]
    return state.file(f"{folder()}/config/{name}.{number}.settings", made)


def test_each_configuration_has_its_own_number(once: Context) -> None:
    first = once.enable(named(State(), "first", "one"), name="first")
    second = once.enable(named(first, "second", "two"), name="second")
    again = once.enable(once.enable(rebooted(second), name="first"), name="second")
    assert again.files[DEEDS] == "one\ntwo\n"
    assert again.files[f"{folder()}/mrseq"] == "0 1.3.0 first\n0 1.3.0 second\n"


def test_a_configuration_that_was_removed_and_made_anew_is_done(once: Context) -> None:
    first = once.enable(named(State(), "first", "one"), name="first")
    removed = first.file(f"{folder()}/status/first.0.status", None)
    assert once.enable(removed, name="first").files[DEEDS] == "one\none\n"


def taken_over(state: State, name: str) -> State:
    """The state as the agent leaves it when the version changes: statuses are gone, copies of them are not."""
    old, new = folder(), f"{LIB}/{NAME}-1.4.0"
    status, settings = f"{old}/status/{name}.0.status", f"{old}/config/{name}.0.settings"
    gone = state.file(status, None)
    kept = [path for path in gone.files if path == f"{old}/mrseq" or path.startswith(f"{old}/status/")]
    copies = {path.replace(old, new): gone.files[path] for path in (*kept, settings)}
    return replace(gone, files={**gone.files, **copies})


def test_a_configuration_is_not_done_again_by_another_version_whose_agent_has_removed_the_status(once: Context) -> None:
    first = once.enable(named(State(), "first", "one"), name="first")
    after = once.enable(taken_over(once.run("disable", first, name="first"), "first"), name="first", version="1.4.0")
    assert (after.events, after.files[DEEDS]) == ((), "one\n")
    new = f"{LIB}/{NAME}-1.4.0"
    assert after.files[f"{new}/status/first.0.status"] == first.files[f"{folder()}/status/first.0.status"]
    assert after.files[f"{new}/mrseq"] == "0 1.4.0 first\n"


def test_a_configuration_made_anew_after_a_change_of_version_is_done(once: Context) -> None:
    first = once.enable(named(State(), "first", "one"), name="first")
    after = once.enable(taken_over(once.run("disable", first, name="first"), "first"), name="first", version="1.4.0")
    removed = once.run("disable", after, name="first", version="1.4.0")
    anew = removed.file(f"{LIB}/{NAME}-1.4.0/status/first.0.status", None)
    assert once.enable(anew, name="first", version="1.4.0").files[DEEDS] == "one\none\n"


def test_configurations_that_are_gone_are_forgotten(once: Context) -> None:
    first = once.run("disable", once.enable(named(State(), "first", "one"), name="first"), name="first")
    assert f"{folder()}/status/first.0.status.kept" in first.files
    removed = first.file(f"{folder()}/status/first.0.status", None)
    second = once.enable(named(removed, "second", "two"), name="second")
    assert second.files[f"{folder()}/mrseq"] == "0 1.3.0 second\n"
    assert f"{folder()}/status/first.0.status.kept" not in second.files

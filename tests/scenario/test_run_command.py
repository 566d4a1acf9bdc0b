"""The RunCommand extension on a machine in a folder: named configurations, each with its script."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dockyard_contract.status import Status, StatusWord, parse_status
from dockyard_guest.handlers.run_command.handler import create, create_named
from dockyard_guest.ports import Handler, Machine
from tests.scenario.kit import KILLED, SECRET, Context, State, folder
from tests.scenario.world import Played

ROOT = "/var/lib/waagent/run-command-handler"
SCRIPT = {"source": {"script": "echo hi"}}
OUTPUT = "https://blobs.example/out.txt"


def contexts(root: Path, name: str) -> Context:
    def made(machine: Machine, version: str) -> Handler:
        return create_named(machine, version, name) if name else create(machine, version)

    root.mkdir(exist_ok=True)
    return Context(root, room="run_command", create=made)


@pytest.fixture
def first(tmp_path: Path) -> Context:
    return contexts(tmp_path / "machine", "first")


@pytest.fixture
def second(tmp_path: Path) -> Context:
    return contexts(tmp_path / "machine", "second")


@pytest.fixture
def whole(tmp_path: Path) -> Context:
    return contexts(tmp_path / "machine", "")


def asked(
    public: object = None, protected: object = None, *, name: str = "first", number: int = 0, **world: Any
) -> State:
    return also(State(world=world), public, protected, name=name, number=number)


def also(
    state: State, public: object = None, protected: object = None, *, name: str = "first", number: int = 0
) -> State:
    made = State().settings(SCRIPT if public is None else public, protected).files[f"{folder()}/config/0.settings"]
    return state.file(f"{folder()}/config/{name}.{number}.settings", made)


def status(state: State, name: str = "first", number: int = 0) -> Status:
    path = f"{folder()}/status/{name}.{number}.status"
    return parse_status(state.files[path], document=path)


def view(state: State, name: str = "first", number: int = 0) -> dict[str, Any]:
    message = status(state, name, number).message
    assert message is not None
    read: dict[str, Any] = json.loads(message.message)
    return read


def test_the_message_is_the_instance_view(first: Context) -> None:
    out = first.enable(asked(played=Played(writes=((1.0, "hi\n", "oh\n"),), ends=2.0)), name="first")
    assert status(out).status is StatusWord.SUCCESS
    assert view(out) == {
        "executionState": "Succeeded",
        "executionMessage": "Execution completed.",
        "exitCode": 0,
        "output": "hi\n",
        "outputOffset": 0,
        "error": "oh\n",
        "errorOffset": 0,
        "startTime": "2025-06-15T15:06:40Z",
        "endTime": "2025-06-15T15:06:42Z",
    }


def test_a_failing_script_is_told_and_is_no_failure_of_the_extension(first: Context) -> None:
    out = first.enable(asked(played=Played(code=3)), name="first")
    assert (status(out).status, view(out)["executionState"], view(out)["exitCode"]) == (StatusWord.SUCCESS, "Failed", 3)


def test_a_failing_script_is_a_failure_when_it_is_to_count(first: Context) -> None:
    public = {**SCRIPT, "treatFailureAsDeploymentFailure": True}
    out = first.enable(asked(public, played=Played(code=3)), name="first")
    assert (status(out).status, view(out)["exitCode"]) == (StatusWord.ERROR, 3)


def test_parameters_with_a_name_are_variables_and_others_arguments(first: Context) -> None:
    parameters = [{"name": "GREETING", "value": "good day; rm -rf /"}, {"value": "one"}, {"value": "$(two) 'words'"}]
    seen: list[tuple[tuple[str, ...], dict[str, str]]] = []
    state = asked({**SCRIPT, "parameters": parameters}, {"protectedParameters": [{"name": "KEY", "value": SECRET}]})
    orders = state.world
    out = first.enable(replace(state, world={**orders, "orders": _Noting(seen)}), name="first")
    ((argv, environment),) = seen
    assert argv == ("/usr/bin/bash", f"{ROOT}/download/first/0/script.sh", "one", "$(two) 'words'")
    assert (environment["GREETING"], environment["KEY"]) == ("good day; rm -rf /", SECRET)
    told = [text for path, text in out.files.items() if not path.endswith(".settings")]
    assert not any(SECRET in text for text in told)


class _Noting(list[Any]):
    """Notes what is started."""

    def __init__(self, seen: list[tuple[tuple[str, ...], dict[str, str]]]) -> None:
        super().__init__()
        self._seen = seen

    def append(self, order: Any) -> None:
        self._seen.append((order.argv, dict(order.environment)))


def test_each_configuration_runs_once_for_its_number(first: Context, second: Context) -> None:
    one = first.enable(asked(), name="first")
    two = second.enable(also(one, name="second"), name="second")
    again = first.enable(replace(two, files={p: t for p, t in two.files.items() if "/run/" not in p}), name="first")
    assert (again.exit_code, again.events) == (0, ())
    assert (view(again)["executionState"], view(again, "second")["executionState"]) == ("Succeeded", "Succeeded")


def test_a_number_is_not_run_again_after_an_update(first: Context) -> None:
    done = first.run(
        "disable", first.enable(asked(played=Played(writes=((0.0, "hi\n", ""),))), name="first"), name="first"
    )
    old, new = folder(), folder("1.4.0")
    kept = {p: t for p, t in done.files.items() if p.endswith(("/mrseq", ".kept"))}
    settings = done.files[f"{old}/config/first.0.settings"]
    gone = done.file(f"{old}/status/first.0.status", None).file(f"{old}/config/first.0.settings", None)
    copied = {p.replace(old, new): t for p, t in kept.items()}
    state = replace(gone, files={**gone.files, **copied, f"{new}/config/first.0.settings": settings})
    after = first.enable(state, name="first", version="1.4.0")
    assert after.events == ()
    assert '\\"output\\": \\"hi\\\\n\\"' in after.files[f"{new}/status/first.0.status"]


def test_the_view_is_renewed_while_the_script_writes(first: Context) -> None:
    slow = Played(writes=((0.5, "one\n", ""), (3.0, "two\n", "")), ends=None)
    begun = first.run("enable", asked(played=slow), name="first")
    status_file = f"{folder()}/status/first.0.status"
    dead = begun
    outputs = set()
    for effect in range(1, 80):
        dead = first.run("work", replace(begun, world={**begun.world, "dies_at": effect}), name="first")
        if dead.exit_code == KILLED and "executionState" in dead.files[status_file]:
            outputs.add(view(dead)["output"])
        if "one\ntwo\n" in outputs:
            break
    assert outputs == {"", "one\n", "one\ntwo\n"}


def test_offsets_let_a_reader_go_on_without_loss_or_doubling(first: Context) -> None:
    text = "".join(f"zeile {number} ä\n" for number in range(1500))
    out = view(first.enable(asked(played=Played(writes=((0.0, text, ""),))), name="first"))
    assert out["outputOffset"] + len(out["output"]) == len(text)
    assert text[out["outputOffset"] :] == out["output"]
    assert len(out["output"].encode()) <= 4096


def test_bytes_that_are_no_text_break_nothing(first: Context) -> None:
    out = view(first.enable(asked(played=Played(writes=((0.0, "\x00\x01\x1b[31m\ufffd", ""),))), name="first"))
    assert out["output"] == "\x00\x01\x1b[31m\ufffd"


def test_a_new_number_ends_the_run_before_it(first: Context) -> None:
    begun = first.run("enable", asked(played=Played(ends=None)), name="first")
    newer = {"/run/dockyard-run_command/first/intent": "enable of version 1.3.0, sequence number 1, first"}
    out = first.run("work", replace(begun, arrivals={5.0: newer}), name="first")
    assert "end the script" in out.events
    assert view(out)["executionState"] == "Canceled"


def test_another_configuration_ends_nothing(first: Context, second: Context) -> None:
    begun = first.run("enable", asked(played=Played(ends=10.0)), name="first")
    other = second.run("enable", also(begun, name="second"), name="second")
    out = first.run("work", other, name="first")
    assert view(out)["executionState"] == "Succeeded"


def test_a_script_past_its_limit_is_timed_out(first: Context) -> None:
    out = first.enable(asked({**SCRIPT, "timeoutInSeconds": 30}, played=Played(ends=None)), name="first")
    assert view(out)["executionState"] == "TimedOut"
    assert "within 30 seconds" in view(out)["executionMessage"]
    assert "end the script" in out.events


def test_nobody_waits_for_an_asynchronous_script(first: Context) -> None:
    begun = first.run("enable", asked({**SCRIPT, "asyncExecution": True}, played=Played(ends=None)), name="first")
    dead = begun
    for effect in range(1, 60):
        dead = first.run("work", replace(begun, world={**begun.world, "dies_at": effect}), name="first")
        if dead.exit_code == KILLED and any(event.startswith("run") for event in dead.events):
            break
    assert (status(dead).status, view(dead)["executionState"]) == (StatusWord.SUCCESS, "Running")
    after = first.enable(replace(dead, files={p: t for p, t in dead.files.items() if "/run/" not in p}), name="first")
    assert status(after).status is StatusWord.ERROR
    assert after.events == ()


def test_outputs_go_into_their_blobs(first: Context) -> None:
    public = {**SCRIPT, "outputBlobUri": OUTPUT}
    out = first.enable(
        asked(public, {"outputBlobSASToken": "?sig=x"}, played=Played(writes=((0.0, "hi\n", ""),))), name="first"
    )
    assert f"put 'hi\\n' into {OUTPUT}?sig=x" in out.events


def test_a_blob_that_refuses_is_told(first: Context) -> None:
    out = first.enable(asked({**SCRIPT, "errorBlobUri": OUTPUT}), name="first")
    assert "cannot be written: the server answers 403" in view(out)["executionMessage"]


def test_a_script_and_its_artifacts_are_fetched(first: Context) -> None:
    public = {
        "source": {"scriptUri": "https://files.example/run.sh"},
        "artifacts": [{"id": 0, "uri": "https://files.example/tool", "fileName": "tool.bin"}],
    }
    protected = {"sourceSASToken": "sig=a", "artifacts": [{"id": 0, "sasToken": "sig=b"}]}
    fetched = {
        "https://files.example/run.sh?sig=a": [b"echo hi\n"],
        "https://files.example/tool?sig=b": [b"tool"],
    }
    out = first.enable(asked(public, protected, fetched=fetched), name="first")
    work = f"{ROOT}/download/first/0"
    assert (out.files[f"{work}/script.sh"], out.files[f"{work}/tool.bin"]) == ("echo hi\n", "tool")


@pytest.mark.parametrize(
    ("public", "protected", "told"),
    [
        ({}, None, "`source` is needed"),
        ({"source": {}}, None, "exactly one of `script` and `scriptUri`"),
        ({"source": {"script": "x", "scriptUri": "https://a.example/x"}}, None, "exactly one of"),
        (SCRIPT, {"protectedParameters": [{"value": SECRET}]}, "expected a name, as everybody can see"),
        ({**SCRIPT, "parameters": [{"name": "A B", "value": "x"}]}, None, "expected the name of a variable"),
        ({**SCRIPT, "parameters": [{"name": "A", "value": "x"}] * 2}, None, "two parameters named 'A'"),
        ({**SCRIPT, "parameters": [{"name": "A", "value": "x\0"}]}, None, "one with a character it cannot"),
        ({**SCRIPT, "installAsService": True}, None, "`installAsService` is not supported here"),
        (SCRIPT, {"outputBlobManagedIdentity": {}}, "`outputBlobManagedIdentity` is not supported here"),
        ({**SCRIPT, "runAsUser": "bob; reboot"}, None, "expected a user's name"),
        ({**SCRIPT, "sourc": {}}, None, "expected one of artifacts"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(
    first: Context, public: object, protected: object, told: str
) -> None:
    out = first.enable(asked(public, protected), name="first")
    message = status(out).message
    assert message is not None
    assert (out.exit_code, status(out).status) == (53, StatusWord.ERROR)
    assert told in message.message
    assert SECRET not in message.message


def test_a_password_is_not_needed_to_run_as_somebody_else(first: Context) -> None:
    out = first.enable(
        asked({**SCRIPT, "runAsUser": "bob"}, {"runAsPassword": SECRET}, users={"bob": 1000}), name="first"
    )
    assert view(out)["executionState"] == "Succeeded"
    assert "run /usr/bin/bash /var/lib/dockyard-run-command/first/0/script.sh" in out.events
    assert not any(SECRET in event for event in out.events)


def test_disable_ends_the_script_and_takes_its_folder_away(first: Context) -> None:
    done = first.enable(asked(), name="first")
    out = first.run("disable", done, name="first")
    assert [path for path in out.files if path.startswith(f"{ROOT}/download")] == []


def test_uninstall_takes_everything_away_unless_another_version_is_in_charge(first: Context, whole: Context) -> None:
    done = first.enable(asked(), name="first")
    handed = whole.run("update", done, version="1.4.0", target="1.4.0")
    assert f"{ROOT}/owner" in whole.run("uninstall", handed).files
    assert f"{ROOT}/owner" not in whole.run("uninstall", done).files

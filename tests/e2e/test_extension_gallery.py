"""Published handlers under the real agent: every order of its commands, failed updates, sequences, a compiled program.

The handlers are written in shell and in C, and know nothing of this project. Sits on the second machine of the other
tests and leaves none of its extensions there. The tests follow each other: one machine, one life.
"""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Home

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900), pytest.mark.xdist_group("two")]
HANDLERS = Path(__file__).parent / "handlers"
VERBS = ("install", "enable", "update", "disable", "uninstall")
PLACE = "/var/lib/recorder"
Publish = Callable[..., None]


class Recorder:
    """One handler in one machine, and what it has recorded since it was last asked."""

    def __init__(self, home: Home, machine: str, *, type: str = "Recorder") -> None:
        self.home = home
        self.machine = machine
        self.type = type
        self.round = 0

    def set(self, version: str, *more: str, expect: int = 0) -> str:
        """Set the extension to exactly this version, with settings it did not have before."""
        self.round += 1
        words = ("vm", "extension", "set", self.machine, "--publisher", "Contoso", "--type", self.type)
        settings = ("--settings", json.dumps({"round": self.round}), "--no-auto-upgrade-minor-version")
        return self.home.run(*words, "--version", version, *settings, *more, expect=expect).error

    def lines(self) -> list[str]:
        return self.home.ssh(self.machine, f"sudo cat {PLACE}/log && sudo rm {PLACE}/log").splitlines()

    def fail(self, *what: str) -> None:
        """Let the named commands fail from now on, and no others."""
        names = " ".join(f"{PLACE}/fail-{each}" for each in what)
        self.home.ssh(self.machine, f"sudo rm -f {PLACE}/fail-*; test -z '{names}' || sudo touch {names}")

    def state(self, version: str) -> str:
        return self.home.ssh(
            self.machine, f"sudo cat /var/lib/waagent/Contoso.{self.type}-{version}/config/HandlerState"
        )

    def delete(self) -> None:
        self.home.run("vm", "extension", "delete", self.machine, self.type)

    def outlive(self, other: Recorder) -> None:
        """Delete another; this one is enabled again for the goal of that, once."""
        other.delete()
        assert [line.split()[1] for line in self.lines()] == ["enable"]


@pytest.fixture(scope="module")
def publish(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Publish:
    """Package a handler's one program with a manifest, and publish it."""
    folder = tmp_path_factory.mktemp("packages")

    def published(version: str, *, type: str = "Recorder", program: Path | None = None, **manifest: object) -> None:
        commands = {f"{verb}Command": f"bin/run {verb}" for verb in VERBS}
        package = folder / f"Contoso.{type}-{version}.zip"
        with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("HandlerManifest.json", json.dumps([{"handlerManifest": {**commands, **manifest}}]))
            archive.write(program or HANDLERS / "recorder/run", "bin/run")
        home.run("extension", "publish", str(package))

    return published


@pytest.fixture(scope="module")
def recorder(home: Home, plain_vm: str, publish: Publish) -> Iterator[Recorder]:
    # The agent repeats every extension's enable at each new goal; one that failed before would begin its work again.
    home.run("vm", "extension", "delete", plain_vm, "DockerExtension", expect=None)
    publish("1.0.0")
    publish("1.1.0")
    publish("1.2.0", updateMode="UpdateWithoutInstall")
    publish("1.3.0")
    publish("1.4.0", continueOnUpdateFailure=True)
    yield Recorder(home, plain_vm)
    for name in home.run("vm", "extension", "list", plain_vm, "--quiet").output.split():
        home.run("vm", "extension", "delete", plain_vm, name, expect=None)
    home.ssh(plain_vm, f"sudo rm -rf {PLACE}")
    for line in home.run("extension", "list", "--output", "tsv").output.splitlines():
        handler, version, origin, *_ = line.split("\t")
        if origin == "published":
            home.run("extension", "unpublish", handler, "--version", version)


def test_the_first_time(recorder: Recorder) -> None:
    recorder.set("1.0.0")
    assert recorder.lines() == ["1.0.0 install n=0 uninstall=NOT_RUN", "1.0.0 enable n=0 uninstall=NOT_RUN"]


def test_new_settings(recorder: Recorder) -> None:
    recorder.set("1.0.0")
    assert recorder.lines() == ["1.0.0 enable n=1 uninstall=NOT_RUN"]


def test_a_compiled_handler_and_the_same_number_again_for_the_one_beside_it(
    recorder: Recorder, publish: Publish, tmp_path: Path
) -> None:
    program = tmp_path / "run"
    subprocess.run(["gcc", "-static", "-Os", "-o", program, HANDLERS / "compiled/handler.c"], check=True)
    publish("1.0.0", type="Compiled", program=program)
    compiled = Recorder(recorder.home, recorder.machine, type="Compiled")
    compiled.set("1.0.0")
    shown = recorder.home.json("vm", "extension", "show", recorder.machine, "Compiled")
    (status,) = shown["properties"]["instanceView"]["statuses"]
    assert (status["code"], status["message"]) == ("ProvisioningState/succeeded", "compiled, and run as 1.0.0")
    assert recorder.lines() == ["1.0.0 enable n=1 uninstall=NOT_RUN"]
    recorder.outlive(compiled)


def test_a_higher_version(recorder: Recorder) -> None:
    recorder.set("1.1.0")
    assert recorder.lines() == [
        "1.0.0 disable n=2",
        "1.1.0 update n=2 from=1.0.0 to=1.1.0 disable=0",
        "1.0.0 uninstall n=2",
        "1.1.0 install n=2 uninstall=0",
        "1.1.0 enable n=2 uninstall=0",
    ]


def test_a_higher_version_that_updates_without_install(recorder: Recorder) -> None:
    recorder.set("1.2.0")
    assert recorder.lines() == [
        "1.1.0 disable n=3",
        "1.2.0 update n=3 from=1.1.0 to=1.2.0 disable=0",
        "1.1.0 uninstall n=3",
        "1.2.0 enable n=3 uninstall=0",
    ]


def test_a_lower_version(recorder: Recorder) -> None:
    recorder.set("1.0.0")
    assert recorder.lines() == [
        "1.2.0 disable n=4",
        "1.2.0 update n=4 from=1.0.0 to=1.0.0 disable=0",
        "1.2.0 uninstall n=4",
        "1.0.0 install n=4 uninstall=0",
        "1.0.0 enable n=4 uninstall=0",
    ]


def test_a_failed_update_leaves_the_old_version_and_is_tried_again(recorder: Recorder) -> None:
    recorder.fail("1.3.0-update")
    told = recorder.set("1.3.0", expect=1)
    assert "update of 1.3.0 was told to fail" in told
    assert recorder.lines() == ["1.0.0 disable n=5", "1.3.0 update n=5 from=1.0.0 to=1.3.0 disable=0"]
    assert (recorder.state("1.0.0"), recorder.state("1.3.0")) == ("Installed", "FailedUpgrade")

    recorder.fail()
    recorder.set("1.3.0")
    assert recorder.lines() == [
        "1.3.0 update n=6 from=1.0.0 to=1.3.0 disable=None",  # the agent's word where nothing was to be disabled
        "1.0.0 uninstall n=6",
        "1.3.0 install n=6 uninstall=0",
        "1.3.0 enable n=6 uninstall=0",
    ]


def test_a_failed_disable_stops_an_update_or_is_handed_on(recorder: Recorder) -> None:
    recorder.fail("1.3.0-disable")
    told = recorder.set("1.1.0", expect=1)
    assert "disable of 1.3.0 was told to fail" in told
    assert recorder.lines() == ["1.3.0 disable n=7"]
    recorder.set("1.3.0")
    assert recorder.lines() == ["1.3.0 enable n=8 uninstall=NOT_RUN"]
    recorder.set("1.4.0")
    assert recorder.lines() == [
        "1.3.0 disable n=9",
        "1.4.0 update n=9 from=1.3.0 to=1.4.0 disable=7",
        "1.3.0 uninstall n=9",
        "1.4.0 install n=9 uninstall=0",
        "1.4.0 enable n=9 uninstall=0",
    ]
    recorder.fail()


@pytest.mark.lengthy
def test_a_follower_waits_and_fails_with_the_one_before_it(recorder: Recorder, publish: Publish) -> None:
    publish("2.0.0", type="Follower")
    follower = Recorder(recorder.home, recorder.machine, type="Follower")
    follower.set("2.0.0", "--provision-after", "Recorder")
    assert recorder.lines() == [
        "1.4.0 enable n=9 uninstall=NOT_RUN",
        "2.0.0 install n=0 uninstall=NOT_RUN",
        "2.0.0 enable n=0 uninstall=NOT_RUN",
    ]
    recorder.fail("1.4.0-enable")
    told = follower.set("2.0.0", "--provision-after", "Recorder", expect=1)
    assert "is marked as failed since it depends upon the VM Extension 'Recorder'" in told
    assert recorder.lines() == ["1.4.0 enable n=9 uninstall=NOT_RUN"]
    refused = recorder.home.run("vm", "extension", "delete", recorder.machine, "Recorder", expect=2).error
    assert "First, remove the extension 'Follower'" in refused
    recorder.fail()
    follower.delete()
    assert recorder.lines() == [
        "2.0.0 disable n=1",
        "2.0.0 uninstall n=1",
        "1.4.0 enable n=9 uninstall=NOT_RUN",
    ]


def test_the_end(recorder: Recorder) -> None:
    recorder.delete()
    assert recorder.lines() == ["1.4.0 disable n=9", "1.4.0 uninstall n=9"]


def test_several_configurations(recorder: Recorder, publish: Publish) -> None:
    publish("1.0.0", type="Several", supportsMultipleExtensions=True)
    several = Recorder(recorder.home, recorder.machine, type="Several")
    several.set("1.0.0", "--name", "one")
    several.set("1.0.0", "--name", "two")
    assert recorder.lines() == [
        "1.0.0 install n=0 name=one uninstall=NOT_RUN",
        "1.0.0 enable n=0 name=one uninstall=NOT_RUN",
        "1.0.0 enable n=0 name=one uninstall=NOT_RUN",
        "1.0.0 enable n=0 name=two uninstall=NOT_RUN",
    ]
    recorder.home.run("vm", "extension", "delete", recorder.machine, "one")
    recorder.home.run("vm", "extension", "delete", recorder.machine, "two")
    assert [line for line in recorder.lines() if " enable " not in line] == [
        "1.0.0 disable n=0 name=one",
        "1.0.0 disable n=0 name=two",
        "1.0.0 uninstall n=0 name=two",
    ]

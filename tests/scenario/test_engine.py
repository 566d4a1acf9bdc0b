"""Which engine: where its packages come from, one version for another, and the way back when the new one fails."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dockyard_contract.status import StatusWord
from dockyard_guest.values import OsRelease
from tests.scenario.engine import REPOSITORY
from tests.scenario.kit import Context, State, machine_with_engine, machine_with_running_engine
from tests.scenario.world import OFFERS
from tests.support.signing_keys import FINGERPRINT, KEY, TWO_KEYS

MIRROR: dict[str, object] = {"mirror": "https://mirror.example/docker", "signing-key": KEY}
KEY_FILE = "/etc/apt/keyrings/dockyard-docker.asc"
GPG = "https://download.docker.com/linux/debian/gpg"
NEW, MIDDLE, OLD = OFFERS["docker-ce"]
RECORD = "/var/lib/dockyard-docker/record.json"


def wanting(state: State, number: int = 0, /, **docker: object) -> State:
    return state.settings({"docker": docker}, number=number)


def with_docker(context: Context, version: str = "28.1") -> State:
    """A machine with Docker's own engine, three containers, and settings applied as number 0."""
    return replace(context.enable(wanting(State(), 0, source="docker", version=version, **MIRROR)), containers=3)


def test_without_settings_the_distributions_engine_is_installed(context: Context) -> None:
    out = context.enable(wanting(State()))
    assert "docker.io" in out.packages
    assert REPOSITORY not in out.files


def test_dockers_engine_comes_from_a_repository_of_its_own(context: Context) -> None:
    out = with_docker(context)
    assert out.status().status is StatusWord.SUCCESS
    assert "Docker 28.1.1" in out.message()
    assert out.versions["docker-ce"] == out.versions["docker-ce-cli"] == MIDDLE
    assert out.files[REPOSITORY] == "https://mirror.example/docker/linux/debian trixie\n"
    assert out.files[KEY_FILE] == KEY
    assert out.modes[KEY_FILE] == 0o644


@pytest.mark.parametrize(("key", "found"), [(KEY, FINGERPRINT), (TWO_KEYS, "2 keys"), ("<html>", "exactly one block")])
def test_a_key_that_is_not_dockers_is_refused(context: Context, key: str, found: str) -> None:
    state = replace(wanting(State(), 0, source="docker"), world={"downloads": {GPG: key.encode()}})
    out = context.enable(state)
    assert out.exit_code == 52
    assert "is not Docker's" in out.message()
    assert found in out.part("engine")[1]
    assert not {REPOSITORY, KEY_FILE} & set(out.files)
    assert out.packages == {"base-files"}


def test_a_repository_that_is_there_already_is_used(context: Context) -> None:
    state = replace(wanting(State(), 0, source="docker"), world={"docker_is_known": True})
    out = context.enable(state)
    assert "docker-ce" in out.packages
    assert REPOSITORY not in out.files


def test_a_distribution_without_an_engine_gets_dockers(context: Context) -> None:
    offers = {name: versions for name, versions in OFFERS.items() if name != "docker.io"}
    out = context.enable(replace(wanting(State()), world={"offers": offers, "docker_is_known": True}))
    assert "docker-ce" in out.packages


def test_a_version_that_nobody_has_ends_with_53_and_changes_nothing(context: Context) -> None:
    out = context.enable(wanting(with_docker(context), 1, source="docker", version="19.03", **MIRROR), number=1)
    assert out.exit_code == 53
    assert "no version 19.03 of docker-ce" in out.message(1)
    assert out.versions["docker-ce"] == MIDDLE
    assert out.containers == 3
    assert json.loads(out.files[RECORD])["engine"]["previous"] is None


def test_a_distribution_docker_does_not_package_for_ends_with_53(context: Context) -> None:
    kali = OsRelease(id="kali", id_like=("debian",))
    out = context.enable(replace(wanting(State(), 0, source="docker"), world={"release": kali}))
    assert out.exit_code == 53
    assert "Docker has no packages for kali" in out.message()


@pytest.mark.parametrize(("version", "result"), [("28.2", NEW), ("27", OLD)])
def test_another_version_takes_the_engines_place_and_containers_go_on(
    context: Context, version: str, result: str
) -> None:
    before = with_docker(context)
    out = context.enable(wanting(before, 1, source="docker", version=version, **MIRROR), number=1)
    assert out.status(1).status is StatusWord.SUCCESS
    assert out.versions["docker-ce"] == result
    assert out.containers == 3
    assert "containers go on" in out.part("engine", 1)[1]


def test_an_engine_without_live_restore_gets_it_before_it_is_exchanged(context: Context) -> None:
    before = replace(machine_with_running_engine(), containers=3)
    out = context.enable(wanting(before, 0, source="docker", **MIRROR))
    assert out.events.index("reload docker.service") < [e.startswith("install") for e in out.events].index(True)
    assert out.containers == 3
    assert "docker.io" not in out.packages
    assert "docker-ce" in out.packages


def test_equal_settings_sent_anew_change_no_package(context: Context) -> None:
    before = with_docker(context)
    out = context.enable(wanting(before, 1, source="docker", version="28.1", **MIRROR), number=1)
    assert [event for event in out.events if event.startswith("install")] == []
    assert out.versions == before.versions


def test_latest_looks_once_for_each_number(context: Context) -> None:
    before = with_docker(context)
    upgraded = context.enable(wanting(before, 1, source="docker", version="latest", **MIRROR), number=1)
    assert upgraded.versions["docker-ce"] == NEW
    offers = {**OFFERS, "docker-ce": ("5:29.0.0-1", NEW)}
    newer = replace(upgraded, world={"offers": offers})
    rebooted = context.run("work", newer, number=1)
    assert rebooted.versions["docker-ce"] == NEW
    anew = context.enable(wanting(newer, 2, source="docker", version="latest", **MIRROR), number=2)
    assert anew.versions["docker-ce"] == "5:29.0.0-1"


def test_latest_never_puts_an_older_version_in_place(context: Context) -> None:
    before = replace(with_docker(context, "28.2"), world={"offers": {**OFFERS, "docker-ce": (OLD,)}})
    out = context.enable(wanting(before, 1, source="docker", version="latest", **MIRROR), number=1)
    assert out.versions["docker-ce"] == NEW
    assert "nothing newer" in out.part("engine", 1)[1]


def failing(context: Context) -> State:
    before = with_docker(context)
    state = wanting(replace(before, world={"broken_versions": (NEW,)}), 1, source="docker", version="28.2", **MIRROR)
    return context.enable(state, number=1)


def test_a_version_that_does_not_come_up_is_exchanged_back(context: Context) -> None:
    out = failing(context)
    assert out.status(1).status is StatusWord.ERROR
    assert "The engine does not start" in out.message(1)
    assert "The packages before are back." in out.message(1)
    assert "Docker 28.1.1" in out.message(1)
    assert out.versions["docker-ce"] == out.versions["docker-ce-cli"] == MIDDLE
    assert out.running is not None
    assert out.part("way back", 1)[0] is StatusWord.SUCCESS


def test_what_was_undone_is_not_tried_again_at_the_next_boot(context: Context) -> None:
    out = context.enable(replace(failing(context), world={}), number=1)
    assert out.status(1).status is StatusWord.ERROR
    assert "was undone" in out.message(1)
    assert out.versions["docker-ce"] == MIDDLE


def test_what_was_undone_is_tried_again_when_it_is_sent_anew(context: Context) -> None:
    repaired = wanting(replace(failing(context), world={}), 2, source="docker", version="28.2", **MIRROR)
    out = context.enable(repaired, number=2)
    assert out.status(2).status is StatusWord.SUCCESS
    assert out.versions["docker-ce"] == NEW


def test_another_source_that_does_not_come_up_is_exchanged_back(context: Context) -> None:
    before = context.enable(wanting(State()))
    state = wanting(replace(before, world={"broken_versions": (NEW,)}), 1, source="docker", **MIRROR)
    out = context.enable(state, number=1)
    assert out.status(1).status is StatusWord.ERROR
    assert {"docker.io", "containerd", "runc"} <= out.packages
    assert "docker-ce" not in out.packages
    assert "docker.io" in json.loads(out.files[RECORD])["packages"]


def test_an_exchange_that_was_cut_off_is_finished(context: Context) -> None:
    before = with_docker(context)
    record = json.loads(before.files[RECORD])
    record["packagesBefore"] = sorted(before.packages)
    record["engine"]["previous"] = {name: before.versions.get(name, "1.0") for name in before.packages}
    cut = replace(before.file(RECORD, json.dumps(record)), versions={**before.versions, "docker-ce": NEW})
    out = context.enable(wanting(cut, 1, source="docker", version="28.2", **MIRROR), number=1)
    assert out.status(1).status is StatusWord.SUCCESS
    assert out.versions["docker-ce-cli"] == NEW
    assert json.loads(out.files[RECORD])["engine"]["previous"] is None


def test_uninstall_takes_back_packages_repository_and_key_and_keeps_data(context: Context) -> None:
    enabled = with_docker(context).file("/var/lib/docker/volumes/v/_data/x", "kept")
    out = context.run("uninstall", enabled)
    assert out.packages == {"base-files"}
    assert not {REPOSITORY, KEY_FILE, RECORD} & set(out.files)
    assert "/var/lib/docker/volumes/v/_data/x" in out.files


def test_uninstall_removes_data_when_the_settings_said_so_and_nothing_beside_it(context: Context) -> None:
    public = {"source": "docker", "remove-data-on-uninstall": True, **MIRROR}
    enabled = context.enable(State().settings({"docker": public}))
    data = enabled.file("/var/lib/docker/volumes/v/_data/x", "gone").file("/var/lib/docker/mine.txt", "kept")
    out = context.run("uninstall", data.file("/var/lib/containerd/io/x", "gone"))
    left = [path for path in out.files if path.startswith(("/var/lib/docker/", "/var/lib/containerd/"))]
    assert left == ["/var/lib/docker/mine.txt"]


def test_data_of_an_engine_that_stays_stays(context: Context) -> None:
    public = {"remove-data-on-uninstall": True}
    enabled = context.enable(machine_with_engine().settings({"docker": public}))
    out = context.run("uninstall", enabled.file("/var/lib/docker/volumes/x", "kept"))
    assert "/var/lib/docker/volumes/x" in out.files

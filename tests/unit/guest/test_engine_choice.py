"""Which engine: settings that go together, pins and versions, and why the engine that is there must go or may stay."""

from __future__ import annotations

import pytest

from dockyard_contract.documents import JsonObject
from dockyard_contract.errors import MalformedDocument
from dockyard_guest.errors import PermanentError
from dockyard_guest.handlers.docker.engine_choice import best, matches, present_engine, twin, why_change
from dockyard_guest.handlers.docker.engine_record import EngineRecord, dump_engine_record, parse_engine_record
from dockyard_guest.handlers.docker.engine_repository import DEB_KEY, RPM_KEY, Place, place_for
from dockyard_guest.handlers.docker.settings_engine import EngineSettings, Source, parse_engine_settings
from dockyard_guest.system.packages.rpm_versions import compare, newest_first
from dockyard_guest.values import Family, OsRelease
from tests.support.signing_keys import KEY

CE = "5:28.1.1-1~debian.13~trixie"
OLD = "5:27.5.1-1~debian.13~trixie"


def parse(**members: object) -> EngineSettings:
    named = {name.replace("_", "-"): value for name, value in members.items()}
    return parse_engine_settings(JsonObject(document="0.settings", path="docker", members=named))


def test_without_members_any_engine_will_do() -> None:
    assert parse_engine_settings(None) == parse() == EngineSettings()


def test_all_members_are_read() -> None:
    settings = parse(
        source="docker", version="28.1", mirror="http://m.example/d/", signing_key=KEY, remove_data_on_uninstall=True
    )
    assert settings == EngineSettings(
        source=Source.DOCKER, pin="28.1", mirror="http://m.example/d", signing_key=KEY, remove_data=True
    )


def test_latest_is_no_pin() -> None:
    assert parse(version="latest") == EngineSettings(newest=True)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"source": "snap"}, "docker.source: expected one of auto, docker, distro"),
        ({"source": 1}, "docker.source: expected a string"),
        ({"version": "28.1; reboot"}, "docker.version: expected the beginning of a version"),
        ({"version": "--force"}, "docker.version"),
        ({"version": 28.1}, "docker.version: expected a string, found a number"),
        ({"mirror": "https://user:word@m.example"}, "without a password"),
        ({"mirror": "https://m.example\nTrusted: yes"}, "docker.mirror"),
        ({"mirror": "ftp://m.example"}, "docker.mirror"),
        ({"mirror": "https://m.example", "signing_key": "x"}, "docker.signing-key: expected one armoured"),
        ({"remove_data_on_uninstall": "yes"}, "expected true or false"),
    ],
)
def test_a_member_that_cannot_be_is_refused(members: dict[str, object], words: str) -> None:
    with pytest.raises(MalformedDocument, match=words):
        parse(**members)


@pytest.mark.parametrize(
    "members",
    [
        {"source": "distro", "mirror": "https://m.example"},
        {"signing_key": KEY},
        {"mirror": "http://m.example"},
        {"mirror": "file:///srv/docker"},
    ],
)
def test_members_that_do_not_go_together_are_refused(members: dict[str, object]) -> None:
    with pytest.raises(PermanentError, match=r"docker\.mirror"):
        parse(**members)


@pytest.mark.parametrize(
    ("pin", "version", "result"),
    [
        ("28.1", CE, True),
        ("28", CE, True),
        ("5:28.1.1-1~debian.13~trixie", CE, True),
        ("5:28.1", CE, True),
        ("28.1.1-1", CE, True),
        ("28.1", "5:28.10.0-1", False),
        ("2", CE, False),
        ("26.1.5", "26.1.5+dfsg1-9", True),
        ("28.1", "0:28.1.1_ce-150000.1", True),
        ("5", CE, True),
        ("1", CE, False),
    ],
)
def test_a_pin_is_the_beginning_of_a_version(pin: str, version: str, *, result: bool) -> None:
    assert matches(pin, version) is result


def test_the_preferred_version_that_matches_is_chosen() -> None:
    offered = ("5:28.2.0-1", "5:28.1.2-1", "5:28.1.1-1")
    assert best("28.1", offered) == "5:28.1.2-1"
    assert best("27", offered) == ""


def test_a_companion_may_have_another_epoch() -> None:
    assert twin("3:28.1.1-1.el9", ("1:28.2.0-1.el9", "1:28.1.1-1.el9")) == "1:28.1.1-1.el9"


@pytest.mark.parametrize(
    ("wanted", "record", "reason"),
    [
        (EngineSettings(), EngineRecord(), ""),
        (EngineSettings(source=Source.DOCKER), EngineRecord(), ""),
        (EngineSettings(pin="28.1"), EngineRecord(), ""),
        (EngineSettings(newest=True), EngineRecord(newest_for=3), ""),
        (EngineSettings(newest=True), EngineRecord(newest_for=2), "a newer version may be had"),
        (EngineSettings(pin="27"), EngineRecord(), "docker-ce 28.1.1-1~debian.13~trixie is there, and 27 is wanted"),
        (EngineSettings(source=Source.DISTRO), EngineRecord(), "is there, and distro is wanted"),
        (EngineSettings(), EngineRecord(previous={}), "interrupted"),
    ],
)
def test_an_engine_is_exchanged_for_a_reason(wanted: EngineSettings, record: EngineRecord, reason: str) -> None:
    present = present_engine(Family.DEBIAN, program=True, versions={"docker-ce": CE})
    found = why_change(wanted, present=present, record=record, number=3)
    assert reason in found
    assert bool(reason) is bool(found)


def test_the_record_says_again_what_it_was_told() -> None:
    record = EngineRecord(("/f",), {"docker.io": "1"}, ("docker.io",), 3, 4, remove_data=True)
    document = JsonObject(document="record", path="engine", members=dump_engine_record(record))
    assert parse_engine_record(document) == record


DOCKER = "https://download.docker.com/linux"


@pytest.mark.parametrize(
    ("release", "place"),
    [
        (OsRelease("debian", codename="trixie"), Place(f"{DOCKER}/debian", "trixie", DEB_KEY)),
        (OsRelease("linuxmint", ("ubuntu",), codename="noble"), Place(f"{DOCKER}/ubuntu", "noble", DEB_KEY)),
        (OsRelease("fedora", version_id="42"), Place(f"{DOCKER}/fedora", "42", RPM_KEY)),
        (OsRelease("rhel", ("fedora",), "9.4"), Place(f"{DOCKER}/rhel", "9", RPM_KEY)),
        (OsRelease("rocky", ("rhel", "centos", "fedora"), "9.4"), Place(f"{DOCKER}/centos", "9", RPM_KEY)),
        (OsRelease("azurelinux", version_id="3.0"), None),
        (OsRelease("amzn", ("fedora",), "2023"), None),
        (OsRelease("opensuse-leap", ("suse",), "15.6"), None),
        (OsRelease("debian"), None),
        (OsRelease("alpine"), None),
    ],
)
def test_docker_has_a_place_for_each_distribution_it_packages_for(release: OsRelease, place: Place | None) -> None:
    assert place_for(release, mirror="") == place


def test_a_mirror_has_the_same_folders() -> None:
    release = OsRelease("sles", ("suse",), "15.6")
    assert place_for(release, mirror="https://m.example/d") == Place("https://m.example/d/linux/sles", "15.6", RPM_KEY)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("0:1.0-1", "0:1.0-2"),
        ("0:1.9-1", "0:1.10-1"),
        ("9:1.0-1", "10:0.1-1"),
        ("0:1.0~rc1-1", "0:1.0-1"),
        ("0:1.0-1", "0:1.0^git1-1"),
        ("0:1.0^git1-1", "0:1.0.1-1"),
        ("0:1.0a-1", "0:1.0.1-1"),
        ("0:1.0-1", "0:1.0.a-1"),
    ],
)
def test_rpms_order_of_versions(older: str, newer: str) -> None:
    assert newest_first([older, newer]) == [newer, older]
    assert compare(older, newer) < 0 < compare(newer, older)

"""The daemon's own configuration on whole machines: safe defaults, guard, registries, proxy, data disk."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dockyard_contract.status import StatusWord
from tests.scenario.kit import SECRET, Context, State, machine_with_engine, machine_with_running_engine
from tests.scenario.programs import PlayedDisk

CONFIG = "/etc/docker/daemon.json"
GUARD_DROP_IN = "/etc/systemd/system/docker.service.d/20-docker-extension-guard.conf"
GUARD = "/var/lib/dockyard-docker/platform-guard"
PROXY = "/var/lib/dockyard-docker/proxy.env"
PROXY_DROP_IN = "/etc/systemd/system/docker.service.d/20-docker-extension-proxy.conf"
APT_PROXY = "/etc/apt/apt.conf.d/95docker-extension-proxy"
RULES = "/etc/audit/rules.d/60-docker-extension.rules"
PROFILE = "/etc/docker/docker-extension-seccomp.json"
SECCOMP = "/proc/sys/kernel/seccomp/actions_avail"
MOUNT = "/etc/systemd/system/var-lib-docker.mount"
PLATFORM, METADATA = "168.63.129.16", "169.254.169.254"


def docker(state: State, number: int = 0, **members: object) -> State:
    return state.settings({"docker": {name.replace("_", "-"): value for name, value in members.items()}}, number=number)


# ---------------------------------------------------------------- safe defaults


def test_an_engine_gets_the_safe_defaults(context: Context) -> None:
    out = context.enable(machine_with_engine().settings({}))
    assert out.daemon_config() == {
        "live-restore": True,
        "log-driver": "json-file",
        "log-opts": {"max-size": "10m", "max-file": "5"},
        "userland-proxy": False,
        "no-new-privileges": True,
        "icc": False,
        "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 65536, "Hard": 524288}},
        "seccomp-profile": PROFILE,
    }
    assert json.loads(out.files[PROFILE])["defaultAction"] == "SCMP_ACT_ERRNO"
    assert out.modes[PROFILE] == 0o644


def test_the_profile_of_system_calls_goes_with_its_default_and_with_the_extension(context: Context) -> None:
    first = context.enable(machine_with_running_engine().settings({}))
    off = context.enable(docker(first, 1, defaults={"seccomp": False}), number=1)
    assert PROFILE not in off.files
    assert "seccomp-profile" not in off.daemon_config()
    assert PROFILE not in context.run("uninstall", first).files


def test_a_kernel_without_a_filter_of_system_calls_gets_no_profile(context: Context) -> None:
    out = context.enable(machine_with_engine().file(SECCOMP, None).settings({}))
    assert "seccomp-profile" not in out.daemon_config()
    assert PROFILE not in out.files


def test_a_default_that_is_switched_off_goes_away_again(context: Context) -> None:
    first = context.enable(machine_with_engine().settings({}))
    out = context.enable(docker(first, 1, defaults={"icc": False}), number=1)
    assert "icc" not in out.daemon_config()
    assert "restart docker.service" in out.events


def test_a_users_word_in_the_units_own_options_counts(context: Context) -> None:
    before = machine_with_engine().file("/etc/default/docker", '# x\nDOCKER_OPTS="--icc=true --log-driver journald"\n')
    out = context.enable(before.settings({}))
    assert out.status().status is StatusWord.SUCCESS
    assert {"icc", "log-driver", "log-opts"}.isdisjoint(out.daemon_config())
    assert "left as this machine has them: log-rotation, icc" in out.part("protection")[1]


def test_a_member_that_the_units_own_options_have_is_refused(context: Context) -> None:
    before = machine_with_engine().file("/etc/default/docker", "DOCKER_OPTS=--mtu=1500\n")
    out = context.enable(docker(before, daemon={"mtu": 1400}))
    assert out.status().status is StatusWord.ERROR
    assert "member mtu of docker.daemon is a flag" in out.message()


def test_files_that_others_may_write_are_tightened(context: Context) -> None:
    before = replace(machine_with_engine().file(CONFIG, '{"mtu": 1400}').settings({}), modes={CONFIG: 0o666})
    out = context.enable(before)
    assert out.modes[CONFIG] == 0o644
    loose = replace(docker(before, defaults={"file-modes": False}))
    assert context.enable(loose).modes[CONFIG] == 0o666


def test_a_machine_with_auditd_gets_rules_and_loses_them_with_the_extension(context: Context) -> None:
    before = replace(machine_with_running_engine().settings({}), world={"programs": frozenset({"augenrules"})})
    watched = before.file("/etc/audit/rules.d/audit.rules", "-D\n")
    out = context.enable(watched)
    assert "-a always,exit -F path=/usr/sbin/dockerd -F perm=wa -F key=docker" in out.files[RULES]
    assert out.modes[RULES] == 0o640
    gone = context.run("uninstall", out)
    assert RULES not in gone.files
    assert "load audit rules" in gone.events


# ---------------------------------------------------------------- members, registries, reload


def test_members_are_merged_with_the_users_file_and_taken_back(context: Context) -> None:
    before = machine_with_running_engine().file(CONFIG, '{"mtu": 1500, "bip": "10.1.0.1/24"}')
    enabled = context.enable(docker(before, daemon={"mtu": 1400}, insecure_registries=["r:5000"]))
    config = enabled.daemon_config()
    assert (config["mtu"], config["bip"], config["insecure-registries"]) == (1400, "10.1.0.1/24", ["r:5000"])
    assert json.loads(context.run("uninstall", enabled).files[CONFIG]) == {"mtu": 1500, "bip": "10.1.0.1/24"}


def test_a_mirror_alone_is_taken_over_without_a_restart(context: Context) -> None:
    first = context.enable(machine_with_running_engine().settings({}))
    out = context.enable(docker(first, 1, registry_mirrors=["https://mirror"]), number=1)
    assert out.status(1).status is StatusWord.SUCCESS
    assert "reload docker.service" in out.events
    assert "restart docker.service" not in out.events
    assert out.running is not None
    assert out.running.config["registry-mirrors"] == ["https://mirror"]


@pytest.mark.parametrize("world", [{"tells_reload": False}, {"validates": False}], ids=["silent", "cannot judge"])
def test_an_engine_whose_reload_cannot_be_trusted_is_restarted(context: Context, world: dict[str, object]) -> None:
    first = context.enable(machine_with_running_engine().settings({}))
    out = context.enable(docker(replace(first, world=world), 1, registry_mirrors=["https://m"]), number=1)
    assert out.status(1).status is StatusWord.SUCCESS
    assert "restart docker.service" in out.events


@pytest.mark.parametrize("validates", [True, False])
def test_a_configuration_that_the_engine_refuses_leaves_the_machine_as_it_was(
    context: Context, *, validates: bool
) -> None:
    before = machine_with_running_engine().file(CONFIG, '{"mtu": 1500}')
    first = replace(context.enable(before.settings({})), world={"refused_words": ("--x",), "validates": validates})
    out = context.enable(docker(first, 1, options=["--x"], daemon={"mtu": 1400}, proxy={"no": "a"}), number=1)
    assert out.status(1).status is StatusWord.ERROR
    assert out.files[CONFIG] == first.files[CONFIG]
    assert PROXY not in out.files
    assert out.running is not None
    assert out.running.config["mtu"] == 1500


# ---------------------------------------------------------------- the platform's endpoints


def test_containers_are_kept_from_the_platform_before_the_engine_starts(context: Context) -> None:
    out = context.enable(machine_with_engine().settings({}))
    assert out.guarded == (PLATFORM, METADATA)
    assert out.files[GUARD_DROP_IN].endswith(f"[Service]\nExecStartPre=/bin/sh {GUARD}\n")
    assert f"-d {PLATFORM}/32" in out.files[GUARD]


def test_a_guard_that_is_switched_off_lets_only_that_address_through(context: Context) -> None:
    first = context.enable(machine_with_running_engine().settings({}))
    out = context.enable(docker(first, 1, defaults={"metadata-guard": False}), number=1)
    assert out.guarded == (PLATFORM,)
    assert METADATA not in out.files[GUARD]
    assert "restart docker.service" not in out.events


def test_without_any_guard_nothing_of_it_stays(context: Context) -> None:
    first = context.enable(machine_with_running_engine().settings({}))
    off = {"metadata-guard": False, "platform-guard": False}
    out = context.enable(docker(first, 1, defaults=off), number=1)
    assert out.guarded == ()
    assert {GUARD, GUARD_DROP_IN}.isdisjoint(out.files)


def test_uninstall_takes_the_guard_back(context: Context) -> None:
    out = context.run("uninstall", context.enable(machine_with_running_engine().settings({})))
    assert out.guarded == ()
    assert {GUARD, GUARD_DROP_IN}.isdisjoint(out.files)


def test_a_machine_that_cannot_be_guarded_is_told_and_left_as_it_was(context: Context) -> None:
    before = replace(machine_with_running_engine().settings({}), world={"firewall": False})
    out = context.enable(before)
    assert out.status().status is StatusWord.ERROR
    assert "cannot be kept from the platform" in out.message()
    assert {GUARD, GUARD_DROP_IN, CONFIG}.isdisjoint(out.files)


# ---------------------------------------------------------------- proxy


def test_a_proxy_with_a_password_is_for_root_alone(context: Context) -> None:
    protected = {"proxy": {"https": f"http://me:{SECRET}@proxy:3128"}}
    out = context.enable(State().settings({"docker": {"proxy": {"no": "localhost"}}}, protected))
    assert out.status().status is StatusWord.SUCCESS
    assert out.files[PROXY] == f'HTTPS_PROXY="http://me:{SECRET}@proxy:3128"\nNO_PROXY="localhost"\n'
    assert out.modes[PROXY] == 0o600
    readable = {path for path, text in out.files.items() if SECRET in text and not path.endswith(".settings")}
    assert readable == {PROXY}
    assert APT_PROXY not in out.files


def test_a_proxy_that_is_no_longer_wanted_goes_with_a_restart(context: Context) -> None:
    first = context.enable(docker(machine_with_running_engine(), proxy={"http": "http://proxy:3128"}))
    assert PROXY_DROP_IN in first.files
    out = context.enable(docker(first, 1), number=1)
    assert {PROXY, PROXY_DROP_IN}.isdisjoint(out.files)
    assert "restart docker.service" in out.events


# ---------------------------------------------------------------- data disk


def test_a_blank_disk_is_formatted_and_mounted_before_the_engine_is_installed(context: Context) -> None:
    out = context.enable(replace(docker(State(), data_disk="/dev/sdc"), disks={"/dev/sdc": PlayedDisk()}))
    assert out.status().status is StatusWord.SUCCESS
    order = [event for event in out.events if event.startswith(("format", "start var", "install"))]
    assert order == ["format /dev/sdc", "start var-lib-docker.mount", "install docker.io apparmor"]
    assert "What=/dev/disk/by-uuid/0c4e" in out.files[MOUNT]
    assert out.disks["/dev/sdc"].mounted_at == "/var/lib/docker"


@pytest.mark.parametrize(
    "disk", [PlayedDisk(holds="ntfs"), PlayedDisk(holds="LVM2_member", known_to_lsblk=False)], ids=["known", "unknown"]
)
def test_a_disk_that_holds_something_else_is_refused(context: Context, disk: PlayedDisk) -> None:
    before = replace(docker(machine_with_running_engine(), data_disk="/dev/sdc"), disks={"/dev/sdc": disk})
    out = context.enable(before)
    assert out.status().status is StatusWord.ERROR
    assert "/dev/sdc is not blank" in out.message()
    assert out.disks == before.disks
    assert "docker.service" in out.active


def test_a_disk_of_an_earlier_machine_keeps_its_data(context: Context) -> None:
    disks = {"/dev/sdc": PlayedDisk(holds="ext4", label="docker-data")}
    out = context.enable(replace(docker(machine_with_engine(), data_disk=True), disks=disks))
    assert out.status().status is StatusWord.SUCCESS
    assert out.disks["/dev/sdc"].mounted_at == "/var/lib/docker"
    assert not [event for event in out.events if event.startswith("format")]


def test_an_engine_with_containers_keeps_its_data_where_it_is(context: Context) -> None:
    used = machine_with_running_engine().file("/var/lib/docker/containers/4f1d/config.v2.json", "{}")
    out = context.enable(replace(docker(used, data_disk=True), disks={"/dev/sdc": PlayedDisk()}))
    assert out.status().status is StatusWord.ERROR
    assert "has containers, images or volumes" in out.message()
    assert out.disks == {"/dev/sdc": PlayedDisk()}
    assert "stop" not in " ".join(out.events)


def test_the_same_disk_again_changes_nothing(context: Context) -> None:
    disks = {"/dev/sdc": PlayedDisk()}
    first = context.enable(replace(docker(machine_with_engine(), data_disk="/dev/sdc"), disks=disks))
    out = context.enable(docker(first, 1, data_disk="/dev/sdc"), number=1)
    assert out.part("data disk", 1)[1].startswith("/dev/sdc holds /var/lib/docker")
    assert not [event for event in out.events if event.startswith(("format", "stop", "restart"))]


def test_uninstall_lets_go_of_the_disk_but_not_of_its_data(context: Context) -> None:
    enabled = context.enable(replace(docker(State(), data_disk="/dev/sdc"), disks={"/dev/sdc": PlayedDisk()}))
    out = context.run("uninstall", enabled)
    assert MOUNT not in out.files
    assert "stop var-lib-docker.mount" in out.events
    assert out.disks["/dev/sdc"].holds == "ext4"


def test_uninstall_of_an_engine_that_stays_leaves_its_data_mounted(context: Context) -> None:
    before = replace(docker(machine_with_engine(), data_disk="/dev/sdc"), disks={"/dev/sdc": PlayedDisk()})
    assert MOUNT in context.run("uninstall", context.enable(before)).files


# ---------------------------------------------------------------- confinement


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("name=apparmor", "name=seccomp,profile=builtin"), "by AppArmor and by the engine's own seccomp profile"),
        (("name=apparmor", "name=seccomp,profile=unconfined"), "by AppArmor and by no seccomp profile"),
        (("name=seccomp,profile=/p.json",), "by neither AppArmor nor SELinux and by /p.json seccomp profile"),
    ],
)
def test_confinement_is_told_in_the_engines_words(context: Context, options: tuple[str, ...], words: str) -> None:
    out = context.enable(replace(machine_with_engine().settings({}), world={"security": options}))
    word, text = out.part("confinement")
    assert words in text
    assert (word is StatusWord.SUCCESS) is ("own" in words and "neither" not in words)

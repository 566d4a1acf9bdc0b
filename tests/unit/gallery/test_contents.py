"""What is put into an image: packed alike each time, owned by root, with the promises a machine needs."""

from __future__ import annotations

import configparser
import io
import tarfile

from dockyard.gallery.contents import Contents, archive

CONTENTS = Contents.read()


def test_an_archive_is_the_same_bytes_whatever_the_order() -> None:
    assert archive({"b/c": b"1", "a": b"2"}) == archive({"a": b"2", "b/c": b"1"})


def test_everything_in_an_archive_is_roots_and_readable() -> None:
    with tarfile.open(fileobj=io.BytesIO(archive({"etc/x/y": b"text"}))) as tar:
        found = {member.name: (member.uid, member.gid, member.mode) for member in tar}
    assert found == {"etc": (0, 0, 0o755), "etc/x": (0, 0, 0o755), "etc/x/y": (0, 0, 0o644)}


def test_passwords_do_not_open_a_machine() -> None:
    lines = CONTENTS.files["etc/ssh/sshd_config.d/10-keys-only.conf"].decode().splitlines()
    assert {"PasswordAuthentication no", "KbdInteractiveAuthentication no", "PermitRootLogin no"} <= set(lines)


def test_the_root_file_system_grows_with_the_disk() -> None:
    entries = [line.split() for line in CONTENTS.files["etc/fstab"].decode().splitlines() if line[0] != "#"]
    assert [(entry[1], "x-systemd.growfs" in entry[3].split(",")) for entry in entries] == [("/", True)]


def test_start_waits_for_an_address_on_the_platform_link_alone() -> None:
    platform, internet = (_network(name) for name in ("20-platform-link", "20-internet"))
    assert platform["Link"].get("RequiredForOnline", "yes") == "yes"  # not a family
    assert platform["Link"]["RequiredFamilyForOnline"] == "ipv4"
    assert internet["Link"]["RequiredForOnline"] == "no"


def _network(name: str) -> configparser.ConfigParser:
    network = configparser.ConfigParser()
    network.read_string(CONTENTS.files[f"etc/systemd/network/{name}.network"].decode())
    return network


def test_the_engine_is_not_started_by_the_image() -> None:
    assert "systemctl --quiet disable docker.service docker.socket containerd.service" in CONTENTS.finish

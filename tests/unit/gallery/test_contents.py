"""What is put into an image: packed alike each time, owned by root, with the promises a machine needs."""

from __future__ import annotations

import configparser
import io
import tarfile

import pytest

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


@pytest.mark.parametrize(("name", "waited_for"), [("20-platform-link", "ipv4"), ("20-internet", "no")])
def test_start_waits_for_the_platform_link_alone(name: str, waited_for: str) -> None:
    network = configparser.ConfigParser()
    network.read_string(CONTENTS.files[f"etc/systemd/network/{name}.network"].decode())
    assert network["Link"]["RequiredForOnline"] == waited_for


def test_the_engine_is_not_started_by_the_image() -> None:
    assert "systemctl --quiet disable docker.service docker.socket containerd.service" in CONTENTS.finish

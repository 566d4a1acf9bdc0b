"""A machine with a password, custom data and a data disk, under the real cloud-init; then another size.

One short machine of its own: password logins are no business of the others'.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import PROGRAM, Home

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900), pytest.mark.xdist_group("two")]
NAME = "parts"
PASSWORD = "Canary-Horse-51c9"
CUSTOM_DATA = "#cloud-config\nwrite_files:\n- path: /var/tmp/custom\n  content: from custom data\n"
LUN = "/dev/disk/azure/scsi1/lun0"


@pytest.fixture(scope="module")
def machine(home: Home) -> Iterator[str]:
    hardware = ("--image", "docker-debian-13", "--memory", "512", "--data-disk-gib", "1")
    words = ("vm", "create", NAME, "--no-docker", *hardware, "--custom-data", CUSTOM_DATA, "--password-stdin")
    done = subprocess.run(
        [str(PROGRAM), *words],
        env=home.environment,
        input=f"{PASSWORD}\n",
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    yield NAME
    home.run("vm", "delete", NAME, "--yes")


def log_in(home: Home, folder: Path, password: str) -> subprocess.CompletedProcess[str]:
    """Ask the machine who one is, with a password and nothing else."""
    answer = folder / "answer"
    answer.write_text(f"#!/bin/sh\necho '{password}'\n")
    answer.chmod(0o700)
    port = home.json("vm", "show", NAME)["tags"]["dockyard-ssh-port"]
    choices = ("PreferredAuthentications=password", "NumberOfPasswordPrompts=1", "StrictHostKeyChecking=no")
    options = [word for each in (*choices, "UserKnownHostsFile=/dev/null") for word in ("-o", each)]
    return subprocess.run(
        ["ssh", "-F", "none", "-p", port, *options, "dockyard@127.0.0.1", "id -un"],
        env={**os.environ, "SSH_ASKPASS": str(answer), "SSH_ASKPASS_REQUIRE": "force"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_password_opens_and_another_does_not(home: Home, machine: str, tmp_path: Path) -> None:
    opened = log_in(home, tmp_path, PASSWORD)
    assert (opened.returncode, opened.stdout) == (0, "dockyard\n"), opened.stderr
    assert log_in(home, tmp_path, "Other-Horse-51c9").returncode == 255


def test_the_password_is_nowhere_on_the_host(home: Home, machine: str) -> None:
    found = subprocess.run(
        ["grep", "-rl", "--binary-files=text", "--exclude-dir=images", PASSWORD, str(home.folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stdout) == (1, "")


def test_custom_data_was_followed(home: Home, machine: str) -> None:
    assert home.ssh(machine, "cat /var/tmp/custom") == "from custom data"


def test_the_data_disk_keeps_what_is_on_it_through_another_size(home: Home, machine: str) -> None:
    home.ssh(machine, f"sudo mkfs.ext4 -q {LUN} && sudo mount {LUN} /mnt && echo kept | sudo tee /mnt/file && sync")
    home.run("vm", "deallocate", machine)
    states = [status["code"] for status in home.view(machine)["statuses"]]
    assert "PowerState/deallocated" in states
    home.run("vm", "resize", machine, "--memory", "768")
    home.run("vm", "start", machine)
    told = home.ssh(machine, f"sudo mount {LUN} /mnt && cat /mnt/file; grep MemTotal /proc/meminfo; lsblk -Jo FSTYPE")
    kept, memory, devices = told.split("\n", 2)
    assert kept == "kept"
    assert 600_000 < int(memory.split()[1]) < 790_000
    assert "iso9660" not in [device["fstype"] for device in json.loads(devices)["blockdevices"]]


def test_a_disk_comes_and_goes_while_the_machine_runs(home: Home, machine: str) -> None:
    booted = home.ssh(machine, "cat /proc/sys/kernel/random/boot_id")
    home.run("vm", "disk", "attach", machine, "--size-gib", "1", "--name", "late", "--lun", "5")
    late = LUN.replace("lun0", "lun5")
    home.ssh(machine, f"udevadm wait --timeout=60 {late} && echo 'type=83' | sudo sfdisk -q {late}")
    home.ssh(machine, f"udevadm wait --timeout=60 {late}-part1 && sudo mkfs.ext4 -q {late}-part1")
    home.ssh(machine, f"sudo mount {late}-part1 /srv && echo late | sudo tee /srv/file && sudo umount /srv")
    home.run("vm", "disk", "detach", machine, "--name", "late")
    home.until(lambda: "gone" in home.ssh(machine, f"test -e {late} || echo gone"), seconds=60, what="the disk to go")
    home.run("vm", "disk", "attach", machine, "--name", "late", "--lun", "6")
    moved = f"{LUN.replace('lun0', 'lun6')}-part1"
    told = home.ssh(machine, f"udevadm wait --timeout=60 {moved} && sudo mount {moved} /srv && cat /srv/file")
    assert told == "late\n"
    assert home.ssh(machine, "cat /mnt/file; cat /proc/sys/kernel/random/boot_id") == f"kept\n{booted}"

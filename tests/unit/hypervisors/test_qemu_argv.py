"""The command line of a machine, option by option."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dockyard.fabric.ports import MachineSpec, PlatformLink
from dockyard.hypervisors.qemu.argv import AccelerationKind, machine_arguments, probe_arguments
from dockyard.hypervisors.qemu.files import MachineFiles
from dockyard.model.disk import DataDisk
from tests.support.fabric import image
from tests.support.values import a_machine

FILES = MachineFiles(folder=Path("/data/machines/web"), sockets=Path("/run/dockyard/web"))
LINK = PlatformLink(Path("/run/dockyard/web/platform.sock"), Path("/run/dockyard/web/machine.sock"))
SPEC = MachineSpec(machine=a_machine(), image=image(), link=LINK)
GOLDEN = """\
/usr/bin/qemu-system-x86_64
-nodefaults
-no-user-config
-display none
-vga none
-machine q35,vmport=off
-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny
-msg timestamp=on
-name guest=web,process=dockyard-web
-uuid 11111111-2222-4333-8444-555555555555
-smbios type=1,manufacturer=Microsoft Corporation,product=Virtual Machine,version=Hyper-V UEFI Release v4.1
-smbios type=3,manufacturer=Microsoft Corporation,asset=7783-7084-3265-9085-8269-3286-77
-accel tcg,thread=multi,tb-size=128
-cpu max,tcg-cpuid=off
-smp 1
-m 1024
-kernel /nowhere/vmlinuz
-initrd /nowhere/initrd
-append console=ttyS0
-netdev dgram,id=platform,local.type=unix,local.path=/run/dockyard/web/machine.sock,\
remote.type=unix,remote.path=/run/dockyard/web/platform.sock
-device virtio-net-pci,netdev=platform,mac=52:54:11:11:11:11,addr=0x2,romfile=
-netdev user,id=outbound,net=10.0.2.0/24,ipv6=off,\
hostfwd=tcp:127.0.0.1:22022-:22,hostfwd=tcp:127.0.0.1:23760-:2376
-device virtio-net-pci,netdev=outbound,mac=52:55:11:11:11:11,addr=0x3,romfile=
-blockdev driver=file,node-name=file,filename=/data/machines/web/disk.qcow2,discard=unmap
-blockdev driver=qcow2,node-name=disk,file=file,discard=unmap,detect-zeroes=unmap
-device virtio-blk-pci,drive=disk,addr=0x4
-device driver=pcie-root-port,id=disks,addr=0x6
-device virtio-rng-pci,addr=0x5
-chardev file,id=console,path=/data/machines/web/console.log,append=on
-serial chardev:console
-chardev socket,id=qmp,path=/run/dockyard/web/qmp.sock,server=on,wait=off
-mon chardev=qmp,mode=control
-pidfile /data/machines/web/pid
"""


def arguments(
    *, spec: MachineSpec = SPEC, files: MachineFiles = FILES, kind: AccelerationKind = AccelerationKind.TCG
) -> list[str]:
    return machine_arguments(program=Path("/usr/bin/qemu-system-x86_64"), spec=spec, files=files, acceleration=kind)


def readable(argv: list[str]) -> str:
    """Return one option a line."""
    return "\n".join(argv).replace("\n-", "\0").replace("\n", " ").replace("\0", "\n-") + "\n"


def option(argv: list[str], name: str) -> str:
    return argv[argv.index(name) + 1]


def test_the_whole_command_line_of_an_emulated_machine() -> None:
    assert readable(arguments()) == GOLDEN


def test_under_kvm_the_real_processor_is_shown_and_kvm_is_not() -> None:
    argv = arguments(kind=AccelerationKind.KVM)
    assert option(argv, "-accel") == "kvm"
    assert option(argv, "-cpu") == "host,kvm=off,migratable=off"


def test_without_forwards_no_port_is_opened() -> None:
    network = replace(SPEC.machine.network, forwards=())
    argv = arguments(spec=replace(SPEC, machine=replace(SPEC.machine, network=network)))
    assert "user,id=outbound,net=10.0.2.0/24,ipv6=off" in argv


def test_every_forward_listens_on_loopback_alone() -> None:
    rules = [rule for argument in arguments() for rule in argument.split(",") if rule.startswith("hostfwd=")]
    assert rules
    assert all(rule.startswith("hostfwd=tcp:127.0.0.1:") for rule in rules)


def test_data_disks_are_found_by_their_lun() -> None:
    kept = (
        DataDisk(id="b", name="b", size_gib=1, lun=3),
        DataDisk(id="a", name="a", size_gib=1, lun=0),
        DataDisk(id="c", name="c", size_gib=1, lun=None),
    )
    argv = arguments(spec=replace(SPEC, machine=replace(SPEC.machine, data_disks=kept)))
    assert [argument for argument in argv if "scsi" in argument] == [
        "driver=virtio-scsi-pci,id=scsi0,bus=disks",
        "driver=scsi-hd,id=lun0,bus=scsi0.0,scsi-id=0,lun=0,drive=data-a,serial=lun0",
        "driver=scsi-hd,id=lun3,bus=scsi0.0,scsi-id=0,lun=3,drive=data-b,serial=lun3",
    ]
    assert "driver=file,node-name=file-b,filename=/data/machines/web/data-b.qcow2,discard=unmap" in argv
    assert "driver=qcow2,node-name=data-b,file=file-b,discard=unmap,detect-zeroes=unmap" in argv
    assert not any("data-c" in argument for argument in argv)


def test_the_disc_of_a_first_boot_is_the_last_disk() -> None:
    argv = arguments(spec=replace(SPEC, disc={"ovf-env.xml": b"canary"}))
    assert "virtio-blk-pci,drive=disc,addr=0x1d" in argv
    assert "driver=raw,node-name=disc,read-only=on,file=disc-file" in argv
    assert "canary" not in " ".join(argv)


def test_commas_in_paths_cannot_add_options() -> None:
    files = MachineFiles(folder=Path("/data,readonly=on"), sockets=FILES.sockets)
    assert "path=/data,,readonly=on/console.log" in option(arguments(files=files), "-chardev")


@pytest.mark.parametrize("spec", [SPEC, replace(SPEC, machine=replace(SPEC.machine, tags={"password": "s3cret"}))])
def test_nothing_of_the_guest_s_identity_is_in_the_arguments(spec: MachineSpec) -> None:
    line = " ".join(arguments(spec=spec))
    assert "ssh-ed25519" not in line
    assert "s3cret" not in line


def test_a_trial_has_neither_disk_nor_network() -> None:
    argv = probe_arguments(program=Path("/usr/bin/qemu-system-x86_64"), kernel=Path("/k"))
    assert option(argv, "-accel") == "kvm"
    assert not {"-netdev", "-blockdev", "-initrd", "-uuid"} & set(argv)

"""Build QEMU's argument list from values. Pure: the same values always give the same list.

Called by ``driver`` to start a machine and by ``acceleration`` to try the processor. No secret ever passes through
here: any user of the host can read the arguments of any process.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from dockyard.fabric.ports import MachineSpec, PlatformLink
from dockyard.hypervisors.qemu import data_disks
from dockyard.hypervisors.qemu.files import MachineFiles
from dockyard.model.disk import DataDisk
from dockyard.model.image import Image
from dockyard.model.virtual_machine import NetworkProfile, PortForward

UUID_OPTION = "-uuid"
"""The option a running machine is known by; ``processes`` looks for it."""

PIDFILE_OPTION = "-pidfile"
"""The option that tells whose machine it is; ``processes`` looks for it."""

NETDEV = "outbound"
"""The backend that has the way out and the forwards."""

_AZURE = "Microsoft Corporation"
_AZURE_CHASSIS_TAG = "7783-7084-3265-9085-8269-3286-77"  # cloud-init's and the agent's test for Azure


class AccelerationKind(Enum):
    """Who executes a guest's instructions: the processor itself, or QEMU's translator."""

    KVM = "kvm"
    TCG = "tcg"


def machine_arguments(
    *, program: Path, spec: MachineSpec, files: MachineFiles, acceleration: AccelerationKind
) -> list[str]:
    """Return the whole command line of one machine."""
    machine = spec.machine
    return [
        str(program),
        *_basis(),
        *("-name", _options(guest=machine.id.name, process=f"dockyard-{machine.id.name}")),
        *(UUID_OPTION, machine.vm_id),
        *_platform(),
        *_processor(acceleration, cpus=machine.size.cpus),
        *("-m", str(machine.size.memory_mib)),
        *_boot(spec.image),
        *_network(machine.network, link=spec.link),
        *_disk(files.disk),
        *_data_disks(machine.attached_disks, files=files),
        *(_disc(files.disc) if spec.disc else ()),
        *("-device", "virtio-rng-pci,addr=0x5"),
        *_console(files.console),
        *_supervision(files),
    ]


def probe_arguments(*, program: Path, kernel: Path) -> list[str]:
    """Return a command line that boots ``kernel`` under KVM, without a disk, until it panics for want of one."""
    return [
        str(program),
        *_basis(),
        *_processor(AccelerationKind.KVM, cpus=2),
        *("-m", "256"),
        *("-kernel", str(kernel), "-append", "console=ttyS0 panic=-1"),
        *("-no-reboot", "-serial", "stdio"),
    ]


def forwarding_rule(forward: PortForward) -> str:
    """Return a forward as QEMU's options and its monitor write it."""
    return f"{forward.protocol}:127.0.0.1:{forward.host_port}-:{forward.guest_port}"


def _basis() -> list[str]:
    """Nothing but what is named, and only the system calls an emulator needs.

    q35 rather than pc or microvm: as fast as pc, with PCI Express; microvm has no SMBIOS tables, without which no guest
    believes to be on Azure. The HPET stays: a guest on a busy host often cannot calibrate its clock by any other timer.
    """
    return [
        *("-nodefaults", "-no-user-config", "-display", "none", "-vga", "none"),
        *("-machine", "q35,vmport=off"),
        *("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"),
        *("-msg", "timestamp=on"),
    ]


def _platform() -> list[str]:
    """Strings by which systemd, cloud-init (ds-identify) and WALinuxAgent's unit recognise Azure."""
    return [
        "-smbios",
        _options(type="1", manufacturer=_AZURE, product="Virtual Machine", version="Hyper-V UEFI Release v4.1"),
        "-smbios",
        _options(type="3", manufacturer=_AZURE, asset=_AZURE_CHASSIS_TAG),
    ]


def _processor(acceleration: AccelerationKind, *, cpus: int) -> list[str]:
    """Hide the real hypervisor's own signature, which systemd-detect-virt would believe before the SMBIOS strings.

    With KVM's signature hidden the guest has no kvmclock, so it must see an invariant time stamp counter instead; QEMU
    passes that on to machines that will not migrate. A TCG code buffer of 128 MiB costs no speed against the default of
    1 GiB, and most of its memory is really used.
    """
    if acceleration is AccelerationKind.KVM:
        chosen = ["-accel", "kvm", "-cpu", "host,kvm=off,migratable=off"]
    else:
        chosen = ["-accel", "tcg,thread=multi,tb-size=128", "-cpu", "max,tcg-cpuid=off"]
    return [*chosen, "-smp", str(cpus)]


def _boot(image: Image) -> list[str]:
    return [
        *("-kernel", str(image.kernel)),
        *("-initrd", str(image.initrd)),
        *("-append", image.kernel_command_line),
    ]


def _network(network: NetworkProfile, *, link: PlatformLink) -> list[str]:
    """The guest numbers its interfaces by PCI address: eth0 is the virtual network, eth1 the way out."""
    return [
        *("-netdev", _platform_backend(link)),
        *("-device", _interface(netdev="platform", mac=network.mac_address, address=2)),
        *("-netdev", _outbound_backend(network.forwards)),
        *("-device", _interface(netdev=NETDEV, mac=network.outbound_mac_address, address=3)),
    ]


def _platform_backend(link: PlatformLink) -> str:
    local, remote = _escape(str(link.machine_socket)), _escape(str(link.platform_socket))
    return f"dgram,id=platform,local.type=unix,local.path={local},remote.type=unix,remote.path={remote}"


def _outbound_backend(forwards: Sequence[PortForward]) -> str:
    """Address translation by QEMU itself (libslirp), so that no root is needed.

    A known limit: libslirp leads 10.0.2.2, and whatever a guest's root sends to 127.0.0.0/8, to services of the host's
    own loopback address. QEMU 7.2 has no option against it but ``restrict=on``, which takes away the internet as well.
    So nothing of Dockyard that listens on loopback may trust a caller for coming from there.
    """
    rules = [f"hostfwd={forwarding_rule(forward)}" for forward in forwards]
    return ",".join([f"user,id={NETDEV},net=10.0.2.0/24,ipv6=off", *rules])


def _interface(*, netdev: str, mac: str, address: int) -> str:
    return _options("virtio-net-pci", netdev=netdev, mac=mac, addr=f"{address:#x}", romfile="")


def _disk(disk: Path) -> list[str]:
    nodes = data_disks.qcow2(disk, node="disk", file_node="file")
    return [*_blocks(nodes), *("-device", "virtio-blk-pci,drive=disk,addr=0x4")]


def _data_disks(disks: Sequence[DataDisk], *, files: MachineFiles) -> list[str]:
    arguments = ["-device", _options(**data_disks.SLOT)]
    if disks:
        arguments += ["-device", _options(**data_disks.CONTROLLER)]
    for disk in disks:
        arguments += _blocks(data_disks.blocks(disk, path=files.data_disk(disk.id)))
        arguments += ["-device", _options(**data_disks.device(disk))]
    return arguments


def _blocks(nodes: Sequence[data_disks.Properties]) -> list[str]:
    return [word for node in nodes for word in ("-blockdev", _options(**node))]


def _disc(disc: Path) -> list[str]:
    """A disc as one more virtio disk: its driver is there before anything looks, which an optical drive's is not."""
    return [
        "-blockdev",
        _options(driver="file", **{"node-name": "disc-file", "read-only": "on"}, filename=str(disc)),
        "-blockdev",
        _options(driver="raw", **{"node-name": "disc", "read-only": "on"}, file="disc-file"),
        *("-device", "virtio-blk-pci,drive=disc,addr=0x1d"),
    ]


def _console(console: Path) -> list[str]:
    return ["-chardev", _options("file", id="console", path=str(console), append="on"), "-serial", "chardev:console"]


def _supervision(files: MachineFiles) -> list[str]:
    return [
        *("-chardev", _options("socket", id="qmp", path=str(files.monitor), server="on", wait="off")),
        *("-mon", "chardev=qmp,mode=control"),
        *(PIDFILE_OPTION, str(files.pid)),
    ]


def _options(first: str = "", /, **options: str | int) -> str:
    """Join options QEMU's way: a comma within a value is doubled."""
    pairs = [f"{name}={_escape(str(value))}" for name, value in options.items()]
    return ",".join([first, *pairs] if first else pairs)


def _escape(value: str) -> str:
    return value.replace(",", ",,")

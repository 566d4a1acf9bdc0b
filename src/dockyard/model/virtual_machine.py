"""A virtual machine as the fabric keeps it: what was asked for, what it was given, what its agent said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dockyard.model.disk import DataDisk, OsDisk
from dockyard.model.errors import ErrorRecord, InvalidRequest
from dockyard.model.image import ImageReference
from dockyard.model.provisioning import ProvisioningState
from dockyard.model.resource_id import ResourceId

_CUSTOM_SIZE = re.compile(r"Dockyard_C(\d{1,9})_M(\d{1,9})", re.IGNORECASE)


@dataclass(frozen=True)
class VirtualMachineSize:
    """Processors, memory in MiB, and how many data disks there may be, by Azure's name."""

    name: str
    cpus: int
    memory_mib: int
    max_data_disks: int = 16


SIZES = (
    VirtualMachineSize("Standard_B1ls", 1, 512, 2),
    VirtualMachineSize("Standard_B1s", 1, 1024, 2),
    VirtualMachineSize("Standard_B1ms", 1, 2048, 2),
    VirtualMachineSize("Standard_B2s", 2, 4096, 4),
    VirtualMachineSize("Standard_B2ms", 2, 8192, 4),
    VirtualMachineSize("Standard_D2s_v5", 2, 8192, 4),
    VirtualMachineSize("Standard_D4s_v5", 4, 16384, 8),
)
# What published templates ask for, from Azure's tables of earlier and retired series; taken, and not offered in lists.
EARLIER_SIZES = (
    VirtualMachineSize("Standard_A0", 1, 768),
    VirtualMachineSize("Standard_A1", 1, 1792),
    VirtualMachineSize("Standard_A2", 2, 3584),
    VirtualMachineSize("Standard_A1_v2", 1, 2048),
    VirtualMachineSize("Standard_A2_v2", 2, 4096),
    VirtualMachineSize("Standard_D1", 1, 3584),
    VirtualMachineSize("Standard_D2", 2, 7168),
    VirtualMachineSize("Standard_D1_v2", 1, 3584),
    VirtualMachineSize("Standard_D2_v2", 2, 7168),
    VirtualMachineSize("Standard_D2_v3", 2, 8192),
    VirtualMachineSize("Standard_DS1", 1, 3584),
    VirtualMachineSize("Standard_DS2", 2, 7168),
    VirtualMachineSize("Standard_DS1_v2", 1, 3584),
    VirtualMachineSize("Standard_DS2_v2", 2, 7168),
    VirtualMachineSize("Standard_D2s_v3", 2, 8192),
    VirtualMachineSize("Standard_D4s_v3", 4, 16384),
    VirtualMachineSize("Standard_F1", 1, 2048),
    VirtualMachineSize("Standard_F2", 2, 4096),
    VirtualMachineSize("Standard_F1s", 1, 2048),
    VirtualMachineSize("Standard_F2s", 2, 4096),
)


def size_named(name: str) -> VirtualMachineSize:
    """Return the size Azure calls ``name``, or ``Dockyard_C<cpus>_M<MiB>`` for any other.

    Raises:
        InvalidRequest: an unknown name, or a custom size outside 1..64 processors and 256 MiB..1 TiB.
    """
    for size in (*SIZES, *EARLIER_SIZES):
        if size.name.lower() == name.lower():
            return size
    custom = _CUSTOM_SIZE.fullmatch(name)
    if custom and 1 <= int(custom[1]) <= 64 and 256 <= int(custom[2]) <= 1_048_576:
        return VirtualMachineSize(f"Dockyard_C{custom[1]}_M{custom[2]}", int(custom[1]), int(custom[2]))
    known = ", ".join(size.name for size in SIZES)
    raise InvalidRequest(
        f"The value {name[:60]} provided for the VM size is not valid."
        f" The valid sizes in the current region are: {known}",
        resolution="Use one of these, or Dockyard_C<processors>_M<MiB of memory, at least 256>.",
        code="InvalidParameter",
    )


@dataclass(frozen=True)
class SshPublicKey:
    """One line for ``authorized_keys`` and the path in the guest it belongs to."""

    path: str
    key_data: str


@dataclass(frozen=True, kw_only=True)
class OsProfile:
    """Who the guest is and who may log in.

    ``custom_data`` is base64 text for cloud-init; it is forgotten once the machine has booted with it, and known by its
    SHA-256 from then on. ``password_hash`` is crypt(3)'s; None means that keys alone open.
    """

    computer_name: str
    admin_username: str
    ssh_public_keys: tuple[SshPublicKey, ...] = ()
    custom_data: str | None = field(default=None, repr=False)
    custom_data_digest: str | None = None
    password_hash: str | None = field(default=None, repr=False)
    allow_extension_operations: bool = True


@dataclass(frozen=True)
class PortForward:
    """A port of the host's loopback address that leads to a port of the guest.

    ``protocol`` is ``tcp`` or ``udp``. ``opened``: there because a network security group allows it, and only for as
    long as it does. ``chosen``: nobody asked for this very port of the host.
    """

    name: str
    host_port: int
    guest_port: int
    protocol: str = "tcp"
    opened: bool = False
    chosen: bool = False


@dataclass(frozen=True, kw_only=True)
class NetworkProfile:
    """The machine's two interfaces: the virtual network (platform link) and the way out with its forwards.

    ``interfaces`` has the ids of the network interfaces it was created with; none means those implied by its name.
    ``deletes_interfaces``: they go with the machine.
    """

    mac_address: str
    private_ip: str
    outbound_mac_address: str
    forwards: tuple[PortForward, ...] = ()
    interfaces: tuple[str, ...] = ()
    deletes_interfaces: bool = False

    @property
    def deleted_interfaces(self) -> tuple[str, ...]:
        """The ids of the network interfaces that are deleted with the machine."""
        return self.interfaces if self.deletes_interfaces else ()

    def host_port(self, name: str) -> int | None:
        """Return the loopback port of the forward called ``name``, or None."""
        return next((forward.host_port for forward in self.forwards if forward.name == name), None)


@dataclass(frozen=True)
class ProcessIdentity:
    """A process that cannot be mistaken for a later one with the same number: its start time in clock ticks."""

    pid: int
    start_time: int


@dataclass(frozen=True)
class Step:
    """One stage of a life-cycle operation, for display. ``ended_at`` is None while it runs."""

    name: str
    started_at: datetime
    ended_at: datetime | None = None
    message: str = ""


@dataclass(frozen=True)
class AgentStatus:
    """The guest agent's own word: ``status`` is ``Ready`` or ``NotReady``."""

    version: str
    status: str
    message: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class VirtualMachine:
    """The stored document. Whether it runs is observed, never stored; ``wanted_running`` is the wish.

    ``user_data`` is base64 text that instance metadata serves. ``provisioned`` says that the first boot is over.

    ``deallocated`` tells a machine that gave its processors and memory back from one that was only stopped; it is the
    difference Azure's bills make, and here nothing but what is shown.

    ``kept`` holds members of ARM's ``properties`` that mean nothing to this fabric and are shown as they were given.
    """

    id: ResourceId
    vm_id: str
    location: str
    size: VirtualMachineSize
    image: ImageReference
    disk_gib: int
    os_profile: OsProfile
    network: NetworkProfile
    created_at: datetime
    provisioning_state: ProvisioningState
    tags: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, Any] = field(default_factory=dict)
    user_data: str | None = None
    os_disk: OsDisk = field(default_factory=OsDisk)
    data_disks: tuple[DataDisk, ...] = ()
    image_id: str = ""
    provisioned: bool = False
    wanted_running: bool = True
    deallocated: bool = False
    process: ProcessIdentity | None = None
    incarnation: int = 1
    goal_ticks: int = 0
    agent: AgentStatus | None = None
    steps: tuple[Step, ...] = ()
    error: ErrorRecord | None = None

    @property
    def os_disk_name(self) -> str:
        """The name of the disk it boots from."""
        return self.os_disk.name or f"{self.id.name}_OsDisk"

    @property
    def attached_disks(self) -> tuple[DataDisk, ...]:
        """Its data disks but for those that are detached, by lun."""
        attached = [(disk.lun, disk) for disk in self.data_disks if disk.lun is not None]
        return tuple(disk for _, disk in sorted(attached, key=lambda pair: pair[0]))

    @property
    def may_run(self) -> bool:
        """Whether it runs as far as the record knows: it is wanted to, or nobody saw its process end."""
        return self.wanted_running or self.process is not None

"""A virtual machine as the fabric keeps it: what was asked for, what it was given, what its agent said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from dockyard.model.errors import ErrorRecord, InvalidRequest
from dockyard.model.image import ImageReference
from dockyard.model.provisioning import ProvisioningState
from dockyard.model.resource_id import ResourceId

_CUSTOM_SIZE = re.compile(r"Dockyard_C(\d+)_M(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class VirtualMachineSize:
    """Processors and memory by Azure's name; memory in MiB."""

    name: str
    cpus: int
    memory_mib: int


SIZES = (
    VirtualMachineSize("Standard_B1ls", 1, 512),
    VirtualMachineSize("Standard_B1s", 1, 1024),
    VirtualMachineSize("Standard_B1ms", 1, 2048),
    VirtualMachineSize("Standard_B2s", 2, 4096),
    VirtualMachineSize("Standard_B2ms", 2, 8192),
    VirtualMachineSize("Standard_D2s_v5", 2, 8192),
    VirtualMachineSize("Standard_D4s_v5", 4, 16384),
)


def size_named(name: str) -> VirtualMachineSize:
    """Return the size Azure calls ``name``, or ``Dockyard_C<cpus>_M<MiB>`` for any other.

    Raises:
        InvalidRequest: an unknown name, or a custom size outside 1..64 processors and 256 MiB..1 TiB.
    """
    for size in SIZES:
        if size.name.lower() == name.lower():
            return size
    custom = _CUSTOM_SIZE.fullmatch(name)
    if custom and 1 <= int(custom[1]) <= 64 and 256 <= int(custom[2]) <= 1_048_576:
        return VirtualMachineSize(f"Dockyard_C{custom[1]}_M{custom[2]}", int(custom[1]), int(custom[2]))
    known = ", ".join(size.name for size in SIZES)
    raise InvalidRequest(
        f"'{name}' is not a size this fabric has",
        resolution=f"Use one of {known}, or Dockyard_C<processors>_M<MiB of memory, at least 256>.",
        code="InvalidParameter",
    )


@dataclass(frozen=True)
class SshPublicKey:
    """One line for ``authorized_keys`` and the path in the guest it belongs to."""

    path: str
    key_data: str


@dataclass(frozen=True, kw_only=True)
class OsProfile:
    """Who the guest is and who may log in. ``custom_data`` is base64 text for cloud-init."""

    computer_name: str
    admin_username: str
    ssh_public_keys: tuple[SshPublicKey, ...] = ()
    custom_data: str | None = None


@dataclass(frozen=True)
class PortForward:
    """A port of the host's loopback address that leads to a port of the guest.

    ``protocol`` is ``tcp`` or ``udp``. ``opened``: there because a network security group allows it, and only for as
    long as it does.
    """

    name: str
    host_port: int
    guest_port: int
    protocol: str = "tcp"
    opened: bool = False


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
    """The stored document. Whether it runs is observed, never stored; ``wanted_running`` is the wish."""

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
    image_id: str = ""
    wanted_running: bool = True
    process: ProcessIdentity | None = None
    incarnation: int = 1
    goal_ticks: int = 0
    agent: AgentStatus | None = None
    steps: tuple[Step, ...] = ()
    error: ErrorRecord | None = None

"""Pure decisions of the fabric: what a new machine gets, how goals move on, what a report means.

Nothing here touches the outside; everything is tested as a table.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum

from dockyard.fabric.disks import disks_wanted, owners_of_disks
from dockyard.fabric.requests import (
    DEFAULT_DISK_GIB,
    DEFAULT_SIZE,
    ExtensionRequest,
    ForwardRequest,
    VirtualMachineRequest,
)
from dockyard.model.disk import OsDisk
from dockyard.model.errors import Conflict, Exhausted, InvalidRequest
from dockyard.model.extension import Extension, ExtensionStatus, SubStatus
from dockyard.model.image import ImageReference
from dockyard.model.provisioning import ProvisioningState
from dockyard.model.virtual_machine import (
    AgentStatus,
    NetworkProfile,
    OsProfile,
    PortForward,
    Step,
    VirtualMachine,
    size_named,
)
from dockyard_contract.aggregate_status import AggregateStatus, HandlerReport

SSH = ForwardRequest(name="ssh", guest_port=22)
DOCKER = ForwardRequest(name="docker", guest_port=2376)
_FIRST_PORT = {"ssh": 22022, "docker": 23760}
_FIRST_OTHER_PORT = 24500
_LAST_PORT = 29999  # below Linux's ephemeral range, so that no outgoing connection borrows a stopped machine's port
_TICKS_PER_SECOND = 10_000_000
_DOTNET_EPOCH = datetime(1, 1, 1, tzinfo=UTC)


def new_machine(
    *,
    request: VirtualMachineRequest,
    password_hash: str | None,
    vm_id: str,
    image: ImageReference,
    now: datetime,
    others: Sequence[VirtualMachine],
    is_free: Callable[[int], bool],
) -> VirtualMachine:
    """Turn a request into the document of a machine that is about to be created.

    Raises:
        InvalidRequest: password logins are asked for and there is no password.
        Exhausted: (code PortInUse) an asked-for host port is taken, or none is left.
    """
    size = request.size or size_named(DEFAULT_SIZE)
    owners = owners_of_disks(others, resource_group=request.id.resource_group)
    data_disks = disks_wanted(
        request.data_disks or (),
        machine=request.id.name,
        present=(),
        owners=owners,
        most=size.max_data_disks,
        new_id=lambda: str(uuid.uuid4()),
    )
    network = NetworkProfile(
        mac_address=_mac_address(vm_id, interface=0),
        outbound_mac_address=_mac_address(vm_id, interface=1),
        private_ip=request.private_ip or _private_ip(others),
        forwards=_forwards(request, others=others, is_free=is_free),
        interfaces=request.interfaces,
        deletes_interfaces=request.deletes_interfaces,
    )
    return VirtualMachine(
        id=request.id,
        vm_id=vm_id,
        location=request.location,
        size=size,
        image=image,
        disk_gib=request.os_disk.size_gib or DEFAULT_DISK_GIB,
        os_disk=_os_disk(request, owners=owners),
        data_disks=data_disks,
        os_profile=_os_profile(request, password_hash=password_hash),
        user_data=request.user_data or None,
        network=network,
        created_at=now,
        provisioning_state=ProvisioningState.CREATING,
        tags=request.tags,
        kept=request.kept,
        goal_ticks=ticks(now),
    )


def with_free_ports(
    machine: VirtualMachine, *, machines: Sequence[VirtualMachine], is_free: Callable[[int], bool]
) -> VirtualMachine:
    """Return the machine with other ports in place of those chosen for it that have been taken since.

    ``machines`` are all machines, this one among them. Raises Exhausted (code PortInUse) when none is left.
    """
    taken = set(_owners_of_ports(machines))
    forwards: list[PortForward] = []
    for forward in machine.network.forwards:
        port = forward.host_port
        if forward.chosen and not is_free(port):
            port = _first_free(forward.name, taken=taken, is_free=is_free)
            taken.add(port)
        forwards.append(replace(forward, host_port=port))
    return replace(machine, network=replace(machine.network, forwards=tuple(forwards)))


def _os_profile(request: VirtualMachineRequest, *, password_hash: str | None) -> OsProfile:
    if request.password_logins and password_hash is None:
        raise InvalidRequest(
            "Required parameter 'adminPassword' is missing (null)",
            resolution="Give it, or set linuxConfiguration.disablePasswordAuthentication and an SSH public key.",
        )
    allowed = request.allow_extension_operations
    return replace(
        request.os_profile,
        password_hash=password_hash,
        allow_extension_operations=True if allowed is None else allowed,
    )


def _os_disk(request: VirtualMachineRequest, *, owners: Mapping[str, str]) -> OsDisk:
    asked = request.os_disk
    name = asked.name or f"{request.id.name}_OsDisk"
    if name.lower() in owners:
        raise Conflict(
            f"Disk '{name}' already exists: it is owned by VM '{owners[name.lower()]}'",
            resolution="Give the disk another name.",
            code="ConflictingUserInput",
        )
    known = OsDisk(name=name)
    return replace(
        known,
        caching=asked.caching or known.caching,
        storage_type=asked.storage_type or known.storage_type,
    )


def next_goal(machine: VirtualMachine, *, now: datetime) -> VirtualMachine:
    """Return the machine with a new incarnation; its time in ticks always rises, else agents ignore the goal."""
    return replace(
        machine,
        incarnation=machine.incarnation + 1,
        goal_ticks=max(ticks(now), machine.goal_ticks + 1),
    )


def ticks(at: datetime) -> int:
    """Return .NET ticks: 100-nanosecond intervals since the year 1."""
    return int((at - _DOTNET_EPOCH).total_seconds() * _TICKS_PER_SECOND)


def same_extension(existing: Extension, request: ExtensionRequest, *, handler_version: str) -> bool:
    """Tell whether a request asks for what is there already. Protected settings given anew always count as a change."""
    kept = request.keeps_protected or existing.protected is None
    return (
        request.protected_settings is None
        and kept
        and existing.handler_version == handler_version
        and existing.force_update_tag == request.force_update_tag
        and existing.provision_after == request.provision_after
        and json.dumps(existing.settings, sort_keys=True) == json.dumps(request.settings, sort_keys=True)
    )


def agent_status(status: AggregateStatus, *, at: datetime) -> AgentStatus:
    """Translate the agent's word on itself."""
    agent = status.guest_agent
    return AgentStatus(version=agent.version, status=agent.status, message=agent.message, at=at)


def extension_status(report: HandlerReport, *, at: datetime) -> ExtensionStatus:
    """Translate the agent's word on one handler."""
    settings = report.settings_status
    status = ExtensionStatus(
        handler_version=report.version,
        handler_status=report.status,
        handler_code=report.code,
        handler_message=report.message,
        at=at,
    )
    if settings is None:
        return status
    return replace(
        status,
        sequence_number=report.sequence_number,
        status=settings.status,
        code=settings.code,
        operation=settings.operation,
        message=settings.message,
        substatuses=tuple(
            SubStatus(name=part.name, status=part.status, code=part.code, message=part.message)
            for part in settings.substatuses
        ),
    )


class Outcome(Enum):
    """What a report means for an extension's operation."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


def outcome(extension: Extension) -> Outcome:
    """Judge the last report against the sequence number that was asked for."""
    status = extension.status
    if status is None:
        return Outcome.PENDING
    if status.sequence_number == extension.sequence_number and status.status in ("success", "warning"):
        return Outcome.SUCCEEDED
    if status.sequence_number == extension.sequence_number and status.status == "error":
        return Outcome.FAILED
    if status.handler_status in ("NotReady", "Unresponsive") and status.handler_code != 0:
        return Outcome.FAILED
    return Outcome.PENDING


def begin_step(machine: VirtualMachine, name: str, *, now: datetime) -> VirtualMachine:
    """Return the machine with step ``name`` begun, and an unfinished one before it ended."""
    machine = end_step(machine, now=now)
    earlier = tuple(step for step in machine.steps if step.name != name)
    return replace(machine, steps=(*earlier, Step(name, now)))


def end_step(machine: VirtualMachine, *, now: datetime) -> VirtualMachine:
    """Return the machine with its running step ended."""
    steps = tuple(step if step.ended_at else replace(step, ended_at=now) for step in machine.steps)
    return replace(machine, steps=steps)


def note_step(machine: VirtualMachine, message: str) -> VirtualMachine:
    """Return the machine with ``message`` on its running step."""
    steps = tuple(step if step.ended_at else replace(step, message=message) for step in machine.steps)
    return replace(machine, steps=steps)


def _forwards(
    request: VirtualMachineRequest, *, others: Sequence[VirtualMachine], is_free: Callable[[int], bool]
) -> tuple[PortForward, ...]:
    owners = _owners_of_ports(others)
    planned: list[PortForward] = []
    for wanted in request.forwards:
        taken = {*owners, *(forward.host_port for forward in planned)}
        if wanted.host_port is None:
            port = _first_free(wanted.name, taken=taken, is_free=is_free)
        else:
            port = _checked(wanted.host_port, owners=owners, is_free=is_free)
        chosen = wanted.host_port is None
        planned.append(PortForward(wanted.name, port, wanted.guest_port, protocol=wanted.protocol, chosen=chosen))
    return tuple(planned)


def _owners_of_ports(machines: Sequence[VirtualMachine]) -> dict[int, str]:
    return {forward.host_port: machine.id.name for machine in machines for forward in machine.network.forwards}


def _first_free(name: str, *, taken: Iterable[int], is_free: Callable[[int], bool]) -> int:
    excluded = set(taken)
    for port in range(_FIRST_PORT.get(name, _FIRST_OTHER_PORT), _LAST_PORT):
        if port not in excluded and is_free(port):
            return port
    raise Exhausted(
        f"No loopback port is left for {name}",
        resolution="Delete a virtual machine, or name a port yourself.",
        code="PortInUse",
    )


def _checked(port: int, *, owners: dict[int, str], is_free: Callable[[int], bool]) -> int:
    if port not in owners and is_free(port):
        return port
    holder = f"the virtual machine '{owners[port]}'" if port in owners else "another program"
    raise Exhausted(
        f"Port {port} of 127.0.0.1 is in use by {holder}",
        resolution="Choose another port, or leave it out and a free one is chosen.",
        code="PortInUse",
    )


def _mac_address(vm_id: str, *, interface: int) -> str:
    """Derive a locally administered address from the machine's id; the last bit of the prefix tells the interface."""
    digits = vm_id.replace("-", "")[:8]
    pairs = [digits[at : at + 2] for at in range(0, 8, 2)]
    return ":".join(["52", f"{0x54 + interface:02x}", *pairs])


def _private_ip(others: Sequence[VirtualMachine]) -> str:
    taken = {machine.network.private_ip for machine in others}
    for number in range(4, 65_000):  # Azure keeps the first four addresses of a network for itself
        address = f"10.0.{number >> 8}.{number & 0xFF}"
        if address not in taken and number & 0xFF not in (0, 0xFF):
            return address
    raise Exhausted("The virtual network has no free address", resolution="Delete a virtual machine.")

"""The ports of the fabric: what it asks of the rooms around it, and what it offers to the guests' endpoints.

Adapters live in ``hypervisors``, ``gallery``, ``store``, ``pki`` and ``wire``; ``dockyard.serve`` joins them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from dockyard.model.deployment import Deployment
from dockyard.model.extension import Extension, ExtensionPackage
from dockyard.model.guest import GuestGoal, HealthReport
from dockyard.model.image import Image, ImageBuildOptions, ImageReference
from dockyard.model.lock import Lock
from dockyard.model.network import NetworkResource
from dockyard.model.operation import Operation
from dockyard.model.package_name import PackageName
from dockyard.model.principal import ServicePrincipal
from dockyard.model.resource_group import ResourceGroup
from dockyard.model.resource_id import ResourceId
from dockyard.model.role import RoleAssignment
from dockyard.model.storage_account import StorageAccount
from dockyard.model.virtual_machine import PortForward, ProcessIdentity, VirtualMachine
from dockyard_contract.aggregate_status import AggregateStatus


class Clock(Protocol):
    """Time, so that tests can make it virtual."""

    def now(self) -> datetime:
        """Return the present, in UTC, with its time zone."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


@dataclass(frozen=True)
class PlatformLink:
    """The two ends of a machine's virtual network cable: datagram sockets, one Ethernet frame a datagram."""

    platform_socket: Path
    machine_socket: Path


@dataclass(frozen=True)
class MachineSpec:
    """All a hypervisor needs to make and start one machine.

    ``disc`` holds the files, by name, of a read-only disc that the machine sees in this run alone; empty for none.
    """

    machine: VirtualMachine
    image: Image
    link: PlatformLink
    disc: Mapping[str, bytes] = field(default_factory=dict, repr=False)


class MachineState(Enum):
    """What is really there."""

    ABSENT = "absent"
    STOPPED = "stopped"
    RUNNING = "running"


class HypervisorDriver(Protocol):
    """One way to run machines. Every method may be repeated; none needs root."""

    async def create(self, *, spec: MachineSpec) -> None:
        """Make the machine's folder and disks; remove data disks that are no longer its own.

        A machine that does not run has disks grown to their size. Raises Exhausted when disk space lacks; leaves
        nothing half-made.
        """

    async def start(self, *, spec: MachineSpec) -> ProcessIdentity:
        """Start the machine, or return the identity of the process that already runs it.

        Raises Exhausted (code PortInUse) when a forward's port is taken, OperationFailed with the last lines of the
        hypervisor's own output when it does not start.
        """

    async def observe(self, *, vm_id: str) -> MachineState:
        """Look at files and process; never trusts a process number alone."""

    async def identify(self, *, vm_id: str) -> ProcessIdentity | None:
        """Return the identity of the process that runs the machine, None when none does."""

    async def shut_down(self, *, vm_id: str, deadline_seconds: float) -> None:
        """Ask the guest to power off, wait, then power off by force. No error when it does not run."""

    async def set_forwards(self, *, vm_id: str, forwards: Sequence[PortForward]) -> None:
        """Let a running machine have these forwards and no others; no error when it does not run.

        Connections that are open stay open. Raises Exhausted (code PortInUse) when a port is taken; those before it in
        the order given are open then.
        """

    async def set_data_disks(self, *, spec: MachineSpec) -> None:
        """Let a running machine have the attached data disks of ``spec`` and no others; no error when it does not run.

        The disks' files are there: see ``create``. Raises OperationFailed.
        """

    async def power_off(self, *, vm_id: str) -> None:
        """Cut the power. Returns when the process is gone."""

    async def delete(self, *, vm_id: str) -> None:
        """Power off and remove every file of the machine. No error when there is none."""

    async def list(self) -> Sequence[str]:
        """Return the ids of the machines of which anything exists."""

    def console_tail(self, *, vm_id: str, lines: int) -> Sequence[str]:
        """Return the last lines the guest wrote to its serial console, escape sequences removed."""

    def console_log(self, *, vm_id: str) -> bytes:
        """Return the whole serial console log; empty when there is none."""

    def hypervisor_log(self, *, vm_id: str) -> bytes:
        """Return what the machine was started with and what the hypervisor wrote of it; empty when it never was."""


class HostPorts(Protocol):
    """Ports of the host's loopback address."""

    def is_free(self, *, port: int, protocol: str = "tcp") -> bool:
        """Tell whether something could listen on the port now; ``protocol`` is ``tcp`` or ``udp``."""


class PlatformNetwork(Protocol):
    """The endpoints guests see, one private set a machine."""

    def link(self, *, vm_id: str) -> PlatformLink:
        """Name the sockets of a machine's cable."""

    async def attach(self, *, vm_id: str) -> None:
        """Open the machine's endpoints; no error when they are open."""

    async def detach(self, *, vm_id: str) -> None:
        """Close the endpoints and remove their sockets; no error when there are none."""


class GuestPlatform(Protocol):
    """What the fabric offers to the endpoints: goals out, reports in. Implemented by the fabric, called by ``wire``."""

    def goal(self, *, vm_id: str) -> GuestGoal:
        """Return what the guest is to be told. Raises NotFound."""

    async def goal_changed(self, *, vm_id: str, incarnation: int, timeout_seconds: float) -> None:
        """Return when the goal's incarnation differs from ``incarnation``, or after the time-out."""

    async def report_health(self, *, vm_id: str, report: HealthReport) -> None:
        """Take the guest's health report."""

    async def report_status(self, *, vm_id: str, status: AggregateStatus) -> None:
        """Take the agent's status report."""


class TenantKeys(Protocol):
    """Each machine's own certificate, to which its protected settings are encrypted."""

    def create(self, *, vm_id: str) -> str:
        """Make the key pair when there is none; return the certificate's thumbprint (upper-case SHA-1)."""

    def encrypt(self, *, vm_id: str, plaintext: bytes) -> str:
        """Return base64 DER CMS EnvelopedData that only this machine can open."""

    def pkcs12(self, *, vm_id: str) -> bytes:
        """Return certificate and key as PKCS#12 with an empty password, for delivery to the machine."""

    def delete(self, *, vm_id: str) -> None:
        """Forget the pair; no error when there is none."""


class ImageStore(Protocol):
    """VM images by name."""

    def offered(self) -> Mapping[str, ImageReference]:
        """Return what can be built, URNs by alias."""

    def resolve(self, *, name: str) -> ImageReference:
        """Turn an alias or URN into the URN of something that can be built. Raises NotFound: PlatformImageNotFound."""

    def alias(self, *, reference: ImageReference) -> str:
        """Return the short name of a URN. Raises NotFound (code PlatformImageNotFound)."""

    def find(self, *, alias: str) -> Image | None:
        """Return the newest built image, None when it was not built yet."""

    def get(self, *, image_id: str) -> Image | None:
        """Return a built image by its content name."""

    def list(self) -> Sequence[Image]:
        """Return all built images."""

    async def build(self, *, alias: str, options: ImageBuildOptions, progress: Callable[[str], None]) -> Image:
        """Build, or wait for a build under way; ``progress`` gets a short line now and then."""

    def delete(self, *, alias: str) -> None:
        """Remove every built version of an alias. Raises NotFound when there is none."""


class PackageStore(Protocol):
    """Extension packages by name."""

    def resolve(
        self,
        *,
        publisher: str,
        type: str,
        version: str,
        auto_upgrade_minor_version: bool,
    ) -> ExtensionPackage:
        """Return the package to use for ``version`` (``1.0``, ``1.3.0``). Raises NotFound: VMExtensionImageNotFound."""

    def get(self, *, handler_name: str, version: str) -> ExtensionPackage:
        """Return one exact version. Raises NotFound (code VMExtensionImageNotFound)."""

    def list(self) -> Sequence[ExtensionPackage]:
        """Return all packages."""

    async def add(self, *, name: PackageName, content: AsyncIterator[bytes]) -> tuple[ExtensionPackage, bool]:
        """Publish what ``content`` yields, whole or not at all; false when this very package is there already.

        Raises MalformedDocument for what is no sound package, InvalidRequest for one that is too large, Conflict when
        the version is there with other content, Exhausted when the disk is full.
        """

    def remove(self, *, package: ExtensionPackage) -> None:
        """Take a published package back. Raises Conflict for one of this project's own."""


class ResourceClient(Protocol):
    """The resources of this server as a deployment sees them: by id, whatever their type; ARM documents in and out."""

    def check_type(self, *, id: ResourceId, api_version: str) -> None:
        """Raise InvalidRequest (code InvalidResourceType) when resources of this type are not served."""

    async def put(self, *, id: ResourceId, api_version: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Create or change a resource, wait until that has ended, return the resource. Raises DockyardError."""

    async def get(self, *, id: ResourceId, api_version: str) -> Mapping[str, Any] | None:
        """Return a resource, None when there is none. Raises DockyardError."""

    async def delete(self, *, id: ResourceId) -> None:
        """Delete a resource and wait until that has ended. Raises DockyardError."""

    async def list(self, *, resource_group: str) -> Sequence[ResourceId]:
        """Return the resources of a group."""


class Store(Protocol):
    """Resources as documents and operations as a journal. Every write is on the disk when the method returns."""

    def transaction(self) -> AbstractContextManager[None]:
        """Make several writes one."""

    def virtual_machine(self, *, id: ResourceId) -> VirtualMachine | None:
        """Return one machine by resource id."""

    def virtual_machine_by_vm_id(self, *, vm_id: str) -> VirtualMachine | None:
        """Return one machine by UUID."""

    def virtual_machines(self) -> Sequence[VirtualMachine]:
        """Return all machines, by id."""

    def forget_roles(self, *, within: ResourceId) -> None:
        """Remove the roles assigned in a resource that goes and has no record of its own."""

    def put_virtual_machine(self, machine: VirtualMachine) -> None:
        """Write one machine."""

    def delete_virtual_machine(self, *, id: ResourceId) -> None:
        """Remove one machine, and the roles assigned in it."""

    def extension(self, *, id: ResourceId) -> Extension | None:
        """Return one extension by resource id."""

    def extensions(self, *, machine: ResourceId) -> Sequence[Extension]:
        """Return the extensions of one machine, oldest first."""

    def all_extensions(self) -> Sequence[Extension]:
        """Return the extensions of every machine, oldest first."""

    def put_extension(self, extension: Extension) -> None:
        """Write one extension."""

    def delete_extension(self, *, id: ResourceId) -> None:
        """Remove one extension."""

    def operation(self, *, operation_id: str) -> Operation | None:
        """Return one line of the journal."""

    def operations_of(self, *, machine: ResourceId) -> Sequence[Operation]:
        """Return the lines of the journal for a machine and what belongs to it, oldest first."""

    def operations_in_progress(self) -> Sequence[Operation]:
        """Return the unfinished lines of the journal, oldest first."""

    def put_operation(self, operation: Operation) -> None:
        """Write one line of the journal."""

    def resource_groups(self) -> Sequence[ResourceGroup]:
        """Return all resource groups."""

    def put_resource_group(self, group: ResourceGroup) -> None:
        """Write one resource group."""

    def delete_resource_group(self, *, name: str) -> None:
        """Remove one resource group, and the roles assigned in it."""

    def deployment(self, *, id: ResourceId) -> Deployment | None:
        """Return one deployment."""

    def deployments(self, *, resource_group: str) -> Sequence[Deployment]:
        """Return the deployments of a group, oldest first."""

    def put_deployment(self, deployment: Deployment) -> None:
        """Write one deployment."""

    def delete_deployment(self, *, id: ResourceId) -> None:
        """Remove one deployment; what it made stays."""

    def storage_account(self, *, id: ResourceId) -> StorageAccount | None:
        """Return one storage account."""

    def storage_accounts(self) -> Sequence[StorageAccount]:
        """Return all storage accounts, by id."""

    def put_storage_account(self, account: StorageAccount) -> None:
        """Write one storage account."""

    def delete_storage_account(self, *, id: ResourceId) -> None:
        """Remove one storage account."""

    def principal(self, *, client_id: str) -> ServicePrincipal | None:
        """Return one service principal."""

    def principals(self) -> Sequence[ServicePrincipal]:
        """Return all service principals, by name."""

    def put_principal(self, principal: ServicePrincipal) -> None:
        """Write one service principal."""

    def delete_principal(self, *, client_id: str) -> None:
        """Remove one service principal."""

    def role_assignments(self, *, principal_id: str | None = None) -> Sequence[RoleAssignment]:
        """Return the role assignments of one principal, or all, oldest first."""

    def put_role_assignment(self, assignment: RoleAssignment) -> None:
        """Write one role assignment."""

    def delete_role_assignment(self, *, key: str) -> None:
        """Remove one role assignment."""

    def locks(self) -> Sequence[Lock]:
        """Return all management locks, oldest first."""

    def put_lock(self, lock: Lock) -> None:
        """Write one lock."""

    def delete_lock(self, *, key: str) -> None:
        """Remove one lock."""

    def scope_tags(self, *, scope: str) -> Mapping[str, str]:
        """Return the tags of a scope that is no resource: the subscription."""

    def put_scope_tags(self, *, scope: str, tags: Mapping[str, str]) -> None:
        """Write the tags of a scope that is no resource."""

    def network_resources(self) -> Sequence[NetworkResource]:
        """Return all stored network resources, by id."""

    def put_network_resource(self, resource: NetworkResource) -> None:
        """Write one network resource."""

    def delete_network_resource(self, *, id: ResourceId) -> None:
        """Remove one network resource, and the roles assigned in it."""

    def forget_network_child(self, *, id: ResourceId) -> None:
        """Remove the roles assigned at a part of a network resource that is gone."""

"""What can be done with network resources, whatever their kind. Called by the ARM API.

A resource that only a machine implies becomes a stored one as soon as it is changed; it goes with its machine until
somebody else's resource names it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from dockyard.fabric.forwarding import Forwarding
from dockyard.fabric.network_checks import check_subnet_unused, check_unused, checked
from dockyard.fabric.ports import HostPorts, HypervisorDriver, Store
from dockyard.fabric.topology import Topology, interfaces_of
from dockyard.model.errors import Conflict, DockyardError, InvalidRequest, NotFound
from dockyard.model.network import NETWORK_INTERFACES, VIRTUAL_NETWORKS, NetworkResource, references
from dockyard.model.resource_id import ResourceId, check_resource_name
from dockyard.model.virtual_machine import VirtualMachine


@dataclass(frozen=True, kw_only=True)
class NetworkRequest:
    """A network resource to be; see ``NetworkResource``."""

    id: ResourceId
    location: str
    properties: Mapping[str, Any]
    sku: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


class Networks:
    """Look at, create, change and delete network resources and the parts of them that are resources, too."""

    def __init__(self, *, store: Store, hypervisor: HypervisorDriver, ports: HostPorts) -> None:
        self._store = store
        self._forwarding = Forwarding(store=store, hypervisor=hypervisor, ports=ports)

    def topology(self) -> Topology:
        """Return all there is at this moment."""
        return Topology.of(stored=self._store.network_resources(), machines=self._store.virtual_machines())

    def get(self, *, id: ResourceId) -> NetworkResource:
        """Return one resource. Raises NotFound."""
        return _found(self.topology(), id)

    def list(self, *, type: str, resource_group: str | None = None) -> Sequence[NetworkResource]:
        """Return the resources of a type, of one group or of all."""
        group = None if resource_group is None else resource_group.lower()
        found = (each for each in self.topology().resources.values() if each.id.type == type)
        return [each for each in found if group in (None, each.id.resource_group.lower())]

    def independent(self, *, type: str) -> Sequence[NetworkResource]:
        """Return the resources of a type that are not parts of a machine: that were made by themselves."""
        return [each for each in self._store.network_resources() if not each.owner and each.id.type == type]

    async def put(self, *, request: NetworkRequest) -> bool:
        """Create or change a resource; return whether it is new. Opens and closes ports.

        Raises:
            InvalidRequest: see ``network_checks``.
            NotFound: there is no such group.
            Exhausted: (code PortInUse) a port it opens is taken.
        """
        check_resource_name(request.id.name, what="network resource")
        self._check_group(request.id)
        topology = self.topology()
        before = topology.resources.get(request.id.key)
        wanted = NetworkResource(
            id=before.id if before else request.id,
            location=request.location,
            guid=before.guid if before else str(uuid.uuid4()),
            properties=request.properties,
            sku=request.sku,
            tags=request.tags,
            owner=before.owner if before else "",
        )
        await self._write(checked(wanted, topology=topology), topology=topology)
        return before is None

    def set_tags(self, *, id: ResourceId, tags: Mapping[str, str]) -> NetworkResource:
        """Replace the tags. Raises NotFound."""
        changed = replace(self.get(id=id), tags=tags)
        self._store.put_network_resource(changed)
        return changed

    async def delete(self, *, id: ResourceId) -> bool:
        """Delete a resource; False when there was none. Raises InvalidRequest when it is in use."""
        topology = self.topology()
        found = topology.resources.get(id.key)
        if found is None:
            return False
        check_unused(found, topology=topology)
        self._store.delete_network_resource(id=id)
        return True

    async def put_child(self, *, id: ResourceId, collection: str, properties: Mapping[str, Any]) -> bool:
        """Create or change a subnet or a security rule; return whether it is new. Raises as ``put``, and NotFound."""
        check_resource_name(id.name, what="network resource")
        topology = self.topology()
        parent = _found(topology, id.parent)
        before = parent.child(collection, id.name)
        made = {"name": before["name"] if before else id.name, "properties": dict(properties)}
        kept = [each for each in parent.children(collection) if each is not before]
        await self._write_children(parent, collection, [*kept, made], topology=topology)
        return before is None

    async def delete_child(self, *, id: ResourceId, collection: str) -> bool:
        """Delete a subnet or a security rule; False when there was none. Raises InvalidRequest when it is in use."""
        topology = self.topology()
        parent = topology.resources.get(id.parent.key)
        found = parent.child(collection, id.name) if parent else None
        if parent is None or found is None:
            return False
        if parent.id.type == VIRTUAL_NETWORKS:
            check_subnet_unused(str(parent.id), id.name, topology=topology)
        kept = [each for each in parent.children(collection) if each["name"] != found["name"]]
        await self._write_children(parent, collection, kept, topology=topology)
        self._store.forget_network_child(id=id)
        return True

    def check_interfaces(self, interfaces: Sequence[str], *, machine: ResourceId) -> str:
        """Check what a machine's request says of its interfaces; return the address of the first, or nothing.

        Raises:
            InvalidRequest: one does not exist, is another machine's, or there is more than one.
            Conflict: (code PropertyChangeNotAllowed) the machine exists and has others.
        """
        topology = self.topology()
        existing = self._store.virtual_machine(id=machine)
        if existing is not None:
            _check_same(existing, interfaces)
            return ""
        if len(interfaces) > 1:
            raise InvalidRequest(
                f"The number of network interfaces for virtual machine {machine.name} exceeds the maximum allowed."
                f" The number of network interfaces is {len(interfaces)} and the maximum allowed is 1",
                code="NetworkInterfaceCountExceeded",
            )
        return next((_address_of(id, machine=machine, topology=topology) for id in interfaces), "")

    async def refresh(self) -> None:
        """Open and close ports as security groups say: after a machine was made. Raises as ``put``."""
        await self._forwarding.refresh(topology=self.topology())

    async def restore(self) -> None:
        """Bring the forwards of machines that run and their records together: once, before serving."""
        await self._forwarding.restore()

    async def _write_children(
        self, parent: NetworkResource, collection: str, children: Sequence[dict[str, Any]], *, topology: Topology
    ) -> None:
        wanted = replace(parent, properties={**parent.properties, collection: [*children]})
        await self._write(checked(wanted, topology=topology), topology=topology)

    async def _write(self, resource: NetworkResource, *, topology: Topology) -> None:
        with self._store.transaction():
            self._store.put_network_resource(resource)
            for reference in references(resource):
                self._set_free(reference.target, user=resource, topology=topology)
        try:
            await self.refresh()
        except DockyardError:
            await self._take_back(resource.id, before=topology.resources.get(resource.id.key))
            raise

    async def _take_back(self, id: ResourceId, *, before: NetworkResource | None) -> None:
        """Undo a change whose ports could not be opened; what cannot be closed now is closed at the next change."""
        if before is None:
            self._store.delete_network_resource(id=id)
        else:
            self._store.put_network_resource(before)
        with suppress(DockyardError):
            await self.refresh()

    def _set_free(self, target: str, *, user: NetworkResource, topology: Topology) -> None:
        """Let what is named by another's resource outlive the machine that it came with."""
        found = topology.resources.get(target.lower().partition("/subnets/")[0])
        if found is not None and found.owner and found.owner != user.owner:
            self._store.put_network_resource(replace(found, owner=""))

    def _check_group(self, id: ResourceId) -> None:
        if not any(group.name.lower() == id.resource_group.lower() for group in self._store.resource_groups()):
            raise NotFound(f"Resource group '{id.resource_group}' could not be found", code="ResourceGroupNotFound")


def _found(topology: Topology, id: ResourceId) -> NetworkResource:
    found = topology.resources.get(id.key)
    if found is None:
        kind = id.type.partition("/")[2]
        raise NotFound(
            f"The Resource '{id.type}/{id.name}' under resource group '{id.resource_group}' was not found",
            resolution=f"List what there is: 'az resource list' or GET .../{kind}.",
        )
    return found


def _check_same(machine: VirtualMachine, interfaces: Sequence[str]) -> None:
    if interfaces and {id.lower() for id in interfaces} != {id.lower() for id in interfaces_of(machine)}:
        raise Conflict(
            "Changing property 'networkProfile.networkInterfaces' is not allowed",
            details=f"It is of the virtual machine '{machine.id.name}', which exists.",
            resolution="Leave it as it is, or delete the machine and create it anew.",
            code="PropertyChangeNotAllowed",
        )


def _address_of(id: str, *, machine: ResourceId, topology: Topology) -> str:
    found = topology.resources.get(id.lower())
    if found is None or found.id.type != NETWORK_INTERFACES:
        raise InvalidRequest(
            f"Resource {id} referenced by resource {machine} was not found. Please make sure that the referenced"
            " resource exists, and that both resources are in the same region",
            code="InvalidResourceReference",
        )
    user = topology.machines.get(found.id.key)
    if user is not None:
        raise InvalidRequest(
            f"Network Interface {found.id} is used by existing resource {user.id}",
            resolution="Name another network interface, or delete that machine first.",
            code="NicInUse",
        )
    return str(found.children("ipConfigurations")[0]["properties"].get("privateIPAddress", ""))

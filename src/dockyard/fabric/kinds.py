"""The kinds of resource this server has, as ``resources`` wants them. Called by ``fabric`` alone; reads the use cases.

Their order is the order in which a group's resources are deleted.
"""

from __future__ import annotations

from collections.abc import Sequence

from dockyard.fabric.networks import Networks
from dockyard.fabric.ports import Store
from dockyard.fabric.resources import Kind, Resource
from dockyard.fabric.storage_accounts import StorageAccounts
from dockyard.fabric.virtual_machines import VirtualMachines
from dockyard.model.extension import Extension
from dockyard.model.network import (
    NETWORK_INTERFACES,
    NETWORK_SECURITY_GROUPS,
    PUBLIC_IP_ADDRESSES,
    VIRTUAL_NETWORKS,
    NetworkResource,
)
from dockyard.model.operation import Operation
from dockyard.model.resource_id import EXTENSIONS, RUN_COMMANDS, VIRTUAL_MACHINES, ResourceId
from dockyard.model.storage_account import STORAGE_ACCOUNTS, StorageAccount
from dockyard.model.virtual_machine import VirtualMachine


def machine_kinds(*, store: Store, machines: VirtualMachines) -> Sequence[Kind]:
    """Return machines and what goes with them."""

    async def delete(id: ResourceId) -> Operation | None:
        return await machines.delete(id=id)

    def children(type: str) -> Sequence[Resource]:
        return [_child(each) for each in store.all_extensions() if each.id.type == type]

    return (
        Kind(
            type=VIRTUAL_MACHINES,
            list=lambda: [_machine(each) for each in store.virtual_machines()],
            delete=delete,
        ),
        Kind(type=EXTENSIONS, list=lambda: children(EXTENSIONS), delete=None),
        Kind(type=RUN_COMMANDS, list=lambda: children(RUN_COMMANDS), delete=None),
    )


def network_kinds(*, networks: Networks) -> Sequence[Kind]:
    """Return network resources that stand for themselves; those that came with a machine go with it."""
    types = (NETWORK_INTERFACES, PUBLIC_IP_ADDRESSES, VIRTUAL_NETWORKS, NETWORK_SECURITY_GROUPS)
    return tuple(_network_kind(type, networks=networks) for type in types)


def _network_kind(type: str, *, networks: Networks) -> Kind:
    async def delete(id: ResourceId) -> Operation | None:
        await networks.delete(id=id)
        return None

    return Kind(
        type=type, list=lambda: [_network_resource(each) for each in networks.independent(type=type)], delete=delete
    )


def storage_kinds(*, accounts: StorageAccounts) -> Sequence[Kind]:
    """Return storage accounts."""

    async def delete(id: ResourceId) -> Operation | None:
        accounts.delete(id=id)
        return None

    return (Kind(type=STORAGE_ACCOUNTS, list=lambda: [_account(each) for each in accounts.list()], delete=delete),)


def _machine(machine: VirtualMachine) -> Resource:
    return Resource(
        id=machine.id,
        location=machine.location,
        tags=machine.tags,
        provisioning_state=machine.provisioning_state.value,
        created_at=machine.created_at,
    )


def _child(child: Extension) -> Resource:
    return Resource(
        id=child.id,
        location=child.location,
        tags=child.tags,
        provisioning_state=child.provisioning_state.value,
        created_at=child.created_at,
    )


def _network_resource(found: NetworkResource) -> Resource:
    return Resource(id=found.id, location=found.location, tags=found.tags, sku=found.sku.get("name", ""))


def _account(account: StorageAccount) -> Resource:
    return Resource(
        id=account.id,
        location=account.location,
        tags=account.tags,
        created_at=account.created_at,
        sku=account.sku,
        kind=account.kind,
    )

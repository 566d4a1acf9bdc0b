"""The ports the use cases act through, in one hand. Made by ``dockyard.serve`` and by tests."""

from __future__ import annotations

from dataclasses import dataclass

from dockyard.fabric.ports import (
    Clock,
    HostPorts,
    HypervisorDriver,
    ImageStore,
    PlatformNetwork,
    Store,
    TenantKeys,
)


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """One adapter a port."""

    store: Store
    clock: Clock
    hypervisor: HypervisorDriver
    network: PlatformNetwork
    keys: TenantKeys
    images: ImageStore
    ports: HostPorts

"""A whole fabric on fakes: virtual time, an in-memory hypervisor, images that are always there.

The store and the tenant keys are the real ones: they need nothing but a folder.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dockyard.fabric import fabric as fabric_module
from dockyard.fabric.changes import Changes
from dockyard.fabric.fabric import Fabric
from dockyard.fabric.guests import Guests
from dockyard.fabric.ports import PlatformLink
from dockyard.fabric.requests import ExtensionRequest, ForwardRequest, VirtualMachineRequest
from dockyard.fabric.rooms import Rooms
from dockyard.gallery.packages import PackageGallery
from dockyard.gallery.published import PublishedPackages
from dockyard.hypervisors.fake.driver import FakeDriver
from dockyard.model.errors import DockyardError, NotFound
from dockyard.model.extension import ExtensionPackage
from dockyard.model.guest import HealthReport
from dockyard.model.image import Image, ImageBuildOptions, ImageReference
from dockyard.model.resource_group import ResourceGroup
from dockyard.model.virtual_machine import OsProfile, VirtualMachine, size_named
from dockyard.pki.tenant import TenantKeyFiles
from dockyard.store.database import Database
from dockyard_contract.aggregate_status import (
    AggregateStatus,
    GoalStateReport,
    GuestAgentReport,
    HandlerReport,
    SettingsReport,
)
from tests.support.values import GROUP, SUBSCRIPTION, URN, machine_id

HANDLER = "Microsoft.Azure.Extensions.DockerExtension"


class VirtualClock:
    """Time that passes only when somebody sleeps, and then at once."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.time += timedelta(seconds=seconds)


class HastyClock(VirtualClock):
    """Time that runs a hundred times as fast, for tests whose other side lives in real time."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 100)
        self.time += timedelta(seconds=seconds)


class FakeNetwork:
    """Remembers whose endpoints are open."""

    def __init__(self) -> None:
        self.attached: set[str] = set()

    def link(self, *, vm_id: str) -> PlatformLink:
        return PlatformLink(Path(f"/nowhere/{vm_id}/platform"), Path(f"/nowhere/{vm_id}/machine"))

    async def attach(self, *, vm_id: str) -> None:
        self.attached.add(vm_id)

    async def detach(self, *, vm_id: str) -> None:
        self.attached.discard(vm_id)


@dataclass
class FakeImages:
    """One image, built or not; a build may be told to fail, or to wait."""

    built: bool = True
    failure: DockyardError | None = None
    may_finish: asyncio.Event = field(default_factory=asyncio.Event)
    builds: int = 0

    def __post_init__(self) -> None:
        self.may_finish.set()

    def offered(self) -> Mapping[str, ImageReference]:
        return {"debian-13": URN}

    def resolve(self, *, name: str) -> ImageReference:
        if name not in ("debian-13", str(URN)):
            raise NotFound(f"There is no image '{name}'", code="PlatformImageNotFound")
        return URN

    def alias(self, *, reference: ImageReference) -> str:
        return reference.offer

    def find(self, *, alias: str) -> Image | None:
        return image() if self.built and alias == "debian-13" else None

    def get(self, *, image_id: str) -> Image | None:
        return image() if self.built and image_id == image().id else None

    def list(self) -> Sequence[Image]:
        return [image()] if self.built else []

    async def build(self, *, alias: str, options: ImageBuildOptions, progress: Callable[[str], None]) -> Image:
        progress("halfway")
        await self.may_finish.wait()
        if self.failure is not None:
            raise self.failure
        self.builds += 1
        self.built = True
        return image()

    def delete(self, *, alias: str) -> None:
        self.built = False


class FreePorts:
    """Every port is free but those named."""

    def __init__(self) -> None:
        self.taken: set[int] = set()

    def is_free(self, *, port: int, protocol: str = "tcp") -> bool:
        return port not in self.taken


def image() -> Image:
    return Image(
        alias="debian-13",
        urn=URN,
        id="content-1",
        disk=Path("/nowhere/disk"),
        kernel=Path("/nowhere/vmlinuz"),
        initrd=Path("/nowhere/initrd"),
        kernel_command_line="console=ttyS0",
        size_bytes=1,
        sha256="0" * 64,
        built_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


@dataclass
class World:
    """A fabric with its fakes at hand. ``reopen`` plays the death of a server and the start of the next."""

    folder: Path
    clock: VirtualClock = field(default_factory=VirtualClock)
    network: FakeNetwork = field(default_factory=FakeNetwork)
    images: FakeImages = field(default_factory=FakeImages)
    ports: FreePorts = field(default_factory=FreePorts)
    hypervisor: FakeDriver = field(default_factory=FakeDriver)
    server_log: str = ""
    fabric: Fabric = field(init=False)

    def __post_init__(self) -> None:
        self.fabric = self._build()
        self.fabric.resource_groups.put(ResourceGroup(SUBSCRIPTION, GROUP, "local"))

    @property
    def store(self) -> Database:
        store = self.fabric.rooms.store
        assert isinstance(store, Database)
        return store

    async def reopen(self) -> None:
        await self.fabric.operations.suspend()
        self.store.close()
        self.network = FakeNetwork()
        self.fabric = self._build()
        await self.fabric.open()

    def close(self) -> None:
        self.store.close()

    def machine(self, name: str = "web") -> VirtualMachine:
        return self.fabric.virtual_machines.get(id=machine_id(name))

    async def boot(self, name: str = "web") -> None:
        """Play a guest that boots: health Ready, then the agent's first report."""
        vm_id = self.machine(name).vm_id
        await self.until(lambda: vm_id in self.hypervisor.running)
        await self.fabric.guests.report_health(vm_id=vm_id, report=HealthReport(incarnation="1", ready=True))
        await self.report(name)

    async def boot_again(self, name: str, *handlers: HandlerReport) -> None:
        """Play a guest that has booted and reports on and on."""
        health = HealthReport(incarnation="1", ready=True)
        await self.fabric.guests.report_health(vm_id=self.machine(name).vm_id, report=health)
        await self.report(name, *handlers)

    async def report(self, name: str = "web", *handlers: HandlerReport) -> None:
        machine = self.machine(name)
        status = AggregateStatus(
            guest_agent=GuestAgentReport("2.12.0.2", "Ready", "Guest Agent is running"),
            handlers=handlers,
            goal_state=GoalStateReport("Success", str(machine.incarnation)),
        )
        await self.fabric.guests.report_status(vm_id=machine.vm_id, status=status)

    async def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(1000):
            if condition():
                return
            await asyncio.sleep(0)
        raise AssertionError("it never came to be")

    def _build(self) -> Fabric:
        rooms = Rooms(
            store=Database.open(self.folder / "store.db"),
            clock=self.clock,
            hypervisor=self.hypervisor,
            network=self.network,
            keys=TenantKeyFiles(folder=self.folder / "keys"),
            images=self.images,
            ports=self.ports,
        )
        nowhere = Path("/nowhere.zip")
        packages = PackageGallery(
            [
                ExtensionPackage("Microsoft.Azure.Extensions", "DockerExtension", "1.3.0", nowhere, ""),
                ExtensionPackage(
                    "Microsoft.CPlat.Core", "RunCommandHandlerLinux", "1.3.0", nowhere, "", takes_several=True
                ),
            ],
            published=PublishedPackages(self.folder / "published"),
        )
        changes = Changes(clock=self.clock)
        guests = Guests(store=rooms.store, packages=packages, clock=self.clock, changes=changes)
        return fabric_module.build(rooms=rooms, guests=guests, packages=packages, changes=changes)


def machine_request(
    name: str = "web", *, image_name: str = "debian-13", forwards: tuple[ForwardRequest, ...] = ()
) -> VirtualMachineRequest:
    return VirtualMachineRequest(
        forwards=forwards,
        id=machine_id(name),
        location="local",
        size=size_named("Standard_B1s"),
        image_name=image_name,
        os_profile=OsProfile(computer_name=name, admin_username="dockyard"),
    )


def extension_request(name: str = "web", **changes: Any) -> ExtensionRequest:
    fields: dict[str, Any] = {
        "id": machine_id(name).child(kind="extensions", name="DockerExtension"),
        "location": "local",
        "publisher": "Microsoft.Azure.Extensions",
        "type": "DockerExtension",
        "type_handler_version": "1.0",
        "settings": {"docker": {"port": "2376"}},
        **changes,
    }
    return ExtensionRequest(**fields)


def run_report(
    name: str,
    *,
    sequence_number: int = 0,
    status: str = "success",
    state: str = "Succeeded",
    exit_code: int = 0,
    output: str = "",
    error: str = "",
) -> HandlerReport:
    """What the agent tells of one run command; its message is the instance view."""
    view = {"executionState": state, "exitCode": exit_code, "output": output, "error": error}
    return HandlerReport(
        name="Microsoft.CPlat.Core.RunCommandHandlerLinux",
        version="1.3.0",
        status="Ready",
        settings_status=SettingsReport(status=status, message=json.dumps(view)),
        sequence_number=sequence_number,
        extension_name=name,
    )


def handler_report(
    *, sequence_number: int = 0, status: str = "success", message: str = "done", handler: str = "Ready", code: int = 0
) -> HandlerReport:
    return HandlerReport(
        name=HANDLER,
        version="1.3.0",
        status=handler,
        code=code,
        settings_status=SettingsReport(status=status, message=message),
        sequence_number=sequence_number,
    )

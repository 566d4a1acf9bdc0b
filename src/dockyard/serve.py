"""Composition: the one file that knows which adapter serves which port. Started by ``dockyard serve``.

One server for one user's folders: it holds a lock while it lives, writes where it can be reached before it answers,
and leaves machines running and operations resumable when it ends.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dockyard import files
from dockyard.arm import server
from dockyard.arm.app import build_app
from dockyard.arm.context import LOCATION, ArmContext
from dockyard.arm.identity.principal import Principal
from dockyard.config import Paths
from dockyard.fabric import fabric as fabric_module
from dockyard.fabric.changes import Changes
from dockyard.fabric.diagnostics import Diagnostics
from dockyard.fabric.fabric import Fabric
from dockyard.fabric.guests import Guests
from dockyard.fabric.rooms import Rooms
from dockyard.gallery.images import ImageGallery
from dockyard.gallery.packages import PackageGallery
from dockyard.hypervisors.qemu.acceleration import AccelerationMode
from dockyard.hypervisors.qemu.driver import QemuDriver, qemu_driver
from dockyard.hypervisors.qemu.forwards import LoopbackPorts
from dockyard.model.errors import Conflict, DockyardError, InvalidRequest
from dockyard.model.resource_group import ResourceGroup
from dockyard.pki.tenant import TenantKeyFiles
from dockyard.store.database import Database
from dockyard.wire.goal_state import documents as goal_state
from dockyard.wire.network import PlatformEndpoints

DEFAULT_GROUP = "dockyard"
_LOG_BYTES = 4 * 2**20
ACCELERATION_VARIABLE = "DOCKYARD_ACCELERATION"
_log = logging.getLogger("dockyard.serve")


class SystemClock:
    """The real time."""

    def now(self) -> datetime:
        """Return the present in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True)
class Joined:
    """The parts of a running server that others need to be asked about."""

    fabric: Fabric
    hypervisor: QemuDriver
    images: ImageGallery
    store: Database


def run(*, port: int | None) -> None:
    """Serve until a signal ends it. ``port`` of None keeps the port of last time.

    Raises:
        Conflict: a server for these folders runs already.
        Exhausted: (code PortInUse) the port is taken.
    """
    paths = Paths.default()
    paths.make()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in ("azure", "uvicorn.error", "qemu"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    with _only_server(paths):
        asyncio.run(_serve(paths, port=port))


async def _serve(paths: Paths, *, port: int | None) -> None:
    listener = server.listen(port=port, remembered=paths.data / "api-port.json")
    endpoint = f"https://{server.ADDRESS}:{listener.getsockname()[1]}"
    joined = join(paths)
    try:
        await joined.fabric.open()
        await _answer(paths, joined=joined, listener=listener, endpoint=endpoint)
    finally:
        await joined.fabric.close()
        joined.store.close()
        paths.server_record.unlink(missing_ok=True)


def join(paths: Paths) -> Joined:
    """Join the real adapters into a fabric; nothing is started yet."""
    clock = SystemClock()
    changes = Changes(clock=clock)
    store = Database.open(paths.store)
    keys = TenantKeyFiles(folder=paths.data / "keys")
    images = ImageGallery(folder=paths.data / "images", cache=paths.cache)
    packages = PackageGallery.open(folder=paths.data / "packages")
    guests = Guests(store=store, packages=packages, clock=clock, changes=changes)
    hypervisor = qemu_driver(
        machines=paths.machines, runtime=paths.runtime, state=paths.state, clock=clock, mode=_acceleration_mode()
    )
    rooms = Rooms(
        store=store,
        clock=clock,
        hypervisor=hypervisor,
        network=PlatformEndpoints(runtime=paths.runtime, platform=guests, keys=keys),
        keys=keys,
        images=images,
        ports=LoopbackPorts(),
    )
    fabric = fabric_module.build(rooms=rooms, guests=guests, packages=packages, changes=changes)
    return Joined(fabric=fabric, hypervisor=hypervisor, images=images, store=store)


async def _answer(paths: Paths, *, joined: Joined, listener: socket.socket, endpoint: str) -> None:
    principal = Principal.load_or_create(paths.data / "principal.json")
    _ensure_default_group(joined.fabric, subscription_id=principal.subscription_id)
    joined.fabric.principals.ensure_owner(client_id=principal.client_id, subscription_id=principal.subscription_id)
    certificate, key = paths.data / "api-cert.pem", paths.data / "api-key.pem"
    server.write_certificates(
        authority=paths.certificate_authority,
        authority_key=paths.data / "api-ca-key.pem",
        certificate=certificate,
        key=key,
    )
    context = ArmContext(
        fabric=joined.fabric,
        tokens=principal.tokens(endpoint=endpoint),
        endpoint=endpoint,
        subscription_id=principal.subscription_id,
        diagnose=lambda: diagnose(paths, joined=joined),
        diagnostics=Diagnostics(
            store=joined.store,
            guests=joined.fabric.guests,
            hypervisor=joined.hypervisor,
            render=goal_state.every,
            server_log=lambda: files.read_end(paths.server_log, limit=_LOG_BYTES),
        ),
    )
    api = server.build_server(build_app(context), certificate=certificate, key=key)
    principal.write_credentials(paths.credentials, endpoint=endpoint, ca=paths.certificate_authority)
    _write_record(paths, endpoint=endpoint)
    print(f"Dockyard serves {endpoint}", flush=True)  # the one line a person or script waits for
    server.settle()
    await api.serve(sockets=[listener])


async def diagnose(paths: Paths, *, joined: Joined) -> Mapping[str, Any]:
    """Return the checks only the server can make: the hypervisor's verdict, images, disk space."""
    usage = shutil.disk_usage(paths.data)
    free_gib = usage.free / 2**30
    checks = [
        {
            "name": "disk space",
            "ok": free_gib >= 4,
            "message": f"{free_gib:.1f} GiB free in {paths.data}",
            "resolution": "An image and a machine need about 4 GiB; free some space.",
        }
    ]
    acceleration = {"chosen": "", "why": "No image is built yet, so no kernel has been tried under KVM."}
    built = joined.images.list()
    if built:
        try:
            chosen = await joined.hypervisor.acceleration(kernel=built[0].kernel)
            acceleration = {"chosen": chosen.kind.value, "why": chosen.why}
        except DockyardError as error:
            checks.append({"name": "acceleration", "ok": False, "message": error.brief, "resolution": error.resolution})
    return {"checks": checks, "acceleration": acceleration, "images": [image.alias for image in built]}


def _acceleration_mode() -> AccelerationMode:
    word = os.environ.get(ACCELERATION_VARIABLE, AccelerationMode.AUTO.value)
    try:
        return AccelerationMode(word)
    except ValueError as error:
        raise InvalidRequest(
            f"{ACCELERATION_VARIABLE} is '{word[:20]}'",
            resolution=f"Set it to one of {', '.join(mode.value for mode in AccelerationMode)}.",
        ) from error


def _ensure_default_group(fabric: Fabric, *, subscription_id: str) -> None:
    if not any(group.name == DEFAULT_GROUP for group in fabric.resource_groups.list()):
        fabric.resource_groups.put(ResourceGroup(subscription_id, DEFAULT_GROUP, LOCATION))


def _write_record(paths: Paths, *, endpoint: str) -> None:
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    record = {"pid": os.getpid(), "start_time": int(fields[19]), "endpoint": endpoint}
    files.write(paths.server_record, json.dumps(record).encode(), mode=files.SECRET)


@contextmanager
def _only_server(paths: Paths) -> Iterator[None]:
    descriptor = os.open(paths.state / "serve.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise Conflict(
            f"A server for {paths.data} runs already",
            resolution="Use it, or end it with 'dockyard serve --stop'.",
            code="ServerRunning",
        ) from error
    try:
        yield
    finally:
        os.close(descriptor)

"""The API on a free port with a world of fakes behind it, and the official SDKs logged in to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from azure.identity import ClientSecretCredential
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.resource.deployments import DeploymentsMgmtClient

from dockyard.arm import server
from dockyard.arm.app import build_app
from dockyard.arm.context import ArmContext
from dockyard.arm.identity.principal import AUDIENCE, Principal
from dockyard.arm.throttling import Limit, Limits
from dockyard.fabric.diagnostics import Diagnostics
from dockyard.wire.goal_state import documents as goal_state
from tests.support.fabric import HastyClock, World, handler_report, run_report
from tests.support.values import SUBSCRIPTION

T = TypeVar("T")
_MANY = Limit(1_000_000, 0)
_GENEROUS = Limits(reads=_MANY, writes=_MANY, deletes=_MANY)  # the fuzzing of the API is a client that has run wild
PRINCIPAL = Principal(client_id="me", client_secret="secret", subscription_id=SUBSCRIPTION, signing_key="ab" * 32)


class Api:
    """A server on a free port, its world, and the SDK logged in to it."""

    def __init__(self, *, world: World, folder: Path, principal: Principal, port: int) -> None:
        self.world = world
        self.endpoint = f"https://127.0.0.1:{port}"
        self.folder = folder
        self.ca = str(folder / "ca.pem")
        self.principal = principal
        self.context = arm_context(world, principal=principal, endpoint=self.endpoint)
        self.app = build_app(self.context)

    def credential(self, *, secret: str | None = None) -> ClientSecretCredential:
        return ClientSecretCredential(
            "adfs",
            self.principal.client_id,
            secret or self.principal.client_secret,
            authority=self.endpoint,
            connection_verify=self.ca,
        )

    def client(self, credential: Any) -> ComputeManagementClient:
        return ComputeManagementClient(
            credential,
            self.principal.subscription_id,
            base_url=self.endpoint,
            credential_scopes=[f"{AUDIENCE}/.default"],
            connection_verify=self.ca,
        )

    async def do(self, call: Callable[[ComputeManagementClient], T], *, credential: Any = None) -> T:
        """Run SDK calls, which block, beside the server."""

        def run() -> T:
            own = credential or self.credential()
            with own, self.client(own) as client:
                return call(client)

        return await asyncio.to_thread(run)

    async def deploy(self, call: Callable[[DeploymentsMgmtClient], T]) -> T:
        """Run calls of the deployments client beside the server."""

        def run() -> T:
            client = DeploymentsMgmtClient(
                self.credential(),
                self.principal.subscription_id,
                base_url=self.endpoint,
                credential_scopes=[f"{AUDIENCE}/.default"],
                connection_verify=self.ca,
            )
            with client:
                return call(client)

        return await asyncio.to_thread(run)


def arm_context(world: World, *, principal: Principal, endpoint: str, limits: Limits = _GENEROUS) -> ArmContext:
    """What the application needs, joined over a world of fakes."""

    async def diagnose() -> dict[str, Any]:
        return {"checks": []}

    world.fabric.principals.ensure_owner(client_id=principal.client_id, subscription_id=principal.subscription_id)
    return ArmContext(
        fabric=world.fabric,
        tokens=principal.tokens(endpoint=endpoint),
        endpoint=endpoint,
        subscription_id=principal.subscription_id,
        diagnose=diagnose,
        diagnostics=Diagnostics(
            store=world.store,
            guests=world.fabric.guests,
            hypervisor=world.hypervisor,
            render=goal_state.every,
            server_log=lambda: world.server_log,
        ),
        limits=limits,
    )


@asynccontextmanager
async def serving_api(folder: Path) -> AsyncIterator[Api]:
    """Serve a new world from ``folder`` while the context is open."""
    world = World(folder, clock=HastyClock())
    principal = PRINCIPAL
    listener = server.listen(port=None, remembered=folder / "port.json")
    made = Api(world=world, folder=folder, principal=principal, port=listener.getsockname()[1])
    names = {name: folder / f"{name}.pem" for name in ("authority_key", "certificate", "key")}
    server.write_certificates(authority=folder / "ca.pem", **names)

    http = server.build_server(made.app, certificate=names["certificate"], key=names["key"])
    serving = asyncio.create_task(http.serve(sockets=[listener]))
    guest = asyncio.create_task(play_guests(world))
    yield made
    guest.cancel()
    http.should_exit = http.force_exit = True
    await serving
    await world.fabric.operations.suspend()
    world.close()


async def play_guests(world: World) -> None:
    """Every machine that runs reports Ready, and success for its extension."""
    while True:
        await asyncio.sleep(0.02)
        for machine in world.fabric.virtual_machines.list():
            if machine.vm_id not in world.hypervisor.running:
                continue
            reports = [
                handler_report(sequence_number=child.sequence_number)
                if child.configuration is None
                else run_report(child.configuration, sequence_number=child.sequence_number, output="up 3 days\n")
                for child in world.store.extensions(machine=machine.id)
                if child.provisioning_state.value != "Deleting"
            ]
            await world.boot_again(machine.id.name, *reports)

"""Callers of the API in this process: the owner, and principals with roles, each with a token of its own."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from dockyard.arm.app import build_app
from dockyard.arm.context import ArmContext
from dockyard.arm.throttling import Limits
from dockyard.model.role import RoleDefinition
from tests.support.arm_api import PRINCIPAL, arm_context
from tests.support.fabric import World
from tests.support.values import GROUP, SUBSCRIPTION

ENDPOINT = "https://127.0.0.1:8443"
VERSION = "2024-11-01"
SUB = f"/subscriptions/{SUBSCRIPTION}"
RG = f"{SUB}/resourceGroups/{GROUP}"
PRINCIPALS = f"{SUB}/providers/Dockyard.Identity/principals"
ROLES = "providers/Microsoft.Authorization/roleAssignments"


class Caller:
    """Somebody with a token, or without one."""

    def __init__(self, app: Starlette, *, token: str | None, document: Mapping[str, Any] | None = None) -> None:
        self.token = token
        self.document = document or {}
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url=ENDPOINT)

    @property
    def object_id(self) -> str:
        return str(self.document["properties"]["objectId"])

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        own = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        params = {"api-version": VERSION, **(query or {})}
        content = None if body is None else json.dumps(body).encode()
        return await self._client.request(
            method, path, params=params, headers={**own, **(headers or {})}, content=content
        )

    async def get(self, path: str, **query: str) -> httpx.Response:
        """Ask with options whose names begin with a dollar sign, written ``_filter`` here."""
        return await self.ask("GET", path, query={f"${name[1:]}": text for name, text in query.items()})

    async def put(self, path: str, body: Any, *, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return await self.ask("PUT", path, body, headers=headers)

    async def put_bytes(self, path: str, content: bytes | AsyncIterator[bytes]) -> httpx.Response:
        own = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        return await self._client.put(path, params={"api-version": VERSION}, headers=own, content=content)

    async def delete(self, path: str) -> httpx.Response:
        return await self.ask("DELETE", path)

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        return await self.ask("POST", path, body)


class Directory:
    """The application over a world of fakes, and those who call it."""

    def __init__(self, *, world: World, context: ArmContext) -> None:
        self.world = world
        self.context = context
        self.app = build_app(context)
        own = context.fabric.principals.recognise(client_id=PRINCIPAL.client_id, secret_id="")
        self.owner = Caller(self.app, token=context.tokens.issue(own))
        self.nobody = Caller(self.app, token=None)

    async def principal(self, name: str) -> Caller:
        """Make a principal without any role, and log it in."""
        made = await self.owner.put(f"{PRINCIPALS}/{name}", {})
        assert made.status_code == 201, made.text
        properties = made.json()["properties"]
        answer = await self.log_in(properties["appId"], properties["clientSecret"])
        return Caller(self.app, token=answer.json()["access_token"], document=made.json())

    async def log_in(self, client_id: str, secret: str) -> httpx.Response:
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url=ENDPOINT) as client:
            return await client.post("/adfs/oauth2/token", data=form)

    async def settled(self) -> None:
        """Wait until nothing is at work, and the last task is forgotten."""
        await self.world.until(lambda: not self.world.store.operations_in_progress())
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def with_role(self, role: RoleDefinition, *, scope: str = SUB, name: str = "") -> Caller:
        """Make a principal that has one role at a scope."""
        caller = await self.principal(name or role.name.lower())
        assigned = await self.assign(caller, role, scope=scope)
        assert assigned.status_code == 201, assigned.text
        return caller

    async def assign(
        self, caller: Caller, role: RoleDefinition, *, scope: str = SUB, name: str = "", by: Caller | None = None
    ) -> httpx.Response:
        definition = f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/{role.id}"
        body = {"properties": {"roleDefinitionId": definition, "principalId": caller.object_id}}
        return await (by or self.owner).put(f"{scope}/{ROLES}/{name or uuid.uuid4()}", body)


@asynccontextmanager
async def directory(folder: Path, *, limits: Limits | None = None) -> AsyncIterator[Directory]:
    """The application over a new world, while the context is open."""
    world = World(folder)
    context = arm_context(world, principal=PRINCIPAL, endpoint=ENDPOINT, limits=limits or Limits())
    yield Directory(world=world, context=context)
    await world.fabric.operations.suspend()
    world.close()

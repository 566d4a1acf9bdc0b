"""Resources that are a dictionary: what a deployment does to them, and in which order, can be looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from dockyard.model.errors import InvalidRequest, OperationFailed
from dockyard.model.resource_id import ResourceId


class FakeResources:
    """Implements ``fabric.ports.ResourceClient``; every PUT takes a few turns of the event loop."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.ids: dict[str, ResourceId] = {}
        self.log: list[str] = []
        self.failing: set[str] = set()
        self.unserved: set[str] = set()
        self.held: dict[str, asyncio.Event] = {}
        self.most_at_once = 0
        self._at_once = 0

    def check_type(self, *, id: ResourceId, api_version: str) -> None:
        if id.type in self.unserved:
            raise InvalidRequest(f"The resource type '{id.type}' is not served", code="InvalidResourceType")

    async def put(self, *, id: ResourceId, api_version: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.log.append(f"put {id.name}")
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            await self._work(id)
        finally:
            self._at_once -= 1
        self.log.append(f"made {id.name}")
        properties = {**body.get("properties", {}), "provisioningState": "Succeeded", "made": id.name}
        self.documents[id.key] = {"id": str(id), "name": id.name, **body, "properties": properties}
        self.ids[id.key] = id
        return self.documents[id.key]

    async def get(self, *, id: ResourceId, api_version: str) -> Mapping[str, Any] | None:
        return self.documents.get(id.key)

    async def delete(self, *, id: ResourceId) -> None:
        self.log.append(f"delete {id.name}")
        self._check(id)
        for key in [key for key in self.documents if key == id.key or key.startswith(f"{id.key}/")]:
            del self.documents[key]

    async def list(self, *, resource_group: str) -> Sequence[ResourceId]:
        return [self.ids[key] for key in self.documents]

    async def _work(self, id: ResourceId) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        if id.name in self.held:
            await self.held[id.name].wait()
        self._check(id)

    def _check(self, id: ResourceId) -> None:
        if id.name in self.failing:
            raise OperationFailed(f"{id.name} does not want to", code="Unwilling")

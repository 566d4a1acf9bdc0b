"""The resources of this server as a deployment sees them: the application's own routes, called without a socket.

Implements ``fabric.ports.ResourceClient``. A resource of a template takes exactly the way a client's request takes,
token and all, so what a PUT refuses a template cannot get by either.
"""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Match

from dockyard.arm.answers import Answer, Exchange
from dockyard.arm.context import ArmContext
from dockyard.arm.paths import normalised
from dockyard.fabric.ports import Clock
from dockyard.model.errors import InvalidRequest, OperationFailed
from dockyard.model.principal import ServicePrincipal
from dockyard.model.resource_id import ResourceId
from dockyard.templates.resource_ids import parse_id

_LOOK_EVERY_SECONDS = 0.2
_DEFAULT_VERSION = "2024-11-01"


class AppResources:
    """Calls ``app`` as the caller who deploys: with those rights, for as long as they hold."""

    def __init__(self, *, app: Starlette, context: ArmContext, caller: ServicePrincipal, clock: Clock) -> None:
        self._app = app
        self._caller = caller
        self._context = context
        self._clock = clock

    def check_type(self, *, id: ResourceId, api_version: str) -> None:
        """Raise InvalidRequest (code InvalidResourceType) when no route takes a PUT of this type."""
        scope = {"type": "http", "method": "PUT", "path": normalised(str(id)), "root_path": ""}
        if not any(route.matches(scope)[0] is Match.FULL for route in self._app.routes):
            namespace, _, kind = id.type.partition("/")
            raise InvalidRequest(
                f"The resource type '{kind}' could not be found in the namespace '{namespace}'"
                f" for api version '{api_version}'",
                details=f"resource: {'/'.join(id.names)}",
                code="InvalidResourceType",
            )

    async def put(self, *, id: ResourceId, api_version: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Create or change a resource, wait until that has ended, return it. Raises OperationFailed."""
        answer = _succeeded(await self._call("PUT", str(id), api_version=api_version, body=body))
        if await self._follow(answer):
            answer = _succeeded(await self._call("GET", str(id), api_version=api_version))
        return _completed(_document(answer))

    async def get(self, *, id: ResourceId, api_version: str) -> Mapping[str, Any] | None:
        """Return a resource, None when there is none. Raises OperationFailed."""
        answer = await self._call("GET", str(id), api_version=api_version or _DEFAULT_VERSION)
        return None if answer.status == 404 else _document(_succeeded(answer))

    async def delete(self, *, id: ResourceId) -> None:
        """Delete a resource and wait until that has ended. Raises OperationFailed."""
        await self._follow(_succeeded(await self._call("DELETE", str(id), api_version=_DEFAULT_VERSION)))

    async def list(self, *, resource_group: str) -> Sequence[ResourceId]:
        """Return the resources of a group. Raises OperationFailed."""
        path = f"/subscriptions/{self._context.subscription_id}/resourceGroups/{resource_group}/resources"
        answer = _succeeded(await self._call("GET", path, api_version=_DEFAULT_VERSION))
        ids = [parse_id(str(entry["id"])) for entry in _document(answer)["value"]]
        return [id for id in ids if id is not None]

    async def _follow(self, answer: Answer) -> bool:
        """Wait for the operation an answer speaks of; False when it speaks of none. Raises OperationFailed."""
        url = answer.headers.get("azure-asyncoperation")
        if url is None:
            return False
        parts = urllib.parse.urlsplit(url)
        while True:
            path = urllib.parse.unquote(parts.path)
            state = _document(_succeeded(await self._call("GET", path, query=parts.query)))
            if state.get("status") in ("Failed", "Canceled"):
                raise _failure(state)
            if state.get("status") == "Succeeded":
                return True
            await self._clock.sleep(_LOOK_EVERY_SECONDS)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        api_version: str = "",
        query: str = "",
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        content = b"" if body is None else json.dumps(body).encode()
        token = self._context.tokens.issue(self._caller)
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": (query or urllib.parse.urlencode({"api-version": api_version})).encode(),
            "headers": [(b"authorization", f"Bearer {token}".encode()), (b"content-type", b"application/json")],
        }
        return await Exchange(content).ask(self._app, scope)


def _succeeded(answer: Answer) -> Answer:
    if answer.status >= 400:
        raise _failure(_document(answer))
    return answer


def _document(answer: Answer) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(answer.body) if answer.body else {}
    return found


def _completed(document: Mapping[str, Any]) -> Mapping[str, Any]:
    state = (document.get("properties") or {}).get("provisioningState")
    if state in ("Failed", "Canceled"):
        raise OperationFailed(
            "The resource write operation failed to complete successfully,"
            f" because it reached terminal provisioning state '{state}'",
            resolution="Look why, and delete the resource; then deploy again.",
            code="ResourceDeploymentFailure",
        )
    return document


def _failure(document: Mapping[str, Any]) -> OperationFailed:
    error = document.get("error") or {}
    return OperationFailed(str(error.get("message", "The request failed")), code=str(error.get("code", "")))

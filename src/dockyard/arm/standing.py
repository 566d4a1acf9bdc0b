"""The ASGI layer that refuses what a management lock, or the deletion of its group, forbids: whoever asks.

Behind ``authorization.check``: who may not, does not learn what is locked. Templates and deletions of groups pass it,
too: a deployment's resources come through the same application (``deployments.client``), and what a group holds is
looked through for locks before the group's deletion begins.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from dockyard.arm.answers import refuse
from dockyard.arm.authorization.actions import Demand, demand
from dockyard.arm.unserved import allowed_methods
from dockyard.fabric.locks import Locks
from dockyard.fabric.resource_groups import ResourceGroups
from dockyard.model.errors import DockyardError

_READS = ("GET", "HEAD", "OPTIONS")
# Locks themselves, or nobody could take one away; and what is no part of any subscription on Azure.
_UNLOCKED = ("microsoft.authorization/locks/", "dockyard.")


class Standing:
    """Let reads through, what nobody serves, and changes where nothing stands against them."""

    def __init__(self, app: ASGIApp, *, locks: Locks, resource_groups: ResourceGroups) -> None:
        self._app = app
        self._locks = locks
        self._resource_groups = resource_groups

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then pass on."""
        if scope["type"] == "http" and scope["method"] not in _READS:
            wanted = demand(method=scope["method"], path=scope["path"])
            try:
                if wanted is not None:
                    self._check(wanted, method=scope["method"])
            except DockyardError as error:
                if scope["method"] in allowed_methods(scope["app"].routes, request=Request(scope)):
                    await refuse(error, scope, receive, send)
                    return
        await self._app(scope, receive, send)

    def _check(self, wanted: Demand, *, method: str) -> None:
        segments = wanted.scope.strip("/").split("/")
        if method != "DELETE" and len(segments) > 3 and segments[2].lower() == "resourcegroups":
            self._resource_groups.check_stays(name=segments[3])
        if not wanted.action.lower().startswith(_UNLOCKED):
            self._locks.check(scope=wanted.scope, deletes=method == "DELETE")

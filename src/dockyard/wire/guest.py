"""One machine as its platform endpoints know it: its goal, the documents rendered from it, and how far its agent is.

Every route gets its `Guest` from the socket a request came in on, never from anything in the request: that is the whole
of a machine's identity here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cryptography import x509

from dockyard.fabric.ports import GuestPlatform, TenantKeys
from dockyard.model.guest import GuestGoal, HealthReport
from dockyard.pki import cms
from dockyard_contract.aggregate_status import AggregateStatus
from dockyard_contract.certificates import Certificates, dump_certificates
from dockyard_contract.health import Health

HOLD_SECONDS = 8.0
"""How long an answer may be held back: WALinuxAgent 2.12 gives up a request after 10 seconds."""


class Guest:
    """The platform's side of one machine. Documents are rendered once for each incarnation."""

    def __init__(self, *, vm_id: str, platform: GuestPlatform, keys: TenantKeys) -> None:
        self.vm_id = vm_id
        self._platform = platform
        self._keys = keys
        self._rendered_for: int | None = None
        self._rendered: dict[Callable[[GuestGoal], str], bytes] = {}
        self._settled_on: int | None = None
        self._held: set[asyncio.Future[None]] = set()

    def goal(self) -> GuestGoal:
        """Return what the machine is to be told. Raises NotFound."""
        return self._platform.goal(vm_id=self.vm_id)

    def document(self, render: Callable[[GuestGoal], str]) -> bytes:
        """Return a document of the present goal; ``render`` is called once for each incarnation. Raises NotFound."""
        goal = self.goal()
        if goal.incarnation != self._rendered_for:
            self._rendered = {}
            self._rendered_for = goal.incarnation
        if render not in self._rendered:
            self._rendered[render] = render(goal).encode()
        return self._rendered[render]

    def certificates(self, *, transport: x509.Certificate) -> str:
        """Return the machine's certificates for the holder of ``transport``'s key, which is new at each agent start.

        Raises:
            NotFound: the machine is gone.
            TypeError: the certificate's key is of a kind nothing can be encrypted to.
        """
        envelope = cms.envelope(plaintext=self._keys.pkcs12(vm_id=self.vm_id), certificate=transport)
        return dump_certificates(Certificates(incarnation=self.goal().incarnation, envelope=envelope))

    def agent_started(self) -> None:
        """Take note that an agent has come up: nothing is held back from it before it has reported again."""
        self._settled_on = None

    async def news(self) -> None:
        """Return at once when the agent has something to do or to report, else when the goal changes, or in time.

        A held answer lets a new goal arrive at once instead of at the agent's next look. It also keeps the agent from
        reporting, for it has one thread; hence only an agent whose last report was final for this goal is held.

        Raises:
            NotFound: the machine is gone.
        """
        if self._settled_on is None or self._settled_on != self.goal().incarnation:
            return
        change = self._platform.goal_changed(
            vm_id=self.vm_id, incarnation=self._settled_on, timeout_seconds=HOLD_SECONDS
        )
        waiting = asyncio.ensure_future(change)
        self._held.add(waiting)
        waiting.add_done_callback(self._held.discard)
        try:
            await asyncio.wait([waiting])
        finally:
            waiting.cancel()
        if not waiting.cancelled():
            waiting.result()

    def release(self) -> None:
        """Let every held answer go: the machine is being detached."""
        for waiting in tuple(self._held):
            waiting.cancel()

    async def take_health(self, health: Health, *, user_agent: str) -> None:
        """Pass on a health report. Raises NotFound."""
        report = HealthReport(
            incarnation=health.incarnation,
            ready=health.state.is_ready,
            substatus=health.substatus,
            description=health.description,
            user_agent=user_agent,
        )
        await self._platform.report_health(vm_id=self.vm_id, report=report)

    async def take_status(self, status: AggregateStatus) -> None:
        """Pass on a status report. Raises NotFound."""
        is_final = all(handler.is_final for handler in status.handlers)
        self._settled_on = status.incarnation if is_final else None
        await self._platform.report_status(vm_id=self.vm_id, status=status)

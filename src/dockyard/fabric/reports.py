"""What each machine's agent has reported lately: the reports that said something new, newest last.

Kept in memory by ``guests`` for ``diagnostics``; the last word of each extension is in the store besides.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from dockyard_contract.aggregate_status import AggregateStatus

KEPT = 40
"""Reports of a machine; one is 200 kB at the most, for the agent cuts what handlers write."""


@dataclass(frozen=True)
class ReceivedReport:
    """A report and when it came."""

    at: datetime
    status: AggregateStatus


class ReportHistory:
    """The last reports of every machine."""

    def __init__(self) -> None:
        self._reports: dict[str, deque[ReceivedReport]] = {}

    def take(self, *, vm_id: str, status: AggregateStatus, at: datetime) -> None:
        """Remember a report unless it says what the one before said."""
        known = self._reports.setdefault(vm_id, deque(maxlen=KEPT))
        if not known or replace(known[-1].status, timestamp="") != replace(status, timestamp=""):
            known.append(ReceivedReport(at, status))

    def of(self, *, vm_id: str) -> Sequence[ReceivedReport]:
        """Return a machine's reports, oldest first."""
        return tuple(self._reports.get(vm_id, ()))

    def forget(self, *, vm_id: str) -> None:
        """Forget a machine that is gone."""
        self._reports.pop(vm_id, None)

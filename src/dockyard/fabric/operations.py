"""The journal at work: an operation is written before it does anything, and again before each outside effect.

Used by the use cases. A server that dies leaves its operations in progress; ``reconcile`` hands them back to
``resume`` with the work to do again: every piece of work may be repeated from its beginning.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from dockyard.fabric.ports import Clock, Store
from dockyard.model.errors import DockyardError, ErrorRecord, NotFound
from dockyard.model.operation import Operation, OperationKind, OperationStatus
from dockyard.model.resource_id import ResourceId

_log = logging.getLogger(__name__)
_PREEMPTED = ErrorRecord("OperationPreempted", "A later request took over.")


class Journal:
    """The pen of one operation: ``step`` must be called before each effect outside the store."""

    def __init__(self, *, store: Store, operation: Operation) -> None:
        self._store = store
        self.operation = operation

    def step(self, name: str) -> None:
        """Write on the disk that ``name`` is about to happen."""
        self.operation = replace(self.operation, step=name)
        self._store.put_operation(self.operation)

    def result(self, document: Mapping[str, Any]) -> None:
        """Write what came of the operation, for whoever asked for it."""
        self.operation = replace(self.operation, result=json.dumps(document))
        self._store.put_operation(self.operation)


Work = Callable[[Journal], Awaitable[None]]


class Operations:
    """All operations of this server; each runs as a task of the event loop."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._targets: dict[str, str] = {}

    def get(self, *, operation_id: str) -> Operation:
        """Return one operation. Raises NotFound."""
        operation = self._store.operation(operation_id=operation_id)
        if operation is None:
            raise NotFound(f"There is no operation {operation_id}", code="OperationNotFound")
        return operation

    def start(
        self, *, kind: OperationKind, target: ResourceId, work: Work, arguments: Mapping[str, str] | None = None
    ) -> Operation:
        """Write a new operation into the journal and begin its work."""
        operation = Operation(
            id=str(uuid.uuid4()),
            kind=kind,
            target=target,
            status=OperationStatus.IN_PROGRESS,
            started_at=self._clock.now(),
            arguments=tuple((arguments or {}).items()),
        )
        self._store.put_operation(operation)
        self.resume(operation=operation, work=work)
        return operation

    def resume(self, *, operation: Operation, work: Work) -> None:
        """Begin, or begin again, the work of an operation that is in the journal."""
        task = asyncio.get_running_loop().create_task(self._run(operation, work), name=f"operation {operation.id}")
        self._tasks[operation.id] = task
        self._targets[operation.id] = operation.target.key
        task.add_done_callback(lambda _: self._forget(operation.id))

    def busy(self, *, target: ResourceId) -> bool:
        """Tell whether an operation is at work on ``target``."""
        return target.key in self._targets.values()

    def at_work(self, *, target: ResourceId) -> Operation | None:
        """Return the operation that is at work on ``target``."""
        ids = [id for id, key in self._targets.items() if key == target.key]
        return self.get(operation_id=ids[0]) if ids else None

    async def wait(self, *, operation_id: str) -> Operation:
        """Return the operation when it has ended."""
        task = self._tasks.get(operation_id)
        if task is not None:
            await asyncio.wait([task])
        return self.get(operation_id=operation_id)

    async def preempt(self, *, target: ResourceId, error: ErrorRecord = _PREEMPTED) -> None:
        """End whatever is at work on ``target`` because something stronger follows: a deletion, a failure below it."""
        for operation_id in [id for id, key in self._targets.items() if key == target.key]:
            self._tasks[operation_id].cancel()
            self.fail(operation_id=operation_id, error=error)  # before anybody who waits for the task is woken
            await self._cancel(operation_id)

    async def suspend(self) -> None:
        """Stop all work but leave it in progress in the journal, for the next start to resume."""
        for operation_id in list(self._tasks):
            await self._cancel(operation_id)

    def fail(self, *, operation_id: str, error: ErrorRecord) -> None:
        """Write that the operation failed."""
        self._end(self.get(operation_id=operation_id), error=error)

    async def _cancel(self, operation_id: str) -> None:
        task = self._tasks.get(operation_id)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self, operation: Operation, work: Work) -> None:
        journal = Journal(store=self._store, operation=operation)
        try:
            await work(journal)
        except DockyardError as error:
            self._end(journal.operation, error=error.record())
        except Exception:  # noqa: BLE001 - a task's edge: a fault of ours must end the operation, not hang it
            _log.exception("operation %s (%s) failed unexpectedly", operation.id, operation.kind.value)
            record = ErrorRecord("InternalError", "An unforeseen fault ended the operation; the server's log has it.")
            self._end(journal.operation, error=record)
        else:
            self._end(journal.operation, error=None)

    def _end(self, operation: Operation, *, error: ErrorRecord | None) -> None:
        status = OperationStatus.SUCCEEDED if error is None else OperationStatus.FAILED
        self._store.put_operation(replace(operation, status=status, ended_at=self._clock.now(), error=error))

    def _forget(self, operation_id: str) -> None:
        self._tasks.pop(operation_id, None)
        self._targets.pop(operation_id, None)

"""The status file of one sequence number: read it, and replace it whole, atomically, at every change.

The agent reads it at any moment and takes a half-written file for an error (WALinuxAgent 2.12, code 1012). Readable by
root alone, as the agent's own folder is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard_contract.errors import MalformedDocument
from dockyard_contract.status import (
    MESSAGE_LIMIT,
    FormattedMessage,
    Status,
    StatusWord,
    Substatus,
    dump_status,
    parse_status,
)

from .log import utc

if TYPE_CHECKING:
    from dockyard_guest.ports import Clock, Files

LONG_MESSAGE = 64 * 1024
"""Bytes of a message that a handler reports for programs to read."""

_MODE = 0o600


@dataclass(frozen=True)
class Report:
    """Where the status of one sequence number goes, and under which operation."""

    path: str
    operation: str
    files: Files
    clock: Clock

    def read(self) -> Status | None:
        """The status that is there; ``None`` when there is none or it cannot be read."""
        text = self.files.read(self.path)
        if text is None:
            return None
        try:
            return parse_status(text, document=self.path.rpartition("/")[2])
        except MalformedDocument:
            return None

    def write(
        self,
        word: StatusWord,
        message: str,
        *,
        code: int = 0,
        substatus: tuple[Substatus, ...] = (),
        limit: int = MESSAGE_LIMIT,
    ) -> None:
        """Replace the status; the message is cut to `limit` bytes."""
        now = utc(self.clock.time())
        status = Status(
            status=word,
            operation=self.operation,
            message=FormattedMessage(message),
            code=code,
            timestamp=now,
            configuration_applied_time=now if word is StatusWord.SUCCESS else None,
            substatus=substatus,
            message_limit=limit,
        )
        self.files.write(self.path, dump_status(status).encode(), mode=_MODE)

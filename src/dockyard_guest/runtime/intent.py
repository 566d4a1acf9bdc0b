"""What the agent wants last: written by every command that starts or must stop the background work, read by that work.

Kept in memory-backed storage outside the versions' folders, so that versions see each other's and a reboot forgets it.
The work compares it with its own between steps and gives up when they differ: a newer command is then waiting for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard_guest.errors import SupersededError, TemporaryError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from dockyard_guest.ports import Clock, Files

_POLL = 0.5


@dataclass(frozen=True)
class Desk:
    """The place where one extension's commands meet: the last intent and the lock around changing the machine."""

    folder: str
    files: Files
    clock: Clock

    @property
    def record(self) -> str:
        """The file that tells of a script that runs; see `ports.Scripts`."""
        return f"{self.folder}/running"

    def want(self, intent: str) -> None:
        """Declare what is wanted from now on."""
        self.files.make_folder(self.folder, mode=0o700)
        self.files.write(f"{self.folder}/intent", intent.encode(), mode=0o600)

    def check(self, intent: str) -> None:
        """Make sure that this is still what is wanted.

        Raises:
            SupersededError: Something else is.
        """
        last = (self.files.read(f"{self.folder}/intent") or intent.encode()).decode(errors="replace")
        if last != intent:
            raise SupersededError(f"Given up for a newer command: {last}.")

    def hold(self, *, intent: str, patience: float) -> AbstractContextManager[None]:
        """Wait for the lock around changing the machine, as long as the intent stands.

        Raises:
            SupersededError: Something else is wanted meanwhile.
            TemporaryError: The lock was not free in time.
        """
        self.files.make_folder(self.folder, mode=0o700)
        deadline = self.clock.monotonic() + patience
        while True:
            self.check(intent)
            lock = self.files.try_lock(f"{self.folder}/lock")
            if lock is not None:
                return lock
            if self.clock.monotonic() >= deadline:
                raise TemporaryError(f"Another command of this extension did not finish within {patience:.0f} seconds.")
            self.clock.sleep(_POLL)


def desk_for(handler: str, *, configuration: str | None = None, files: Files, clock: Clock) -> Desk:
    """The desk of an extension; all its versions share it, and each of several named configurations has its own."""
    folder = f"/run/dockyard-{handler}"
    return Desk(folder=folder if configuration is None else f"{folder}/{configuration}", files=files, clock=clock)

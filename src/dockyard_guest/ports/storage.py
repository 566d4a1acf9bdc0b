"""Files and folders of root, and the marker that says that nothing is to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from dockyard_guest.values import Account


class Files(Protocol):
    """Files and folders of root. A write is atomic and leaves the final mode from the first moment."""

    def read(self, path: str) -> bytes | None:
        """The content, or ``None`` when there is no such file."""

    def write(self, path: str, content: bytes, *, mode: int) -> None:
        """Put a file of this content and mode in place of whatever file is there; never follows a link."""

    def append(self, path: str, content: bytes, *, mode: int) -> None:
        """Add to the end of a file, which is made with this mode when there is none."""

    def remove(self, path: str) -> None:
        """Remove a file; it need not be there."""

    def rename(self, source: str, target: str) -> None:
        """Move a file within its folder, over whatever file is there."""

    def read_part(self, path: str, *, start: int, limit: int) -> bytes:
        """At most `limit` bytes from a place on; empty at the end, or when there is no such file."""

    def give(self, path: str, *, account: Account) -> None:
        """Make a user the owner of a folder with all that is in it; follows no link."""

    def size(self, path: str) -> int:
        """Size in bytes; 0 when there is no such file."""

    def mode(self, path: str) -> int | None:
        """Permission bits, or ``None`` when there is no such file."""

    def make_folder(self, path: str, *, mode: int) -> None:
        """Make a folder and its parents; one that is there stays as it is."""

    def remove_folder(self, path: str) -> None:
        """Remove a folder if it is there and empty."""

    def remove_tree(self, path: str) -> None:
        """Remove a folder with all that is in it; follows no link, and it need not be there."""

    def names(self, folder: str) -> tuple[str, ...]:
        """Names in a folder, sorted; none when there is no such folder."""

    def stamp(self, path: str) -> str:
        """A text that changes whenever the file is replaced, written or removed."""

    def try_lock(self, path: str) -> AbstractContextManager[None] | None:
        """Take the lock that goes with this file, or ``None`` when another process holds it.

        The lock is released when the context is left or the process ends, however it ends.
        """


class Settled(Protocol):
    """The marker by which a repeated `enable` with nothing to do is known without reading anything else."""

    def record(
        self,
        *,
        folder: str,
        version: str,
        sequence_number: int,
        watched: Sequence[str],
        pid_files: Sequence[str] = (),
        until: float | None = None,
    ) -> None:
        """Declare a sequence number settled for as long as all these files stay as they are now.

        Besides, only as long as those of the processes named by `pid_files` that run now go on, and until a moment in
        seconds since the epoch if there is one.
        """

    def forget(self, *, folder: str) -> None:
        """Declare nothing settled."""

"""Users of this machine and what is theirs: looked up, their files written as if they were hostile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard_guest.values import Account


class Accounts(Protocol):
    """Users of this machine."""

    def find(self, name: str) -> Account | None:
        """The user of this name, or ``None``."""

    def rewrite(self, account: Account, path: str, *, change: Callable[[bytes], bytes], reads: bool = True) -> bool:
        """Put a file of a user's own anew, for that user alone. Answers whether anything was to be done.

        `path` is ``folder/name`` below the user's home. `change` is given what is there, or nothing when there is no
        file or when `reads` is false. No link is followed, whatever the user does meanwhile: nothing is read but what
        the user could read, nothing is written but in the user's own folder. The file appears whole or not at all.

        Raises:
            PermanentError: Home, folder or file are somebody else's, a link, or not what they should be.
        """

    def end_processes(self, account: Account) -> None:
        """Kill all processes of a user."""

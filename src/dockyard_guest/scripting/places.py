"""Where scripts lie: a folder of root's for what they write, and one that their user can enter for what they read.

The agent's folder, in which Azure's extensions have theirs, is closed to everybody but root. A script of another user
therefore starts in a folder elsewhere; its output is kept by root all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockyard_guest.ports import Files
    from dockyard_guest.values import Account

_KEPT = 2
_OWNER = "owner"


@dataclass(frozen=True)
class Places:
    """The folders of one handler, or of one of its named configurations.

    Attributes:
        handler: Short name of the handler.
        root: Where everything lies that root alone reads.
        shared: Where the folders lie that are given to users.
        name: Name of the configuration; empty when there is one only.
    """

    handler: str
    root: str
    shared: str
    name: str = ""

    @property
    def record(self) -> str:
        """The file that tells which script runs: where the commands of the configuration meet, see `ports.Scripts`."""
        return f"/run/dockyard-{self.handler}/{self.name}".rstrip("/") + "/running"

    def kept(self, number: int) -> str:
        """The folder of a number, for root alone."""
        return f"{self._own}/{number}"

    def work(self, number: int, account: Account | None) -> str:
        """The folder in which a script starts."""
        return self.kept(number) if account is None else f"{self._given}/{number}"

    def make(self, number: int, account: Account | None, *, files: Files) -> str:
        """Make the folders of a number anew, take away those of numbers long gone; answers where a script starts."""
        self._forget_old(number, files=files)
        files.remove_tree(self.kept(number))
        files.make_folder(self.kept(number), mode=0o700)
        work = self.work(number, account)
        if account is not None:
            files.remove_tree(work)
            files.make_folder(work.rpartition("/")[0], mode=0o711)
            files.make_folder(work, mode=0o700)
        return work

    def remove(self, *, files: Files) -> None:
        """Take away all folders of the configuration."""
        files.remove_tree(self._own)
        files.remove_tree(self._given)

    @property
    def _own(self) -> str:
        return f"{self.root}/download/{self.name}".rstrip("/")

    @property
    def _given(self) -> str:
        return f"{self.shared}/{self.name}".rstrip("/")

    def _forget_old(self, number: int, *, files: Files) -> None:
        for folder in (self._own, self._given):
            old = sorted(int(name) for name in files.names(folder) if name.isdigit() and int(name) != number)
            for gone in old[:-_KEPT]:
                files.remove_tree(f"{folder}/{gone}")


def take_charge(folder: str, *, version: str, files: Files) -> None:
    """Make a version of the handler the one whose data lies in a folder."""
    files.make_folder(folder, mode=0o700)
    files.write(f"{folder}/{_OWNER}", version.encode(), mode=0o600)


def is_in_charge(folder: str, *, version: str, files: Files) -> bool:
    """Whether no other version has taken over what lies in a folder."""
    return (files.read(f"{folder}/{_OWNER}") or version.encode()).decode(errors="replace") == version

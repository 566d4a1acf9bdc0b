"""Which package manager a machine has, by its distribution's family. Used by `composition`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard_guest.values import Family

from .apt import Apt
from .dnf import Dnf
from .zypper import Zypper

if TYPE_CHECKING:
    from dockyard_guest.ports import Clock, Commands, Files, Packages
    from dockyard_guest.values import OsRelease


def packages_of(release: OsRelease, *, commands: Commands, clock: Clock, files: Files) -> Packages:
    """The package manager; for a distribution of no known family one that may not be there, as it says if asked."""
    if release.family is Family.RED_HAT:
        return Dnf(commands=commands, clock=clock)
    if release.family is Family.SUSE:
        return Zypper(commands=commands, clock=clock)
    return Apt(commands=commands, clock=clock, files=files)

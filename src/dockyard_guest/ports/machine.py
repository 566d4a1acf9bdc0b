"""All doors to the machine together, and its clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .accounts import Accounts
    from .network import Downloads, Sockets, Uploads
    from .programs import Background, Commands, Scripts, Services
    from .secrets import Certificates, Envelopes
    from .software import Packages, System
    from .storage import Files, Settled


class Clock(Protocol):
    """Time of day, elapsed time, and waiting."""

    def time(self) -> float:
        """Seconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


@dataclass(frozen=True)
class Machine:
    """All doors to the machine."""

    clock: Clock
    files: Files
    commands: Commands
    services: Services
    packages: Packages
    sockets: Sockets
    certificates: Certificates
    envelopes: Envelopes
    background: Background
    settled: Settled
    system: System
    downloads: Downloads
    uploads: Uploads
    scripts: Scripts
    accounts: Accounts

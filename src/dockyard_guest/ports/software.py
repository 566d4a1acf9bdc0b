"""What this machine is, and the distribution's package manager."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dockyard_guest.values import OsRelease, Repository, TextFile

    from .work import Step


class System(Protocol):
    """What this machine is."""

    def release(self) -> OsRelease:
        """Which distribution this is."""


class Packages(Protocol):
    """The distribution's package manager."""

    def is_available(self) -> bool:
        """Whether this machine has it."""

    def installed(self) -> frozenset[str]:
        """Names of the packages that are installed."""

    def versions(self) -> Mapping[str, str]:
        """The installed packages and their whole versions."""

    def refresh(self, *, step: Step) -> None:
        """Fetch the lists of all repositories anew; waits for locks and for the network.

        Raises:
            TemporaryError: The network or another package manager did not let go before the deadline.
            PermanentError: A repository is not signed by the key it is trusted for, or cannot be read.
        """

    def offered(self, name: str) -> tuple[str, ...]:
        """The versions of a package that the repositories had at the last `refresh`, the preferred ones first."""

    def is_newer(self, version: str, *, than: str) -> bool:
        """Whether one version of a package comes after another, in the package manager's own order."""

    def install(
        self,
        names: Sequence[str],
        *,
        if_known: Sequence[str],
        step: Step,
        versions: Mapping[str, str] | None = None,
        replaces: Sequence[str] = (),
    ) -> None:
        """Install packages, and those of `if_known` that the distribution has; waits for locks and for the network.

        Fetches the lists first unless `refresh` has done so. A package that is named in `versions` gets that version,
        be it older than the one that is there. No other packages are removed for these than those in `replaces`.

        Raises:
            TemporaryError: The network or another package manager did not let go before the deadline.
            PermanentError: The package manager refused.
        """

    def remove(self, names: Sequence[str]) -> None:
        """Remove packages and nothing besides; those that others need stay."""

    def repository_files(self, repository: Repository) -> tuple[TextFile, ...]:
        """The files that make a repository known and trusted; nothing is written."""

    def trust(self, files: Sequence[TextFile]) -> None:
        """Trust the keys among a repository's files, where files alone do not say so."""

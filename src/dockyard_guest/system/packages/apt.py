"""apt: Debian and what is made from it.

A package manager that was interrupted is repaired first. Nothing is asked on a terminal, nothing unsigned is taken, and
no package goes that was not named. Waiting for locks and the network is `attempts`' part.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError
from dockyard_guest.values import TextFile

from .attempts import INSTALL_LIMIT, UPDATE_LIMIT, Attempts, Manner
from .locks import lock_holder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dockyard_guest.ports import Clock, Commands, Files, Step
    from dockyard_guest.values import Completed, Repository

    from .locks import LockHolder

_LOCKS = (
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/apt/lists/lock",
    "/var/cache/apt/archives/lock",
)
_OPTIONS = (
    *("-o", "Acquire::Retries=2"),
    *("-o", "Acquire::http::Timeout=20"),
    *("-o", "Acquire::https::Timeout=20"),
    *("-o", "APT::Update::Error-Mode=any"),
    *("-o", "DPkg::Lock::Timeout=60"),
    *("-o", "Dpkg::Options::=--force-confdef"),
    *("-o", "Dpkg::Options::=--force-confold"),
    *("-o", "Dpkg::Use-Pty=0"),
)
_VERSION_ROW = re.compile(r" (?:\*\*\*|   ) (\S+)(?: -?\d+)?")
_SOURCE_ROW = re.compile(r" {6,}(-?\d+) (\S+)")
_STATUS = "/var/lib/dpkg/status"
_TAKEN = 500
_NEVER = -1
MANNER = Manner(
    environment={
        "DEBIAN_FRONTEND": "noninteractive",
        "NEEDRESTART_SUSPEND": "1",
        "APT_LISTCHANGES_FRONTEND": "none",
    },
    trouble=(
        re.compile(r"(Temporary failure resolving) '([^']+)'"),
        re.compile(r"(Could not resolve) '([^']+)'"),
        re.compile(r"(Could not resolve host): (\S+)"),
        re.compile(r"(Could not connect to|Unable to connect to|Cannot initiate the connection to) (\S+?)[:\s]"),
        re.compile(r"(Failed to fetch) (\S+)"),
        re.compile(r"(Could not get lock|Unable to lock directory) (\S+?)[.\s]"),
    ),
    distrust=("NO_PUBKEY", "BADSIG", "EXPKEYSIG", "REVKEYSIG", "is not signed", "signatures couldn't be verified"),
    errors=("E:", "dpkg: error"),
)


class Apt:
    """Packages by way of ``apt-get`` and ``dpkg``."""

    def __init__(
        self,
        *,
        commands: Commands,
        clock: Clock,
        files: Files,
        holder: Callable[[str], LockHolder | None] = lock_holder,
    ) -> None:
        self._commands = commands
        self._files = files
        self._holder = holder
        self._attempts = Attempts(commands=commands, clock=clock, manner=MANNER, first_holder=self._first_holder)
        self._fresh = False

    def is_available(self) -> bool:
        """Whether this machine has apt."""
        return self._commands.find("apt-get") is not None

    def versions(self) -> Mapping[str, str]:
        """The installed packages' versions, without their architecture."""
        argv = ["dpkg-query", "--show", "--showformat=${db:Status-Abbrev} ${Package} ${Version}\\n"]
        lines = self._commands.run(argv, timeout=UPDATE_LIMIT).output.splitlines()
        return {line.split()[1]: line.split()[2] for line in lines if line.startswith("ii")}

    def installed(self) -> frozenset[str]:
        """Names of the packages that are installed, without their architecture."""
        return frozenset(self.versions())

    def refresh(self, *, step: Step) -> None:
        """Fetch the lists anew; see `ports.Packages`."""
        self._repair(step=step)
        # No retries of its own: without a resolver each costs 40 seconds for each source. `attempts` tries again.
        self._persist(["update", "-o", "Acquire::Retries=0"], step=step, limit=UPDATE_LIMIT)
        self._fresh = True

    def offered(self, name: str) -> tuple[str, ...]:
        """The versions that repositories have: those apt would take by itself, then backports and such."""
        output = self._commands.run(["apt-cache", "policy", name], timeout=UPDATE_LIMIT).output
        return versions_in_table(output)

    def is_newer(self, version: str, *, than: str) -> bool:
        """Whether a version comes after another, by dpkg's order."""
        return self._commands.run(["dpkg", "--compare-versions", version, "gt", than], timeout=UPDATE_LIMIT).succeeded

    def install(
        self,
        names: Sequence[str],
        *,
        if_known: Sequence[str],
        step: Step,
        versions: Mapping[str, str] | None = None,
        replaces: Sequence[str] = (),
    ) -> None:
        """Install packages; see `ports.Packages`."""
        if not self._fresh:
            self.refresh(step=step)
        exact = versions or {}
        words = [f"{name}={exact[name]}" if name in exact else name for name in (*names, *self._known(if_known))]
        options = ["--yes", "--no-install-recommends", *(["--allow-downgrades"] if exact else [])]
        if replaces and not self._simulated(["install", *options, *words]).succeeded:
            # Left to itself, apt rather keeps what is there than what is asked for: a minus says what must go.
            installed = self.installed()
            words += [f"{name}-" for name in replaces if name in installed]
        self._check_removals([*options, *words], allowed=replaces)
        self._persist(["install", *options, *words], step=step, limit=INSTALL_LIMIT)

    def remove(self, names: Sequence[str]) -> None:
        """Remove packages and nothing besides; those that other packages need stay."""
        installed = self.installed()
        present = [name for name in names if name in installed]
        if not self._removals(["remove", *present]) <= set(present):
            present = [name for name in present if self._removals(["remove", name]) <= set(present)]
        if present:
            self._attempts.act(["apt-get", *_OPTIONS, "remove", "--yes", *present], what="apt-get remove")

    def repository_files(self, repository: Repository) -> tuple[TextFile, ...]:
        """The key, and a source in the format of sources.list(5) that trusts this key alone."""
        key = f"/etc/apt/keyrings/{repository.name}.asc"
        stanza = {
            "X-Repolib-Name": repository.title,
            "Types": "deb",
            "URIs": repository.base,
            "Suites": repository.suite,
            "Components": "stable",
            "Signed-By": key,
        }
        text = "".join(f"{name}: {value}\n" for name, value in stanza.items())
        source = f"/etc/apt/sources.list.d/{repository.name}.sources"
        return TextFile(path=key, text=repository.key), TextFile(path=source, text=text)

    def trust(self, files: Sequence[TextFile]) -> None:
        """Nothing to do: the source itself names the key it trusts."""

    def _known(self, names: Sequence[str]) -> list[str]:
        return [
            name
            for name in names
            if name in self._commands.run(["apt-cache", "pkgnames", name], timeout=UPDATE_LIMIT).output.split()
        ]

    def _repair(self, *, step: Step) -> None:
        # dpkg keeps its journal there between the start and the end of an operation; apt refuses to work until it is
        # empty. A machine that lost its power during an installation comes up like this.
        if not any(name.isdigit() for name in self._files.names("/var/lib/dpkg/updates")):
            return
        self._attempts.wait_for_locks(step=step)
        step.say("repairing the package manager, which had been interrupted")
        completed = self._attempts.stream(["dpkg", "--configure", "-a"], step=step, limit=INSTALL_LIMIT)
        if not completed.succeeded:
            raise self._attempts.refused("dpkg --configure -a", completed)

    def _persist(self, words: Sequence[str], *, step: Step, limit: float) -> None:
        self._attempts.persist(["apt-get", *_OPTIONS, *words], what=f"apt-get {words[0]}", step=step, limit=limit)

    def _first_holder(self) -> LockHolder | None:
        return next((holder for holder in map(self._holder, _LOCKS) if holder is not None), None)

    def _check_removals(self, words: Sequence[str], *, allowed: Sequence[str]) -> None:
        others = self._removals(["install", *words]) - set(allowed)
        if others:
            raise PermanentError(
                f"The engine's packages cannot be installed beside {', '.join(sorted(others))}.",
                resolution="Remove these yourself if you do not need them, then send the settings again.",
                exit_code=ExitCode.MISSING_DEPENDENCY,
            )

    def _removals(self, words: Sequence[str]) -> set[str]:
        """The packages that a command would remove; none when it cannot be carried out at all."""
        if len(words) < 2:
            return set()
        output = self._simulated(words).output
        return {line.split()[1] for line in output.splitlines() if line.startswith("Remv ")}

    def _simulated(self, words: Sequence[str]) -> Completed:
        return self._commands.run(["apt-get", "--simulate", *words], timeout=UPDATE_LIMIT)


def versions_in_table(policy: str) -> tuple[str, ...]:
    """The versions in an answer of ``apt-cache policy`` that some repository has, by descending priority.

    The table is sorted by version, newest first; the installed version is in it, even if no repository has it any more.
    """
    found: dict[str, int] = {}
    version = ""
    for line in policy.splitlines():
        row = _VERSION_ROW.fullmatch(line)
        source = _SOURCE_ROW.match(line)
        if row:
            version = row.group(1)
        elif source and version and source.group(2) != _STATUS:
            found[version] = max(found.get(version, _NEVER), int(source.group(1)))
    taken = [name for name, priority in found.items() if priority >= _TAKEN]
    others = [name for name, priority in found.items() if 0 < priority < _TAKEN]
    return (*taken, *others)

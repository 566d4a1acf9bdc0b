"""The machine that exists in a folder: what its doors share while one command runs.

Files are real; `doors` and `engine` play everything else. Made anew for each command by `kit`. A door that a test has
not opened fails the test: undeclared effects are errors.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard_guest.values import CertificateFacts, Listener, OsRelease, ScriptOrder

from .containers import Containers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dockyard_guest.errors import GuestError

    from .access import Access
    from .programs import PlayedDisk

OFFERS = {
    "docker.io": ("26.1.5+dfsg1-9",),
    "docker-compose": ("2.26.1-4",),
    "docker-ce": ("5:28.2.0-1~debian.13~trixie", "5:28.1.1-1~debian.13~trixie", "5:27.5.1-1~debian.13~trixie"),
    "docker-ce-cli": ("5:28.2.0-1~debian.13~trixie", "5:28.1.1-1~debian.13~trixie", "5:27.5.1-1~debian.13~trixie"),
}


class Killed(BaseException):
    """The process has been killed: nothing it would still have done happens."""


@dataclass(frozen=True)
class Played:
    """How a script goes: what it writes when, and when and how it ends; without an end it runs on."""

    writes: tuple[tuple[float, str, str], ...] = ()
    ends: float | None = 0.0
    code: int = 0


@dataclass
class World:
    """What the doors share while one command runs; `kit` fills it from a state and reads it back."""

    root: Path
    arrivals: dict[float, Callable[[], None]] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    packages: set[str] = field(default_factory=set)
    active: set[str] = field(default_factory=set)
    enabled: set[str] = field(default_factory=set)
    running: Running | None = None
    listeners: dict[int, Listener] = field(default_factory=dict)
    certificate: CertificateFacts | None = None
    network: bool = True
    systemd: bool = True
    validates: bool = True
    serves_anybody: bool = False
    release: OsRelease = field(
        default_factory=lambda: OsRelease(id="debian", pretty_name="Debian GNU/Linux 13", codename="trixie")
    )
    versions: dict[str, str] = field(default_factory=dict)
    offers: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: OFFERS)
    downloads: Mapping[str, bytes] = field(default_factory=dict)
    broken_versions: tuple[str, ...] = ()
    docker_is_known: bool = False
    security: tuple[str, ...] = ("name=apparmor", "name=seccomp,profile=builtin")
    refused_words: tuple[str, ...] = ()
    containers: int = 0
    now: float = 0.0
    firewall: bool = True
    guarded: tuple[str, ...] = ()
    tightened: set[str] = field(default_factory=set)
    programs: frozenset[str] = frozenset()
    disks: dict[str, PlayedDisk] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    tells_reload: bool = True
    reloaded: bool = False
    dies_at: int = 0
    effects: int = 0
    containers_of: Containers = field(default_factory=Containers)
    played: Played = field(default_factory=Played)
    users: Mapping[str, int] = field(default_factory=dict)
    orders: list[ScriptOrder] = field(default_factory=list)
    access: Access | None = None
    masked: set[str] = field(default_factory=set)
    fetched: Mapping[str, list[bytes | GuestError]] = field(default_factory=dict)

    def effect(self) -> None:
        """Note that something in the machine changes now; before the one it is told, the process dies for good."""
        self.effects += 1
        if 0 < self.dies_at <= self.effects:
            raise Killed

    @property
    def engine(self) -> str:
        """Version of the engine's package."""
        names = [name for name in ("docker.io", "docker-ce") if name in self.packages]
        return self.versions.get(names[0], OFFERS[names[0]][0]) if names else OFFERS["docker.io"][0]

    @property
    def live_restore(self) -> bool:
        """Whether the running engine leaves its containers running when it stops."""
        return self.running is not None and self.running.config.get("live-restore") is True

    def path(self, path: str) -> str:
        return f"{self.root}{path}"

    def text(self, path: str) -> str | None:
        file = Path(self.path(path))
        return file.read_text() if file.is_file() else None


@dataclass(frozen=True)
class Running:
    """The engine as it was started: it does not notice later changes of its files."""

    arguments: tuple[str, ...]
    config: Mapping[str, object]
    pid: int = 700

    @property
    def port(self) -> int | None:
        remote = [word for word in self.arguments if word.startswith("tcp://0.0.0.0:")]
        return int(remote[-1].rpartition(":")[2]) if remote else None

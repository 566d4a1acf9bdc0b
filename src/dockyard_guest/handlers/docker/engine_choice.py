"""Which engine: the packages that make one in each family of distributions, versions, and why one must be exchanged.

Pure; `engine` acts on what is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard_guest.values import Family

from .settings_engine import Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .engine_record import EngineRecord
    from .settings_engine import EngineSettings


@dataclass(frozen=True)
class Flavour:
    """The packages of one engine.

    Attributes:
        source: Who they are from.
        engine: The package with the daemon; its version is the engine's.
        companions: Packages that have the engine's version too, where there are such.
        others: What must come along: dockerd needs AppArmor's programs to confine containers, and only recommends them.
        if_known: What should come along where the distribution has it; registries need the authorities.
        parts: What else belongs to this engine and goes when another engine comes.
    """

    source: Source
    engine: str
    companions: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    if_known: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()

    @property
    def all_parts(self) -> tuple[str, ...]:
        """Every package that is this engine's own."""
        return (self.engine, *self.companions, *self.parts)


_PLUGINS = ("docker-buildx-plugin", "docker-compose-plugin")
_DOCKER_PARTS = ("containerd.io", "docker-ce-rootless-extras", *_PLUGINS)
_DISTRO_PARTS = ("containerd", "runc", "docker-buildx", "docker-compose", "docker-rootless-extras")
_FLAVOURS = {
    Family.DEBIAN: (
        Flavour(
            source=Source.DISTRO,
            engine="docker.io",
            companions=("docker-cli",),
            others=("apparmor",),
            if_known=("ca-certificates",),
            parts=(*_DISTRO_PARTS, "tini"),
        ),
        Flavour(
            source=Source.DOCKER,
            engine="docker-ce",
            companions=("docker-ce-cli",),
            others=("containerd.io", "apparmor"),
            if_known=("ca-certificates", *_PLUGINS),
            parts=_DOCKER_PARTS,
        ),
    ),
    Family.RED_HAT: (
        Flavour(source=Source.DISTRO, engine="moby-engine", companions=("docker-cli", "moby-cli"), parts=_DISTRO_PARTS),
        Flavour(source=Source.DISTRO, engine="docker", parts=_DISTRO_PARTS),
        Flavour(
            source=Source.DOCKER,
            engine="docker-ce",
            companions=("docker-ce-cli",),
            others=("containerd.io",),
            if_known=_PLUGINS,
            parts=_DOCKER_PARTS,
        ),
    ),
    Family.SUSE: (
        Flavour(source=Source.DISTRO, engine="docker", if_known=("ca-certificates",), parts=_DISTRO_PARTS),
        Flavour(
            source=Source.DOCKER,
            engine="docker-ce",
            companions=("docker-ce-cli",),
            others=("containerd.io",),
            if_known=_PLUGINS,
            parts=_DOCKER_PARTS,
        ),
    ),
}


@dataclass(frozen=True)
class Present:
    """The engine that is there.

    Attributes:
        program: Whether there is a daemon at all.
        flavour: Whose packages it is of; ``None`` when it is of none that are known.
        version: Version of its package.
    """

    program: bool
    flavour: Flavour | None = None
    version: str = ""

    def __str__(self) -> str:
        return f"{self.flavour.engine} {plain(self.version)}" if self.flavour else "an engine of no known package"


def flavours_of(family: Family | None, *, source: Source) -> tuple[Flavour, ...]:
    """The engines a family of distributions can have, those of the distribution first; for ``AUTO`` of all sources."""
    known = () if family is None else _FLAVOURS[family]
    return tuple(flavour for flavour in known if source in (Source.AUTO, flavour.source))


def present_engine(family: Family | None, *, program: bool, versions: Mapping[str, str]) -> Present:
    """Which engine is there, from whether there is a daemon and from the installed packages."""
    for flavour in flavours_of(family, source=Source.AUTO) if program else ():
        if flavour.engine in versions:
            return Present(program=program, flavour=flavour, version=versions[flavour.engine])
    return Present(program=program)


def why_change(wanted: EngineSettings, *, present: Present, record: EngineRecord, number: int) -> str:
    """Why packages must be looked at; empty when the engine that is there is the one that is wanted."""
    if not present.program:
        return "there is no engine"
    if record.previous is not None:
        return "an exchange of the engine was interrupted"
    found = present.flavour
    if wanted.source is not Source.AUTO and (found is None or found.source is not wanted.source):
        return f"{present} is there, and {wanted.source.value} is wanted"
    if wanted.pin and not matches(wanted.pin, present.version):
        return f"{present} is there, and {wanted.pin} is wanted"
    if wanted.newest and record.newest_for != number:
        return "a newer version may be had"
    return ""


def matches(pin: str, version: str) -> bool:
    """Whether a version begins with a pin, and goes on with another number or word: 28.1 is not 28.10.

    The epoch, which only package managers know, may be left out of the pin.
    """
    return any(_begins(candidate, pin) for candidate in (version, plain(version)))


def best(pin: str, offered: Sequence[str]) -> str:
    """The preferred version that matches a pin, of versions in the order of preference; empty when none does."""
    return next((version for version in offered if matches(pin, version)), "")


def twin(version: str, offered: Sequence[str]) -> str:
    """The version of a companion that goes with the engine's: the same but for the epoch; empty when there is none."""
    return next((candidate for candidate in offered if plain(candidate) == plain(version)), "")


def plain(version: str) -> str:
    """A version without its epoch."""
    epoch, colon, rest = version.partition(":")
    return rest if colon and epoch.isdigit() else version


def _begins(version: str, pin: str) -> bool:
    return version.startswith(pin) and not version[len(pin) : len(pin) + 1].isalnum()

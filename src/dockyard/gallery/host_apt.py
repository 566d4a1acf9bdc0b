"""How this computer reaches the distribution's archive: its mirror and its proxy, read once into a value.

Called by ``build``; ``processes`` runs the one program asked. Parsing is pure. Only Debian hosts have a mirror that is
of use: everyone else is given the default.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

DEFAULT_ARCHIVE = "http://deb.debian.org/debian"
DEFAULT_SECURITY = "http://deb.debian.org/debian-security"

_ARCHIVE_SUFFIX = "/debian"
_UNSUITABLE = ("archive.debian.org", "snapshot.debian.org")  # they hold no present release, or only the past
_PROXY = re.compile(r'^Acquire::(http|https)::Proxy "([^"]*)";$', re.MULTILINE)
_ONE_LINE = re.compile(r"^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Archive:
    """Where packages come from: URLs of the archive and of its security updates, without a final slash."""

    main: str = DEFAULT_ARCHIVE
    security: str = DEFAULT_SECURITY

    @classmethod
    def at(cls, mirror: str) -> Archive:
        """Return a mirror the user named; its security updates are looked for beside it when it ends in ``/debian``."""
        main = mirror.rstrip("/")
        if main.endswith(_ARCHIVE_SUFFIX):
            return cls(main, f"{main}-security")
        return cls(main)

    @property
    def for_guests(self) -> Archive:
        """What a machine's own package manager is told: nothing secret, nothing that is only this computer."""
        return self if _is_public(self.main) and _is_public(self.security) else Archive()


@dataclass(frozen=True)
class Source:
    """A package source: URL and suite."""

    url: str
    suite: str


@dataclass(frozen=True)
class HostApt:
    """What a build takes over from this computer: its archive, and proxies by scheme. A proxy's URL may be secret."""

    archive: Archive
    proxies: Mapping[str, str]


def parse_proxies(dump: str) -> dict[str, str]:
    """Read the output of ``apt-config dump``; ``DIRECT`` and empty values are none."""
    return {scheme: url for scheme, url in _PROXY.findall(dump) if url and url != "DIRECT"}


def parse_one_line(text: str) -> list[Source]:
    """Read a ``sources.list`` (sources.list(5), one-line style); comments and source packages are left out."""
    return [Source(url.rstrip("/"), suite) for url, suite in _ONE_LINE.findall(text)]


def parse_deb822(text: str) -> list[Source]:
    """Read a ``.sources`` file (sources.list(5), deb822 style); disabled stanzas are left out."""
    found: list[Source] = []
    for stanza in re.split(r"\n\s*\n", text):
        fields = _fields(stanza)
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes").casefold() not in ("no", "false"):
            found += [
                Source(url.rstrip("/"), suite)
                for url in fields.get("uris", "").split()
                for suite in fields.get("suites", "").split()
            ]
    return found


def choose_archive(sources: Iterable[Source], *, is_debian: bool) -> Archive:
    """Return the host's own mirror when it can serve for every release of Debian, else the default."""
    usable = [source for source in sources if is_debian and _is_usable(source.url)]
    main = (source.url for source in usable if source.url.endswith(_ARCHIVE_SUFFIX))
    security = (source.url for source in usable if source.suite.endswith("-security"))
    return Archive(next(main, DEFAULT_ARCHIVE), next(security, DEFAULT_SECURITY))


def read_archive(etc: Path = Path("/etc")) -> Archive:
    """Read this computer's package sources."""
    return choose_archive(_sources(etc / "apt"), is_debian=_is_debian(etc / "os-release"))


def _sources(folder: Path) -> Iterator[Source]:
    for path in [folder / "sources.list", *sorted(folder.glob("sources.list.d/*"))]:
        if path.is_file() and path.suffix == ".sources":
            yield from parse_deb822(path.read_text("utf-8", errors="replace"))
        elif path.is_file() and path.suffix == ".list":
            yield from parse_one_line(path.read_text("utf-8", errors="replace"))


def _is_debian(os_release: Path) -> bool:
    return os_release.is_file() and bool(re.search(r"^ID=\"?debian\"?$", os_release.read_text("utf-8"), re.MULTILINE))


def _is_usable(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and parts.hostname not in _UNSUITABLE


def _is_public(url: str) -> bool:
    parts = urlsplit(url)
    return parts.username is None and parts.hostname not in (None, "localhost", "127.0.0.1", "::1")


def _fields(stanza: str) -> dict[str, str]:
    """Read one stanza; a line that begins with a blank continues the field before it."""
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1].isspace():
            fields[name] = f"{fields.get(name, '')} {line.strip()}"
        elif ":" in line:
            name, _, value = line.partition(":")
            name = name.strip().casefold()
            fields[name] = value.strip()
    return fields

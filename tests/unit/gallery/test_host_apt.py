"""The host's mirror is taken over when it can serve any release of Debian, and its proxy always."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockyard.gallery.host_apt import (
    DEFAULT_ARCHIVE,
    DEFAULT_SECURITY,
    Archive,
    Source,
    choose_archive,
    parse_deb822,
    parse_one_line,
    parse_proxies,
    read_archive,
)

MIRROR = "http://mirror.example/debian"


def test_proxies_are_read_by_scheme() -> None:
    dump = (
        'Acquire::http::Proxy "http://proxy.example:3142/";\nAcquire::https::Proxy "DIRECT";\n'
        'Acquire::http::Proxy::deb.debian.org "DIRECT";\nAcquire::http::Timeout "3";\n'
    )
    assert parse_proxies(dump) == {"http": "http://proxy.example:3142/"}


@pytest.mark.parametrize("dump", ["", 'Acquire::http::Proxy "";\n', 'Acquire::http "";\n'])
def test_no_proxy_is_none(dump: str) -> None:
    assert parse_proxies(dump) == {}


def test_one_line_sources_are_read_without_options_and_comments() -> None:
    text = (
        "# deb http://commented.example/debian trixie main\n"
        f"deb [arch=amd64 signed-by=/x.gpg] {MIRROR}/ bookworm main contrib\n"
        "deb-src http://source.example/debian bookworm main\n"
        "  deb http://security.example/debian-security bookworm-security main\n"
    )
    assert parse_one_line(text) == [
        Source(MIRROR, "bookworm"),
        Source("http://security.example/debian-security", "bookworm-security"),
    ]


def test_deb822_stanzas_give_every_pair_of_url_and_suite() -> None:
    text = (
        f"Types: deb deb-src\n# a comment\nURIs: {MIRROR}\n http://other.example/debian/\n"
        "Suites: bookworm bookworm-updates\nComponents: main\n"
    )
    assert [(source.url, source.suite) for source in parse_deb822(text)] == [
        (MIRROR, "bookworm"),
        (MIRROR, "bookworm-updates"),
        ("http://other.example/debian", "bookworm"),
        ("http://other.example/debian", "bookworm-updates"),
    ]


@pytest.mark.parametrize("line", ["Enabled: no", "Enabled: FALSE"])
def test_disabled_stanzas_are_left_out(line: str) -> None:
    disabled = f"Types: deb\nURIs: {MIRROR}\nSuites: trixie\n{line}\n"
    text = f"{disabled}\nTypes: deb\nURIs: http://b.example/debian\nSuites: sid\n"
    assert parse_deb822(text) == [Source("http://b.example/debian", "sid")]


def test_source_stanzas_are_left_out() -> None:
    assert parse_deb822(f"Types: deb-src\nURIs: {MIRROR}\nSuites: trixie\n") == []


def test_a_debian_hosts_mirror_is_used() -> None:
    sources = [Source("https://packages.example/tool", "stable"), Source(MIRROR, "bookworm")]
    assert choose_archive(sources, is_debian=True) == Archive(MIRROR, DEFAULT_SECURITY)


def test_a_debian_hosts_security_mirror_is_used() -> None:
    sources = [Source("http://mirror.example/debian-security", "bookworm-security")]
    assert choose_archive(sources, is_debian=True) == Archive(DEFAULT_ARCHIVE, "http://mirror.example/debian-security")


@pytest.mark.parametrize(
    "url",
    [
        "http://archive.debian.org/debian",
        "http://snapshot.debian.org/archive/debian",
        "file:/srv/debian",
        "cdrom:[Debian]/debian",
        "mirror+file:/etc/apt/mirrors/debian",
    ],
)
def test_sources_that_lack_present_releases_are_not_used(url: str) -> None:
    assert choose_archive([Source(url, "buster")], is_debian=True) == Archive()


def test_another_distributions_sources_are_not_used() -> None:
    assert choose_archive([Source(MIRROR, "noble")], is_debian=False) == Archive()


def test_a_named_mirror_brings_its_security_updates() -> None:
    assert Archive.at(f"{MIRROR}/") == Archive(MIRROR, f"{MIRROR}-security")
    assert Archive.at("http://mirror.example/all") == Archive("http://mirror.example/all", DEFAULT_SECURITY)


@pytest.mark.parametrize(
    "mirror", ["http://user:secret@mirror.example/debian", "http://localhost:3142/debian", "http://127.0.0.1/debian"]
)
def test_machines_are_not_told_secrets_or_this_computers_own_address(mirror: str) -> None:
    assert Archive.at(mirror).for_guests == Archive()


def test_machines_are_told_a_public_mirror() -> None:
    assert Archive.at(MIRROR).for_guests == Archive.at(MIRROR)


def test_the_hosts_files_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "apt" / "sources.list.d"
    folder.mkdir(parents=True)
    (tmp_path / "os-release").write_text('NAME="Debian GNU/Linux"\nID=debian\n')
    (folder / "ignored.txt").write_text("deb http://ignored.example/debian trixie main\n")
    (folder / "debian.sources").write_text(f"Types: deb\nURIs: {MIRROR}\nSuites: trixie\n")
    assert read_archive(tmp_path).main == MIRROR
    (tmp_path / "os-release").write_text("ID=ubuntu\nID_LIKE=debian\n")
    assert read_archive(tmp_path) == Archive()

"""Which package a version asks for: newest minor with auto-upgrade, the newest fix of what was written without."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockyard.gallery.packages import PackageGallery
from dockyard.gallery.published import PublishedPackages
from dockyard.model.errors import NotFound
from dockyard.model.extension import ExtensionPackage

VERSIONS = ("1.0.0", "1.2.0", "1.2.3", "1.2.3.1", "1.10.0", "2.0", "3.0.0.5")


@pytest.fixture
def gallery(tmp_path: Path) -> PackageGallery:
    packages = [ExtensionPackage("Contoso", "Agent", version, Path("/nowhere"), "") for version in VERSIONS]
    return PackageGallery(packages, published=PublishedPackages(tmp_path))


@pytest.mark.parametrize(
    ("asked", "newest_minor", "exact"),
    [
        ("1.0", "1.10.0", "1.0.0"),
        ("1.2", "1.10.0", "1.2.3.1"),
        ("1.2.3", "1.10.0", "1.2.3.1"),
        ("1.2.0", "1.10.0", "1.2.0"),
        ("1.2.3.0", "1.10.0", "1.2.3"),
        ("1.5", "1.10.0", None),
        ("1.2.4", "1.10.0", None),
        ("1.11", None, None),
        ("2.0.0", "2.0", "2.0"),
        ("3.0", "3.0.0.5", "3.0.0.5"),
        ("4.0", None, None),
        ("1", "1.10.0", "1.0.0"),
    ],
)
def test_a_version_admits(gallery: PackageGallery, asked: str, newest_minor: str | None, exact: str | None) -> None:
    for auto, expected in ((True, newest_minor), (False, exact)):
        if expected is None:
            with pytest.raises(NotFound):
                gallery.resolve(publisher="contoso", type="AGENT", version=asked, auto_upgrade_minor_version=auto)
        else:
            found = gallery.resolve(publisher="contoso", type="AGENT", version=asked, auto_upgrade_minor_version=auto)
            assert found.version == expected


@pytest.mark.parametrize("asked", ["", "one", "1.x", "1..2", "-1.0", "1.2.3.4.5", "9" * 5000, "\u0661.0", "1.0\n"])
def test_what_is_no_version_is_told(gallery: PackageGallery, asked: str) -> None:
    with pytest.raises(NotFound, match="is not a version"):
        gallery.resolve(publisher="Contoso", type="Agent", version=asked, auto_upgrade_minor_version=True)

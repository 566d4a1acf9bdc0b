"""The gallery's own packages: their names, and which of them take several configurations."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockyard.gallery.packages import PackageGallery


def test_the_manifest_tells_which_handlers_take_several_configurations(tmp_path: Path) -> None:
    found = {package.handler_name: package.takes_several for package in PackageGallery.open(folder=tmp_path).list()}
    assert found["Microsoft.CPlat.Core.RunCommandHandlerLinux"]
    assert not found["Microsoft.Azure.Extensions.CustomScript"]
    assert not found["Microsoft.Azure.Extensions.DockerExtension"]


@pytest.mark.parametrize(("asked", "upgrades"), [("1.5", True), ("1.6", True), ("1.6", False)])
def test_azures_own_tools_find_the_extension_for_access(tmp_path: Path, asked: str, upgrades: bool) -> None:
    found = PackageGallery.open(folder=tmp_path).resolve(
        publisher="Microsoft.OSTCExtensions",
        type="VMAccessForLinux",
        version=asked,
        auto_upgrade_minor_version=upgrades,
    )
    assert found.version == "1.6.0"

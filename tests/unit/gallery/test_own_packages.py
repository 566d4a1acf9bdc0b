"""The gallery's own packages: their names, and which of them take several configurations."""

from __future__ import annotations

from pathlib import Path

from dockyard.gallery.packages import PackageGallery


def test_the_manifest_tells_which_handlers_take_several_configurations(tmp_path: Path) -> None:
    found = {package.handler_name: package.takes_several for package in PackageGallery.open(folder=tmp_path).list()}
    assert found["Microsoft.CPlat.Core.RunCommandHandlerLinux"]
    assert not found["Microsoft.Azure.Extensions.CustomScript"]
    assert not found["Microsoft.Azure.Extensions.DockerExtension"]

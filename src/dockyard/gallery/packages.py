"""Extension packages by publisher, type and version. Implements ``fabric.ports.PackageStore``.

The handlers of this project are packaged from their installed sources when the gallery opens; archives are kept by
content, so that a machine never downloads half of one version and half of another.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dockyard.gallery.archive import handler_archive
from dockyard.model.errors import NotFound
from dockyard.model.extension import ExtensionPackage
from dockyard_contract.manifest import parse_manifest


@dataclass(frozen=True)
class OwnHandler:
    """A handler of this project: its room below ``dockyard_guest.handlers`` and Azure's name for it."""

    room: str
    publisher: str
    type: str
    version: str


OWN_HANDLERS = (
    OwnHandler("docker", "Microsoft.Azure.Extensions", "DockerExtension", "1.3.0"),
    OwnHandler("custom_script", "Microsoft.Azure.Extensions", "CustomScript", "2.1.0"),
    OwnHandler("run_command", "Microsoft.CPlat.Core", "RunCommandHandlerLinux", "1.3.0"),
    OwnHandler("vmaccess", "Microsoft.OSTCExtensions", "VMAccessForLinux", "1.6.0"),
)


class PackageGallery:
    """Packages in one folder; open with ``PackageGallery.open``."""

    def __init__(self, packages: Sequence[ExtensionPackage]) -> None:
        self._packages = tuple(packages)

    @classmethod
    def open(cls, *, folder: Path) -> PackageGallery:
        """Package our own handlers and take the result into ``folder``."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls([_packaged(handler, folder=folder) for handler in OWN_HANDLERS])

    def resolve(self, *, publisher: str, type: str, version: str, auto_upgrade_minor_version: bool) -> ExtensionPackage:
        """Return the newest package ``version`` admits: any later minor with auto-upgrade, else a later patch.

        Raises:
            NotFound: (code VMExtensionImageNotFound) no such publisher, type or version.
        """
        wanted = _numbers(version)
        named = [package for package in self._packages if _is_named(package, publisher=publisher, type=type)]
        held = 1 if auto_upgrade_minor_version else 2
        fitting = [
            package
            for package in named
            if _numbers(package.version)[:held] == wanted[:held] and _numbers(package.version) >= wanted
        ]
        if not fitting:
            raise _unknown(f"{publisher}.{type}", version=version, known=named or self._packages)
        return max(fitting, key=lambda package: _numbers(package.version))

    def get(self, *, handler_name: str, version: str) -> ExtensionPackage:
        """Return one exact version. Raises NotFound (code VMExtensionImageNotFound)."""
        for package in self._packages:
            if package.handler_name.lower() == handler_name.lower() and package.version == version:
                return package
        raise _unknown(handler_name, version=version, known=self._packages)

    def list(self) -> Sequence[ExtensionPackage]:
        """Return all packages."""
        return self._packages


def _packaged(handler: OwnHandler, *, folder: Path) -> ExtensionPackage:
    archive = handler_archive(handler=handler.room)
    digest = hashlib.sha256(archive).hexdigest()
    path = folder / f"{handler.publisher}.{handler.type}-{handler.version}-{digest[:12]}.zip"
    if not path.exists():
        temporary = path.with_suffix(".new")
        temporary.write_bytes(archive)
        temporary.replace(path)
    return ExtensionPackage(
        handler.publisher, handler.type, handler.version, path, digest, takes_several=takes_several(archive)
    )


def takes_several(archive: bytes) -> bool:
    """Return whether a package's manifest says that its handler takes several named configurations."""
    with zipfile.ZipFile(io.BytesIO(archive)) as package:
        return parse_manifest(package.read("HandlerManifest.json")).supports_multiple_extensions


def _is_named(package: ExtensionPackage, *, publisher: str, type: str) -> bool:
    return (package.publisher.lower(), package.type.lower()) == (publisher.lower(), type.lower())


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split(".")
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise NotFound(
            f"'{json.dumps(version)[1:-1]}' is not a version",
            resolution="Write a handler's version as major.minor, for example 1.0.",
            code="VMExtensionImageNotFound",
        )
    return tuple(int(part) for part in (*parts, "0", "0")[: max(3, len(parts))])


def _unknown(name: str, *, version: str, known: Sequence[ExtensionPackage]) -> NotFound:
    listed = ", ".join(f"{package.handler_name} {package.version}" for package in known)
    return NotFound(
        f"The extension {name} has no version that fits {version}",
        details=f"There is: {listed}." if listed else "",
        resolution="Ask for one of these, with autoUpgradeMinorVersion to take a later minor version.",
        code="VMExtensionImageNotFound",
    )

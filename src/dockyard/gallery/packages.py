"""Extension packages by publisher, type and version. Implements ``fabric.ports.PackageStore``.

The handlers of this project are packaged from their installed sources when the gallery opens; archives are kept by
content, so that a machine never downloads half of one version and half of another. What users publish is beside them.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dockyard.gallery.archive import handler_archive
from dockyard.gallery.published import PublishedPackages
from dockyard.model.errors import Conflict, NotFound
from dockyard.model.extension import ExtensionPackage
from dockyard.model.package_name import PARTS, PackageName, version_numbers
from dockyard_contract.package import parse_package


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
)


class PackageGallery:
    """Packages in one folder; open with ``PackageGallery.open``."""

    def __init__(self, packages: Sequence[ExtensionPackage], *, published: PublishedPackages) -> None:
        self._published = published
        self._packages = [*packages, *published.load()]

    @classmethod
    def open(cls, *, folder: Path) -> PackageGallery:
        """Package our own handlers and take the result into ``folder``, beside what was published earlier."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        own = [_packaged(handler, folder=folder) for handler in OWN_HANDLERS]
        return cls(own, published=PublishedPackages(folder / "published"))

    def resolve(self, *, publisher: str, type: str, version: str, auto_upgrade_minor_version: bool) -> ExtensionPackage:
        """Return the newest package ``version`` admits.

        With auto-upgrade that is the newest of the major version, and none older than asked for. Without it every
        number that was given holds, and the newest fix below them is taken: 1.2 admits 1.2.9 and never 1.3.0, 1.2.3
        admits 1.2.3.1 and never 1.2.4.

        Raises:
            NotFound: (code VMExtensionImageNotFound) no such publisher, type or version.
        """
        wanted = _numbers(version)
        named = [package for package in self._packages if _is_named(package, publisher=publisher, type=type)]
        held = 1 if auto_upgrade_minor_version else max(2, version.count(".") + 1)
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
        """Return all packages: our own, then the published ones."""
        return tuple(self._packages)

    async def add(self, *, name: PackageName, content: AsyncIterator[bytes]) -> tuple[ExtensionPackage, bool]:
        """Publish what ``content`` yields; false when this very package is there already.

        Raises:
            MalformedDocument: it is no sound archive of a handler that the agent could run.
            InvalidRequest: (code RequestContentTooLarge) it is too large.
            Conflict: another package has this name and version, or the name parted in another way.
            Exhausted: the disk is full.
        """
        with self._published.receive() as received:
            await received.take(content)
            # Nothing below waits: two that bring the same version at once cannot both pass.
            known = [each for each in self._packages if each.handler_name.lower() == name.handler_name.lower()]
            for package in known:
                _check_same_parts(package, name)
                if _numbers(package.version) == _numbers(name.version):
                    _check_same_content(package, sha256=received.sha256)
                    return package, False
            kept = self._published.keep(received, name=_spelled(name, known))
        self._packages.append(kept)
        return kept, True

    def remove(self, *, package: ExtensionPackage) -> None:
        """Take a published package back. Raises Conflict for one of our own."""
        if package.published_at is None:
            raise Conflict(
                f"The extension {package.handler_name} {package.version} is a part of Dockyard",
                resolution="Only published extensions can be taken back.",
                code="OperationNotAllowed",
            )
        self._packages.remove(package)
        self._published.remove(package)


def _packaged(handler: OwnHandler, *, folder: Path) -> ExtensionPackage:
    archive = handler_archive(handler=handler.room)
    digest = hashlib.sha256(archive).hexdigest()
    path = folder / f"{handler.publisher}.{handler.type}-{handler.version}-{digest[:12]}.zip"
    if not path.exists():
        temporary = path.with_suffix(".new")
        temporary.write_bytes(archive)
        temporary.replace(path)
    return ExtensionPackage(
        handler.publisher,
        handler.type,
        handler.version,
        path,
        digest,
        takes_several=takes_several(archive),
        size_bytes=len(archive),
    )


def takes_several(archive: bytes) -> bool:
    """Return whether a package's manifest says that its handler takes several named configurations."""
    return parse_package(io.BytesIO(archive)).manifest.supports_multiple_extensions


def _spelled(name: PackageName, known: Sequence[ExtensionPackage]) -> PackageName:
    """Return the name in the letters of the versions there are."""
    if not known:
        return name
    return PackageName(publisher=known[0].publisher, type=known[0].type, version=name.version)


def _check_same_parts(package: ExtensionPackage, name: PackageName) -> None:
    if not _is_named(package, publisher=name.publisher, type=name.type):
        raise Conflict(
            f"The handler {name.handler_name} is there already, as type {package.type} of {package.publisher}",
            resolution="The agent cannot tell the two apart: choose another name, or publish it as that one.",
        )


def _check_same_content(package: ExtensionPackage, *, sha256: str) -> None:
    if package.sha256 != sha256:
        raise Conflict(
            f"The extension {package.handler_name} {package.version} is there already, with other content",
            details=f"Its SHA-256 is {package.sha256}, that of the new one {sha256}.",
            resolution="A version never changes: raise the version, or take the old package back first.",
            code="PackageExists",
        )


def _is_named(package: ExtensionPackage, *, publisher: str, type: str) -> bool:
    return (package.publisher.lower(), package.type.lower()) == (publisher.lower(), type.lower())


def _numbers(version: str) -> tuple[int, ...]:
    try:
        return version_numbers(version)
    except ValueError:
        raise NotFound(
            f"'{json.dumps(version[:80])[1:-1]}' is not a version",
            resolution=f"Write a handler's version as major.minor, for example 1.0, or as up to {PARTS} numbers.",
            code="VMExtensionImageNotFound",
        ) from None


def _unknown(name: str, *, version: str, known: Sequence[ExtensionPackage]) -> NotFound:
    listed = ", ".join(f"{package.handler_name} {package.version}" for package in known)
    return NotFound(
        f"The extension {name} has no version that fits {version}",
        details=f"There is: {listed}." if listed else "",
        resolution="Ask for one of these, with autoUpgradeMinorVersion to take a later minor version.",
        code="VMExtensionImageNotFound",
    )

"""A handler's package: the zip file that the agent fetches and unpacks as root into the handler's folder.

What WALinuxAgent 2.12 makes of it: the manifest is looked for anywhere in the tree, the one in the root first; every
file becomes executable by its owner; a command is a path inside the package followed by arguments. Some publishers put
a ``manifest.xml`` beside it, the description by which a package was handed in to Azure: it names publisher, type and
version. Read by the gallery, by ``extension publish`` and by ``extension test``.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from .documents import parse_xml
from .environment import Command
from .errors import MalformedDocument
from .manifest import HandlerManifest, parse_manifest
from .zip_archive import LIMITS, ArchiveLimits, open_archive

if TYPE_CHECKING:
    from .zip_archive import Archive

MANIFEST = "HandlerManifest.json"
IMAGE = "manifest.xml"
_IMAGE_ROOT = "ExtensionImage"


@dataclass(frozen=True)
class ImageName:
    """What ``manifest.xml`` calls the package; empty where it says nothing."""

    publisher: str
    type: str
    version: str


@dataclass(frozen=True)
class HandlerPackage:
    """One package.

    Attributes:
        manifest: Its handler manifest.
        files: The paths of its files.
        image: What its ``manifest.xml`` calls it, when it has one.
    """

    manifest: HandlerManifest
    files: frozenset[str]
    image: ImageName | None = None

    @property
    def missing_commands(self) -> tuple[str, ...]:
        """The manifest's keys of the commands that it does not name."""
        return tuple(command.manifest_key for command in Command if command not in self.manifest.commands)

    @property
    def missing_programs(self) -> tuple[str, ...]:
        """The manifest's commands whose program is not a file of the package."""
        return tuple(text for text in self.manifest.commands.values() if _program(text) not in self.files)


def parse_package(file: BinaryIO, *, document: str = "package", limits: ArchiveLimits = LIMITS) -> HandlerPackage:
    """Read a package; nothing is unpacked.

    Raises:
        MalformedDocument: The archive is unsound (`zip_archive`), has no manifest, or one that is wrong.
    """
    archive = open_archive(file, document=document, limits=limits)
    # A copy of the name in other letters is no manifest to the agent.
    found = sorted((name for name in archive.files if posixpath.basename(name) == MANIFEST), key=_depth)
    if not found:
        raise MalformedDocument(document=document, member=MANIFEST, expected="this file", found="none")
    manifest = parse_manifest(archive.read(found[0]), document=f"{document}: {found[0]}")
    return HandlerPackage(manifest=manifest, files=archive.files, image=_image(archive))


def check_commands(package: HandlerPackage, *, document: str = "package") -> None:
    """Raise MalformedDocument unless the agent could run every command, in any turn of the handler's life."""
    if package.missing_commands:
        raise MalformedDocument(
            document=document,
            member=MANIFEST,
            expected="all of the agent's commands",
            found=f"no {', '.join(package.missing_commands)}",
        )
    if package.missing_programs:
        raise MalformedDocument(
            document=document,
            member=MANIFEST,
            expected="commands that begin with the path of a file in the package",
            found=", ".join(ascii(text[:80]) for text in package.missing_programs),
        )


def _depth(name: str) -> tuple[int, str]:
    return name.count("/"), name


def _program(command: str) -> str:
    return posixpath.normpath(command.lstrip("/").partition(" ")[0])


def _image(archive: Archive) -> ImageName | None:
    if IMAGE not in archive.files:
        return None
    text = archive.read(IMAGE).replace(b' xmlns="http://schemas.microsoft.com/windowsazure"', b"")
    try:
        root = parse_xml(text, document=IMAGE, root=_IMAGE_ROOT)
        names = [root.optional_child(name) for name in ("ProviderNameSpace", "Type", "Version")]
    except MalformedDocument:
        return None  # another file that happens to have this name
    publisher, type_, version = ((each.optional_text() or "") if each else "" for each in names)
    return ImageName(publisher=publisher, type=type_, version=version)

"""A handler's package read from a zip file or from a project's folder: name, version, manifest, and other versions.

Used by both runners. The archive itself does not tell the handler's name; the file's name does, or the user.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

from dockyard.authoring.observations import PackageSeen
from dockyard.model.errors import InvalidRequest, NotFound
from dockyard_contract.environment import Command
from dockyard_contract.errors import MalformedDocument
from dockyard_contract.package import MANIFEST, parse_package

_FILE_NAME = re.compile(r"(?P<name>[^-]+\.[^.-]+)-(?P<version>\d+(\.\d+)+)(-[0-9a-f]{12})?\.zip")
_VERSION = re.compile(r"\d+(\.\d+){1,3}")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_EXECUTABLE, _PLAIN = 0o755 << 16, 0o644 << 16
_LEFT_OUT = frozenset({".git", "__pycache__", "dist", "tests", ".github", ".pytest_cache"})


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package: Azure's name of its handler (``Publisher.Type``), its version, and its zip file's bytes."""

    handler: str
    version: str
    archive: bytes

    @property
    def publisher(self) -> str:
        """The part of the name before the last dot."""
        return self.handler.rpartition(".")[0]

    @property
    def type(self) -> str:
        """The part of the name after the last dot."""
        return self.handler.rpartition(".")[2]

    def raised(self) -> Package:
        """Return the same content under the next minor version."""
        major, minor, *rest = self.version.split(".")
        return replace(self, version=".".join([major, str(int(minor) + 1), *rest]))


def read(path: Path, *, handler: str | None, version: str | None) -> Package:
    """Read a zip file, or zip a folder that holds a manifest.

    Raises:
        NotFound: there is neither a file nor a folder.
        InvalidRequest: it is no zip file, a folder without a manifest, or nobody names the handler and its version.
    """
    if path.is_dir():
        archive = _zipped(path)
    elif path.is_file():
        archive = path.read_bytes()
    else:
        raise NotFound(
            f"There is no package {path}", resolution="Give the package's zip file, or the project's folder."
        )
    if not zipfile.is_zipfile(io.BytesIO(archive)):
        raise InvalidRequest(f"{path} is not a zip file", resolution="A handler's package is a zip file.")
    told_name, told_version = _told(path, archive)
    name = handler or told_name
    number = version or told_version or ("1.0.0" if handler else "")
    if not name or not number:
        raise InvalidRequest(
            f"The name of {path.name} does not tell its handler's name and version",
            resolution="Call the file Publisher.Type-1.0.0.zip, or give the handler's name and --version.",
        )
    return _checked(Package(handler=name, version=number, archive=archive))


def _told(path: Path, archive: bytes) -> tuple[str, str]:
    """Return the handler's name and version as the file's name tells them, else the package itself; or empty texts."""
    matched = _FILE_NAME.fullmatch(path.name)
    if matched:
        return matched["name"], matched["version"]
    try:
        image = parse_package(io.BytesIO(archive)).image
    except MalformedDocument:
        return "", ""  # what is wrong with it is told by whoever looks at it
    if image is None or not image.publisher or not image.type:
        return "", ""
    return f"{image.publisher}.{image.type}", image.version


def look_at(package: Package) -> PackageSeen:
    """Return what the package says of itself, for judgement."""
    try:
        found = parse_package(io.BytesIO(package.archive))
    except MalformedDocument as error:
        return PackageSeen(handler=package.handler, version=package.version, fault=f"{error}.")
    manifest = found.manifest
    return PackageSeen(
        handler=package.handler,
        version=package.version,
        commands=dict(manifest.commands),
        missing_programs=found.missing_programs,
        runs_install_on_update=manifest.update_mode.runs_install,
        reports_heartbeat=manifest.report_heartbeat,
        takes_several=manifest.supports_multiple_extensions,
        continues_on_update_failure=manifest.continue_on_update_failure,
    )


def can_run(seen: PackageSeen) -> bool:
    """Whether the agent could run every command of the package's manifest."""
    return not seen.fault and not seen.missing_programs and set(seen.commands) == set(Command)


def _checked(package: Package) -> Package:
    if not package.publisher or not package.type:
        raise InvalidRequest(
            f"'{package.handler}' is not a handler's name", resolution="Give --handler as Publisher.Type."
        )
    if not _VERSION.fullmatch(package.version):
        raise InvalidRequest(f"'{package.version}' is not a version", resolution="Give --version as 1.0 or 1.0.0.")
    return package


def _zipped(folder: Path) -> bytes:
    if not (folder / MANIFEST).is_file():
        raise InvalidRequest(
            f"The folder {folder} has no {MANIFEST}",
            resolution="Give the folder in which the manifest is, or the package's zip file.",
        )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            if not path.is_file() or _LEFT_OUT.intersection(name.parts):
                continue
            entry = zipfile.ZipInfo(name.as_posix(), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = _EXECUTABLE if path.stat().st_mode & 0o100 else _PLAIN
            archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()

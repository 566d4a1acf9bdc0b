"""Packages that users published, kept in one folder for as long as they are not taken back. Used by ``packages``.

A package is a folder of its own, ``publisher.type-version``, with the archive and a record of it. It is received into
a hidden folder, looked through there, and becomes visible by one rename: what was cut off is swept away at the next
start and was never there.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from dockyard import files
from dockyard.model.errors import Exhausted, InvalidRequest
from dockyard.model.extension import ExtensionPackage
from dockyard.model.package_name import PackageName
from dockyard_contract.documents import parse_json
from dockyard_contract.errors import MalformedDocument
from dockyard_contract.package import check_commands, parse_package
from dockyard_contract.zip_archive import LIMITS

_ARCHIVE, _RECORD = "package.zip", "record.json"
_MIB = 1024 * 1024
_log = logging.getLogger(__name__)


class Received:
    """A package on its way in, in a folder that goes with the context unless it was kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.archive = folder / _ARCHIVE
        self.sha256 = ""
        self.size_bytes = 0
        self.takes_several = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    async def take(self, content: AsyncIterator[bytes]) -> None:
        """Write what comes, then look through it. Raises InvalidRequest, MalformedDocument, Exhausted."""
        with _new_file(self.archive) as file:
            digest = hashlib.sha256()
            async for chunk in content:
                self.size_bytes += len(chunk)
                if self.size_bytes > LIMITS.archive_bytes:
                    raise InvalidRequest(
                        f"The package is larger than {LIMITS.archive_bytes // _MIB} MiB",
                        code="RequestContentTooLarge",
                    )
                digest.update(chunk)
                _write(file, chunk)
        self.sha256 = digest.hexdigest()
        self.takes_several = await asyncio.to_thread(_looked_through, self.archive)


class PublishedPackages:
    """The folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = files.make_folder(folder)
        for left in folder.glob(".*"):
            shutil.rmtree(left, ignore_errors=True)

    def load(self) -> Iterator[ExtensionPackage]:
        """Yield what is there; a damaged record is told in the log and left out."""
        for path in sorted(self._folder.glob("*/" + _RECORD)):
            try:
                yield _read_record(path)
            except (OSError, ValueError) as error:
                _log.error("the published package %s cannot be used: %s", path.parent, error)

    def receive(self) -> Received:
        """Return a new hidden folder for a package to come."""
        return Received(Path(tempfile.mkdtemp(prefix=".incoming-", dir=self._folder)))

    def keep(self, received: Received, *, name: PackageName) -> ExtensionPackage:
        """Make a received package visible. Raises Exhausted."""
        folder = self._folder / f"{name.handler_name.lower()}-{name.version}"
        kept = ExtensionPackage(
            publisher=name.publisher,
            type=name.type,
            version=name.version,
            archive=folder / _ARCHIVE,
            sha256=received.sha256,
            takes_several=received.takes_several,
            size_bytes=received.size_bytes,
            published_at=datetime.now(UTC),
        )
        with _room():
            files.write(received.folder / _RECORD, _record(kept), mode=files.SECRET)
            if folder.exists():  # with a record that could not be read
                self._set_aside(folder)
            received.folder.rename(folder)
            self._settle()
        return kept

    def remove(self, package: ExtensionPackage) -> None:
        """Take a package away, at once."""
        self._set_aside(package.archive.parent)

    def _set_aside(self, folder: Path) -> None:
        leaving = Path(tempfile.mkdtemp(prefix=".leaving-", dir=self._folder))
        folder.rename(leaving / "package")
        self._settle()
        shutil.rmtree(leaving, ignore_errors=True)

    def _settle(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, files.SECRET)
    with os.fdopen(descriptor, "wb") as file:
        yield file
        with _room():
            file.flush()
            os.fsync(descriptor)


def _write(file: BinaryIO, chunk: bytes) -> None:
    with _room():
        file.write(chunk)


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Exhausted(
            "The disk is full: the package cannot be kept",
            resolution="Free some space in Dockyard's data folder, then try again.",
            code="InsufficientDiskSpace",
            temporary=True,
        ) from error


def _looked_through(archive: Path) -> bool:
    """Return whether the handler takes several configurations. Raises MalformedDocument for what is no package."""
    with archive.open("rb") as file:
        package = parse_package(file)
    check_commands(package)
    return package.manifest.supports_multiple_extensions


def _record(package: ExtensionPackage) -> bytes:
    members = {
        "publisher": package.publisher,
        "type": package.type,
        "version": package.version,
        "sha256": package.sha256,
        "sizeBytes": package.size_bytes,
        "supportsMultipleExtensions": package.takes_several,
        "publishedAt": None if package.published_at is None else package.published_at.isoformat(),
    }
    return json.dumps(members, indent=1).encode()


def _read_record(path: Path) -> ExtensionPackage:
    record = parse_json(path.read_bytes(), document=path.name).object()
    archive = path.with_name(_ARCHIVE)
    if archive.stat().st_size != record.integer("sizeBytes"):
        raise MalformedDocument(document=_ARCHIVE, member="", expected="the recorded size", found="another")
    return ExtensionPackage(
        publisher=record.string("publisher"),
        type=record.string("type"),
        version=record.string("version"),
        archive=archive,
        sha256=record.string("sha256"),
        takes_several=record.boolean("supportsMultipleExtensions"),
        size_bytes=record.integer("sizeBytes"),
        published_at=datetime.fromisoformat(record.string("publishedAt")),
    )

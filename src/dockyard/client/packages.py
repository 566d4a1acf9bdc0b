"""Extension packages over ARM: the gallery's catalogue, publishing and taking back. Called by the CLI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.client.names import LOCATION
from dockyard.client.views import Document
from dockyard.model.errors import NotFound
from dockyard.model.package_name import PackageName, version_numbers

if TYPE_CHECKING:
    from dockyard.client.connection import Connection

_MEDIA = "application/zip"


@dataclass(frozen=True, kw_only=True)
class PackageView:
    """One version of an extension; ``document`` is what ARM answered. ``published_at`` is empty for Dockyard's own."""

    document: Document
    publisher: str
    type: str
    version: str
    sha256: str
    size_bytes: int
    published_at: str
    takes_several: bool

    @property
    def handler(self) -> str:
        """``Publisher.Type``."""
        return f"{self.publisher}.{self.type}"


def publish(connection: Connection, *, name: PackageName, archive: bytes) -> PackageView:
    """Publish a package; no change when this very one is there. Raises InvalidRequest, Conflict, Exhausted."""
    path = _path(connection, publisher=name.publisher, type=name.type, version=name.version)
    answer = connection.ask("PUT", path, content=archive, media=_MEDIA)
    return _view(answer, publisher=name.publisher, type=name.type)


def unpublish(connection: Connection, package: PackageView) -> None:
    """Take a package back. Raises Conflict when a machine uses it or it is Dockyard's own."""
    path = _path(connection, publisher=package.publisher, type=package.type, version=package.version)
    connection.ask("DELETE", path)


def list_all(connection: Connection) -> list[PackageView]:
    """Return every version of every extension, by handler, the oldest version first."""
    found: list[PackageView] = []
    for publisher in _names(connection, _publishers(connection)):
        types = f"{_publishers(connection)}/{publisher}/artifacttypes/vmextension/types"
        for kind in _names(connection, types):
            answer = connection.ask_list(f"{types}/{kind}/versions")
            found += [_view(each, publisher=publisher, type=kind) for each in answer]
    return sorted(found, key=lambda package: (package.handler.lower(), version_numbers(package.version)))


def get(connection: Connection, *, handler: str, version: str | None) -> PackageView:
    """Return one version of an extension, the newest when none is named. Raises NotFound."""
    found = [package for package in list_all(connection) if package.handler.lower() == handler.lower()]
    if not found:
        raise NotFound(
            f"The gallery has no extension '{handler}'",
            resolution="'dockyard extension list' shows what there is; names are Publisher.Type.",
            code="VMExtensionImageNotFound",
        )
    chosen = [package for package in found if version in (None, package.version)]
    if not chosen:
        raise NotFound(
            f"The extension {found[0].handler} has no version {version}",
            details=f"There is: {', '.join(package.version for package in found)}.",
            code="VMExtensionImageNotFound",
        )
    return chosen[-1]


def _names(connection: Connection, path: str) -> list[str]:
    return [str(each["name"]) for each in connection.ask_list(path)]


def _publishers(connection: Connection) -> str:
    return f"{connection.subscription}/providers/Microsoft.Compute/locations/{LOCATION}/publishers"


def _path(connection: Connection, *, publisher: str, type: str, version: str) -> str:
    return f"{_publishers(connection)}/{publisher}/artifacttypes/vmextension/types/{type}/versions/{version}"


def _view(document: Document, *, publisher: str, type: str) -> PackageView:
    tags = document.get("tags") or {}
    properties = document.get("properties") or {}
    return PackageView(
        document=document,
        publisher=publisher,
        type=type,
        version=str(document["name"]),
        sha256=str(tags.get("dockyard-sha256", "")),
        size_bytes=int(tags.get("dockyard-size-bytes", 0)),
        published_at=str(tags.get("dockyard-published-at", "")),
        takes_several=bool(properties.get("supportsMultipleExtensions")),
    )

"""A package made ready to be published: its name found, and its content judged by the rules the gallery has.

The gallery judges again; to know it before anything is sent is for the author's sake.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from dockyard.authoring import package as packages
from dockyard.model.errors import InvalidRequest
from dockyard.model.package_name import PackageName
from dockyard_contract.errors import MalformedDocument
from dockyard_contract.package import check_commands, parse_package


@dataclass(frozen=True)
class Publication:
    """What is to be sent."""

    name: PackageName
    archive: bytes


def prepared(path: Path, *, publisher: str | None, type: str | None, version: str | None) -> Publication:
    """Read a zip file or a project's folder.

    The name comes from the options, else from the file's name (``Publisher.Type-1.0.0.zip``), else from a
    ``manifest.xml`` in the package.

    Raises:
        NotFound: there is neither a file nor a folder.
        InvalidRequest: it is no sound package, or nobody tells its name.
    """
    if (publisher is None) != (type is None):
        raise InvalidRequest(
            "--publisher and --type belong together", resolution="Give both, or call the file Publisher.Type-1.0.0.zip."
        )
    read = packages.read(path, handler=f"{publisher}.{type}" if publisher else None, version=version)
    try:
        check_commands(parse_package(io.BytesIO(read.archive)))
    except MalformedDocument as error:
        raise InvalidRequest(
            f"{path} is no package that the agent could use",
            details=f"{error}.",
            resolution="Mend it; 'dockyard extension test' tells more of what a handler must do.",
            code="InvalidPackage",
        ) from error
    name = PackageName.checked(publisher=publisher or read.publisher, type=type or read.type, version=read.version)
    return Publication(name=name, archive=read.archive)

"""The codec of ``image.json``, which lies in every built image's folder. Pure but for reading that file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dockyard.model.image import Image, ImageReference

_NAME = "image.json"


@dataclass(frozen=True)
class BuiltImage:
    """An image and the digest of the recipe it was built by."""

    image: Image
    recipe_digest: str


def path(folder: Path) -> Path:
    """Return where a folder's document lies."""
    return folder / _NAME


def encode(built: BuiltImage) -> bytes:
    """Write the document; file names stand relative to its folder."""
    image = built.image
    document = {
        "alias": image.alias,
        "urn": str(image.urn),
        "id": image.id,
        "recipe": built.recipe_digest,
        "disk": image.disk.name,
        "kernel": image.kernel.name,
        "initrd": image.initrd.name,
        "kernelCommandLine": image.kernel_command_line,
        "sizeBytes": image.size_bytes,
        "sha256": image.sha256,
        "builtAt": image.built_at.isoformat(),
        "packages": dict(image.packages),
    }
    return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"


def read(folder: Path) -> BuiltImage | None:
    """Read the document of a folder; None when there is none or a later version of this code wrote it differently."""
    try:
        document = json.loads(path(folder).read_bytes())
        return BuiltImage(_image(document, folder=folder), str(document["recipe"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _image(document: dict[str, Any], *, folder: Path) -> Image:
    return Image(
        alias=str(document["alias"]),
        urn=ImageReference.parse(str(document["urn"])),
        id=str(document["id"]),
        disk=folder / str(document["disk"]),
        kernel=folder / str(document["kernel"]),
        initrd=folder / str(document["initrd"]),
        kernel_command_line=str(document["kernelCommandLine"]),
        size_bytes=int(document["sizeBytes"]),
        sha256=str(document["sha256"]),
        built_at=datetime.fromisoformat(str(document["builtAt"])),
        packages={str(name): str(version) for name, version in document["packages"].items()},
    )


def parse_packages(text: str) -> dict[str, str]:
    """Read the output of ``dpkg-query --show``: a package's name and version a line, parted by a tab."""
    pairs = (line.split("\t") for line in text.splitlines() if line)
    return {name.partition(":")[0]: version for name, version in pairs}

"""VM images by Azure's names, ``publisher:offer:sku:version``, and what a built one consists of.

Spoken between the gallery, the fabric and the ARM API.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from dockyard.model.errors import InvalidRequest

LATEST = "latest"


@dataclass(frozen=True)
class ImageReference:
    """A URN. ``version`` may be ``latest``."""

    publisher: str
    offer: str
    sku: str
    version: str = LATEST

    def __str__(self) -> str:
        return f"{self.publisher}:{self.offer}:{self.sku}:{self.version}"

    @classmethod
    def parse(cls, urn: str) -> ImageReference:
        """Read ``publisher:offer:sku[:version]``; raise InvalidRequest for anything else."""
        parts = urn.split(":")
        if len(parts) not in (3, 4) or not all(parts):
            raise InvalidRequest(
                f"'{urn}' is not an image name",
                resolution="Name an image by its alias, such as docker-debian-13, or as publisher:offer:sku:version.",
                code="InvalidImageReference",
            )
        return cls(*parts)


@dataclass(frozen=True, kw_only=True)
class Image:
    """A built image, ready for direct kernel boot.

    ``id`` names the content (a SHA-256 of everything that determined the build); ``disk`` is a raw ext4 file system
    without a partition table, ``sha256`` its digest; ``packages`` maps package names to installed versions.
    """

    alias: str
    urn: ImageReference
    id: str
    disk: Path
    kernel: Path
    initrd: Path
    kernel_command_line: str
    size_bytes: int
    sha256: str
    built_at: datetime
    packages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ImageBuildOptions:
    """How to build: ``mirror`` overrides the host's archive mirror; ``refresh`` builds anew although one exists."""

    mirror: str | None = None
    refresh: bool = False

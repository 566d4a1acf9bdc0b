"""What the gallery's tests share: a small recipe, a builder of files without mmdebstrap, a gallery in a folder."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dockyard.gallery.build import BuildJob
from dockyard.gallery.images import ImageGallery
from dockyard.gallery.recipes import Catalogue, Recipe
from dockyard.model.image import ImageReference

RECIPE = Recipe(
    alias="small",
    urn=ImageReference("Tests", "small", "1", "1.0.0"),
    suite="trixie",
    architecture="amd64",
    packages=("one", "two"),
    excluded_paths=("/usr/share/doc/*",),
    kernel_command_line="root=/dev/vda",
    disk_bytes=2**20,
    tree_bytes=2**10,
)


@dataclass
class FakeBuilder:
    """Makes the three files at once. ``gate`` holds it up when given; ``error`` is raised instead of an end."""

    packages: Mapping[str, str] = field(default_factory=lambda: {"one": "1.0"})
    gate: asyncio.Event | None = None
    error: Exception | None = None
    jobs: list[BuildJob] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def build(self, job: BuildJob, *, progress: Callable[[str], None]) -> Mapping[str, str]:
        """Build."""
        self.jobs.append(job)
        self.begun.set()
        own = job.workspace.files
        own.disk.write_bytes(b"disk")
        if self.gate:
            await self.gate.wait()
        if self.error:
            raise self.error
        own.kernel.write_bytes(b"kernel")
        own.initrd.write_bytes(b"initrd")
        progress("halfway")
        return self.packages


def gallery(folder: Path, *, builder: FakeBuilder, recipe: Recipe = RECIPE) -> ImageGallery:
    """Open a gallery of one recipe; everything it makes lies below ``folder``."""
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    return ImageGallery(
        folder=folder / "images",
        cache=folder / "cache",
        builder=builder,
        catalogue=Catalogue((recipe,)),
        scratch=scratch,
    )


def left_over(folder: Path) -> list[str]:
    """Name what builds left in ``folder`` beside images, locks and logs."""
    workshops = (entry for entry in folder.glob("images/.building/*/*") if entry.name != "lock")
    return sorted(str(entry.relative_to(folder)) for entry in [*workshops, *folder.glob("scratch/*")])


def is_running(pid: int) -> bool:
    """Whether a process runs; one that waits for its parent does not."""
    with suppress(ProcessLookupError, FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False

"""VM images by alias, URN and content. Implements ``fabric.ports.ImageStore``.

An image lies in a folder of its own, which appears by one rename when everything in it is complete, and never changes:
machines' disks stand on it. A newer build of an alias is another folder beside it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from dockyard import files
from dockyard.gallery import documents
from dockyard.gallery.build import Builder, BuildJob, MmdebstrapBuilder
from dockyard.gallery.contents import Contents
from dockyard.gallery.documents import BuiltImage
from dockyard.gallery.plan import BuildFiles
from dockyard.gallery.recipes import Catalogue, Recipe
from dockyard.gallery.sparse import allocated, digest
from dockyard.gallery.workspaces import SCRATCH, Workshop
from dockyard.model.errors import NotFound
from dockyard.model.image import Image, ImageBuildOptions, ImageReference

_SHORT = 16  # digits of a content name that make a folder's name


class ImageGallery:
    """The images in ``folder``. ``cache`` keeps downloaded packages; trees are made below ``scratch``."""

    def __init__(
        self,
        *,
        folder: Path,
        cache: Path,
        builder: Builder | None = None,
        catalogue: Catalogue | None = None,
        scratch: Path = SCRATCH,
    ) -> None:
        self._folder = folder
        self._builder = builder or MmdebstrapBuilder(cache=cache / "packages")
        self._catalogue = catalogue or Catalogue()
        self._contents = Contents.read()
        self._scratch = scratch

    def offered(self) -> Mapping[str, ImageReference]:
        """Return what can be built, URNs by alias."""
        return {recipe.alias: recipe.urn for recipe in self._catalogue.recipes}

    def resolve(self, *, name: str) -> ImageReference:
        """Turn an alias or URN into the URN of something that can be built.

        Raises:
            NotFound: (code PlatformImageNotFound) there is no such image; says which there are.
        """
        return self._catalogue.named(name).urn

    def alias(self, *, reference: ImageReference) -> str:
        """Return the short name of a URN. Raises NotFound (code PlatformImageNotFound)."""
        return self._catalogue.of(reference).alias

    def find(self, *, alias: str) -> Image | None:
        """Return the newest image built by the alias's present recipe; None when there is none."""
        try:
            recipe = self._catalogue.named(alias)
        except NotFound:
            return None
        wanted = self._contents.digest(recipe)
        fitting = [built.image for built in self._built() if built.recipe_digest == wanted]
        return max(fitting, key=lambda image: image.built_at, default=None)

    def get(self, *, image_id: str) -> Image | None:
        """Return a built image by its content name."""
        return next((built.image for built in self._built() if built.image.id == image_id), None)

    def list(self) -> tuple[Image, ...]:
        """Return all built images, those of earlier recipes as well, by alias and age."""
        return tuple(sorted((built.image for built in self._built()), key=lambda image: (image.alias, image.built_at)))

    async def build(self, *, alias: str, options: ImageBuildOptions, progress: Callable[[str], None]) -> Image:
        """Build, or wait for a build under way; what is there already is built only to refresh it.

        Cancelling ends everything that was started and removes what was made.

        Raises:
            NotFound: (code PlatformImageNotFound) there is no such image.
            Exhausted: disk space (code InsufficientDiskSpace), a program or the archive's keys (ProgramMissing) lack.
            OperationFailed: the build failed; the details show its last lines and name its log.
        """
        recipe = self._catalogue.named(alias)
        asked_at = datetime.now(UTC)
        workshop = self._workshop(recipe)
        async with workshop.alone(waiting=lambda: progress("waiting for a build under way")):
            found = self.find(alias=recipe.alias)
            if found and (not options.refresh or found.built_at > asked_at):
                return found
            workshop.check_space(recipe)
            return await self._build(recipe, workshop=workshop, options=options, progress=progress)

    def delete(self, *, alias: str) -> None:
        """Remove every built version of an alias. Raises NotFound when there is none."""
        images = [image for image in self.list() if image.alias == alias]
        if not images:
            raise NotFound(
                f"There is no built image '{alias}'", resolution="'dockyard image list' shows what is there."
            )
        for image in images:
            documents.path(image.disk.parent).unlink()  # from here on it is no image any more
            shutil.rmtree(image.disk.parent)

    async def sweep(self) -> None:
        """Remove what builders left that were killed. For the start of a server; each build does it for its alias."""
        for recipe in self._catalogue.recipes:
            await self._workshop(recipe).sweep()

    async def _build(
        self, recipe: Recipe, *, workshop: Workshop, options: ImageBuildOptions, progress: Callable[[str], None]
    ) -> Image:
        async with workshop.workspace() as workspace:
            job = BuildJob(
                recipe=recipe,
                contents=self._contents,
                workspace=workspace,
                kept_log=self._folder / f"{recipe.alias}.log",
                mirror=options.mirror,
            )
            packages = await self._builder.build(job, progress=progress)
            progress("publishing, 96 %")
            return await asyncio.to_thread(self._publish, recipe, workspace.files, packages)

    def _publish(self, recipe: Recipe, made: BuildFiles, packages: Mapping[str, str]) -> Image:
        """Describe what was built and move it to its place; what is there already under that name is as good."""
        recipe_digest = self._contents.digest(recipe)
        image_id = _content_name(recipe_digest, packages)
        place = self._folder / recipe.alias / image_id[:_SHORT]
        image = Image(
            alias=recipe.alias,
            urn=recipe.urn,
            id=image_id,
            disk=made.disk,
            kernel=made.kernel,
            initrd=made.initrd,
            kernel_command_line=recipe.kernel_command_line,
            size_bytes=allocated(made.disk),
            sha256=digest(made.disk),
            built_at=datetime.now(UTC),
            packages=packages,
        )
        document = documents.encode(BuiltImage(image, recipe_digest))
        _settle(made.result, place=place, document=document)
        built = documents.read(place)
        if built is None:
            raise NotFound(f"The image '{recipe.alias}' vanished while it was published", temporary=True)
        return built.image

    def _workshop(self, recipe: Recipe) -> Workshop:
        return Workshop(folder=self._folder, alias=recipe.alias, scratch=self._scratch)

    def _built(self) -> Iterator[BuiltImage]:
        for recipe_folder in self._folder.iterdir() if self._folder.is_dir() else ():
            if recipe_folder.is_dir() and not recipe_folder.name.startswith("."):
                yield from (built for entry in recipe_folder.iterdir() if (built := documents.read(entry)))


def _content_name(recipe_digest: str, packages: Mapping[str, str]) -> str:
    """Name an image by all that determined it: the recipe and the versions of the packages."""
    document = json.dumps({"recipe": recipe_digest, "packages": dict(packages)}, sort_keys=True)
    return hashlib.sha256(document.encode()).hexdigest()


def _settle(result: Path, *, place: Path, document: bytes) -> None:
    """Write the document, see that everything is on the disk, then rename; an image that is there already stays."""
    if documents.read(place) is not None:
        return
    files.write(documents.path(result), document, mode=files.PUBLIC)
    for entry in (*result.iterdir(), result):
        _flush(entry)
    files.make_folder(place.parent)
    shutil.rmtree(place, ignore_errors=True)  # an image whose removal was interrupted
    result.rename(place)
    _flush(place.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

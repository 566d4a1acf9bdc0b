"""What can be done with VM images. Called by the ARM API; builds are operations, so that a client can follow them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dockyard.fabric.operations import Journal, Operations, Work
from dockyard.fabric.ports import ImageStore, Store
from dockyard.model.errors import Conflict, NotFound
from dockyard.model.image import Image, ImageBuildOptions, ImageReference
from dockyard.model.operation import Operation, OperationKind
from dockyard.model.resource_id import ResourceId


class Images:
    """Build, look at and delete images."""

    def __init__(self, *, store: Store, images: ImageStore, operations: Operations) -> None:
        self._store = store
        self._images = images
        self._operations = operations
        self._progress: dict[str, str] = {}

    def offered(self) -> Mapping[str, ImageReference]:
        """Return what machines can be made from, built already or not: URNs by alias."""
        return self._images.offered()

    def list(self) -> Sequence[Image]:
        """Return the built images."""
        return self._images.list()

    def get(self, *, alias: str) -> Image | None:
        """Return a built image; None when it is unknown or not built."""
        return self._images.find(alias=alias)

    def progress(self, *, id: ResourceId) -> str | None:
        """Return how far a build under way is, None when none is."""
        return self._progress.get(id.key) if self._operations.busy(target=id) else None

    def build(self, *, id: ResourceId, options: ImageBuildOptions) -> Operation:
        """Begin to build, or return the build that is under way. Raises NotFound for an unknown alias."""
        self._images.resolve(name=id.name)
        under_way = self._operations.at_work(target=id)
        if under_way is not None:
            return under_way
        arguments = {"mirror": options.mirror or "", "refresh": "yes" if options.refresh else ""}
        return self._operations.start(
            kind=OperationKind.BUILD_IMAGE, target=id, work=self.build_work, arguments=arguments
        )

    async def build_work(self, journal: Journal) -> None:
        """Build the image an operation names."""
        operation = journal.operation
        journal.step("build")
        options = ImageBuildOptions(
            mirror=operation.argument("mirror") or None, refresh=bool(operation.argument("refresh"))
        )
        await self._images.build(
            alias=operation.target.name,
            options=options,
            progress=lambda text: self._progress.__setitem__(operation.target.key, text),
        )

    def delete(self, *, alias: str) -> None:
        """Remove an image. Raises NotFound, and Conflict (code ImageInUse) while a machine's disk stands on it."""
        ids = {image.id for image in self._images.list() if image.alias == alias}
        if not ids:
            raise NotFound(
                f"There is no built image '{alias}'",
                resolution="'dockyard image list' shows what is there.",
                code="ResourceNotFound",
            )
        users = sorted(machine.id.name for machine in self._store.virtual_machines() if machine.image_id in ids)
        if users:
            raise Conflict(
                f"The image '{alias}' is in use by {', '.join(users)}",
                details="The machines' disks hold only what differs from it.",
                resolution="Delete these virtual machines first.",
                code="ImageInUse",
            )
        self._images.delete(alias=alias)

    def works(self) -> dict[OperationKind, Work]:
        """Return the work of each kind of operation on an image."""
        return {OperationKind.BUILD_IMAGE: self.build_work}

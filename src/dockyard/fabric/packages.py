"""What can be done with extension packages: publish them, look at them, take them back.

A package that a machine's goal names stays; when one is missing all the same (a folder that was restored without it,
a handler of this project that has a newer version now), the machine goes on and its extension says what lacks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from dockyard.fabric.guests import Guests, by_handler, version_of
from dockyard.fabric.ports import PackageStore, Store
from dockyard.model.errors import Conflict, DockyardError, NotFound
from dockyard.model.extension import PACKAGE_GONE, Extension, ExtensionPackage
from dockyard.model.package_name import PackageName
from dockyard.model.provisioning import ProvisioningState


class Packages:
    """The gallery of packages, and who uses them."""

    def __init__(self, *, store: Store, packages: PackageStore, guests: Guests) -> None:
        self._store = store
        self._packages = packages
        self._guests = guests

    def list(self) -> Sequence[ExtensionPackage]:
        """Return all packages."""
        return self._packages.list()

    def get(self, *, publisher: str, type: str, version: str) -> ExtensionPackage:
        """Return one. Raises NotFound (code VMExtensionImageNotFound)."""
        return self._packages.get(handler_name=f"{publisher}.{type}", version=version)

    async def publish(self, *, name: PackageName, content: AsyncIterator[bytes]) -> tuple[ExtensionPackage, bool]:
        """Take a package in; false when this very package is there already.

        Raises:
            MalformedDocument, InvalidRequest, Conflict, Exhausted: as ``ports.PackageStore.add`` does.
        """
        package, is_new = await self._packages.add(name=name, content=content)
        if is_new:
            self.look_over()
        return package, is_new

    def unpublish(self, *, publisher: str, type: str, version: str) -> bool:
        """Take a package back; false when there is none.

        Raises:
            Conflict: a machine uses it, or it is one of this project's own.
        """
        try:
            package = self.get(publisher=publisher, type=type, version=version)
        except NotFound:
            return False
        users = sorted(extension.id.parent.name for extension in self._versions() if _is_of(extension, package))
        if users and package.published_at is not None:
            raise Conflict(
                f"The extension {package.handler_name} {package.version} is in use",
                details=f"These virtual machines have it: {', '.join(users)}.",
                resolution="Delete the extension there, or set it to another version, first.",
                code="OperationNotAllowed",
            )
        self._packages.remove(package=package)
        return True

    def look_over(self) -> None:
        """Mark the extensions whose package is missing, and unmark those whose package is there again."""
        for extension in self._versions():
            error = self._missing(extension)
            is_marked = extension.error is not None and extension.error.code == PACKAGE_GONE
            if error is not None and extension.provisioning_state is ProvisioningState.SUCCEEDED:
                marked = replace(extension, provisioning_state=ProvisioningState.FAILED, error=error.record())
                self._store.put_extension(marked)
            elif error is None and is_marked:
                self._store.put_extension(
                    replace(extension, provisioning_state=ProvisioningState.SUCCEEDED, error=None)
                )
                self._forget_goal(extension)

    def _missing(self, extension: Extension) -> DockyardError | None:
        try:
            self._packages.get(handler_name=extension.handler_name, version=extension.handler_version)
        except NotFound:
            return NotFound(
                f"The gallery has {extension.handler_name} {extension.handler_version} no more",
                details="The handler goes on in the machine as it was installed.",
                resolution="Publish this version again, or set the extension to a version that there is.",
                code=PACKAGE_GONE,
            )
        return None

    def _versions(self) -> Iterator[Extension]:
        """Yield the extension of each handler of each machine that tells its version."""
        found = sorted(self._store.all_extensions(), key=lambda extension: extension.id.parent.key)
        for _, extensions in groupby(found, key=lambda extension: extension.id.parent.key):
            for group in by_handler(list(extensions)):
                yield version_of(group)

    def _forget_goal(self, extension: Extension) -> None:
        machine = self._store.virtual_machine(id=extension.id.parent)
        if machine is not None:
            self._guests.published(vm_id=machine.vm_id)


def _is_of(extension: Extension, package: ExtensionPackage) -> bool:
    named = extension.handler_name.lower() == package.handler_name.lower()
    return named and extension.handler_version == package.version

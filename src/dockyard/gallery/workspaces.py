"""Where an image is built, and who may: one build of an alias at a time, and what a dead builder left is swept.

Called by ``images``. The lock is the kernel's (flock), so it is let go of however its holder ends; whoever holds it may
take everything that lies in the alias's workshop for a dead builder's.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dockyard import files
from dockyard.gallery import processes
from dockyard.gallery.plan import BuildFiles
from dockyard.gallery.recipes import MIB, Recipe
from dockyard.model.errors import Exhausted

SCRATCH = Path("/var/tmp")  # noqa: S108 - trees are made in folders of unguessable names
"""Where trees of files are made. Not within the user's folders: the users of a namespace cannot enter these."""

_LOOK_SECONDS = 0.25
_TREE_SHARE = 1.6  # the files, and the packages they come from
_RESULT_SHARE = 2.0  # the file system, and two copies of the packages for a moment


@dataclass(frozen=True)
class Workspace:
    """One build's own folders. ``mark`` is carried by its processes; ``scratch`` others may enter but not list."""

    mark: str
    files: BuildFiles
    scratch: Path


class Workshop:
    """The place where images of one alias are built."""

    def __init__(self, *, folder: Path, alias: str, scratch: Path = SCRATCH) -> None:
        self._folder = folder / ".building" / alias
        self._scratch = scratch

    @asynccontextmanager
    async def alone(self, *, waiting: Callable[[], None]) -> AsyncIterator[None]:
        """Hold the workshop; ``waiting`` is called once when another builder holds it. Sweeps what is left there."""
        files.make_folder(self._folder)
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, files.SECRET)
        try:
            if not _try_lock(descriptor):
                waiting()
                while not _try_lock(descriptor):  # noqa: ASYNC110 - another process lets go
                    await asyncio.sleep(_LOOK_SECONDS)
            await self._sweep()
            yield
        finally:
            os.close(descriptor)

    async def sweep(self) -> None:
        """Remove what dead builders left; nothing while somebody builds."""
        if not any(self._left()):
            return
        with _lock_or_none(self._folder / "lock") as held:
            if held:
                await self._sweep()

    @asynccontextmanager
    async def workspace(self) -> AsyncIterator[Workspace]:
        """Make a workspace, and remove it with all its processes at the end."""
        mark = secrets.token_hex(8)
        workspace = self._workspace(mark)
        try:
            files.make_folder(workspace.files.folder)
            files.make_folder(workspace.files.result)
            workspace.scratch.mkdir()
            workspace.scratch.chmod(0o711)  # whatever the user's umask takes away
            yield workspace
        finally:
            await self._remove(mark)

    def check_space(self, recipe: Recipe) -> None:
        """Raise Exhausted (code InsufficientDiskSpace) when a build of ``recipe`` would fill a disk."""
        files.make_folder(self._folder)
        needs = {self._scratch: recipe.tree_bytes * _TREE_SHARE, self._folder: recipe.tree_bytes * _RESULT_SHARE}
        for folder, needed in needs.items():
            device = folder.stat().st_dev
            together = sum(bytes_ for other, bytes_ in needs.items() if other.stat().st_dev == device)
            _check(folder, needed=max(needed, together))

    async def _sweep(self) -> None:
        for mark in list(self._left()):
            await self._remove(mark)

    def _left(self) -> Iterator[str]:
        if self._folder.is_dir():
            yield from (entry.name for entry in self._folder.iterdir() if entry.is_dir())

    def _workspace(self, mark: str) -> Workspace:
        return Workspace(mark, BuildFiles(self._folder / mark), self._scratch / f"dockyard-image-{mark}")

    async def _remove(self, mark: str) -> None:
        """End a build's processes, then remove its tree, and last the folder by which it would be found again."""
        workspace = self._workspace(mark)
        await processes.end(mark)
        await processes.remove(workspace.scratch, as_root=os.geteuid() == 0)
        if not workspace.scratch.exists():
            shutil.rmtree(workspace.files.folder, ignore_errors=True)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _lock_or_none(path: Path) -> Iterator[bool]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, files.SECRET)
    try:
        yield _try_lock(descriptor)
    finally:
        os.close(descriptor)


def _check(folder: Path, *, needed: float) -> None:
    available = shutil.disk_usage(folder).free
    if available < needed:
        raise Exhausted(
            f"There is too little disk space below '{folder}' to build a VM image",
            details=f"Needed: {needed / MIB:.0f} MiB; available: {available / MIB:.0f} MiB.",
            resolution="Free some space, or set DOCKYARD_HOME to another disk.",
            code="InsufficientDiskSpace",
        )

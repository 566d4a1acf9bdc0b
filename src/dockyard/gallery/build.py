"""Build a VM image with mmdebstrap, from the distribution's own signed packages. Called by ``images``.

Needs no root: everything happens in namespaces of its own. What it makes lies in the workspace it is given; to publish
or to remove that is not its business.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dockyard import files
from dockyard.gallery import host_apt, plan, processes
from dockyard.gallery.contents import Contents, archive
from dockyard.gallery.documents import parse_packages
from dockyard.gallery.failures import explain
from dockyard.gallery.host_apt import Archive, HostApt
from dockyard.gallery.plan import BuildFiles
from dockyard.gallery.progress import Progress
from dockyard.gallery.recipes import Recipe
from dockyard.gallery.workspaces import Workspace
from dockyard.model.errors import Exhausted

_PROGRAMS = {"mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs", "unshare": "util-linux"}
_PROGRAMS_FOR_USERS = {"newuidmap": "uidmap"}
_SOURCES = "etc/apt/sources.list.d/debian.sources"


@dataclass(frozen=True)
class BuildJob:
    """What to build, and where. ``mirror`` of None means the host's own; ``kept_log`` outlives a failure."""

    recipe: Recipe
    contents: Contents
    workspace: Workspace
    kept_log: Path
    mirror: str | None = None


class Builder(Protocol):
    """Makes disk, kernel and initrd below the workspace's ``result`` folder."""

    async def build(self, job: BuildJob, *, progress: Callable[[str], None]) -> Mapping[str, str]:
        """Build; return the versions of the installed packages by name.

        Raises:
            Exhausted: a program, the archive's keys or disk space is missing.
            OperationFailed: the build failed; the details show its last lines.
        """


class MmdebstrapBuilder:
    """The real one. ``cache`` keeps downloaded packages, so that the next image need not fetch them again."""

    def __init__(self, *, cache: Path) -> None:
        self._cache = cache

    async def build(self, job: BuildJob, *, progress: Callable[[str], None]) -> Mapping[str, str]:
        """Build the image of a job."""
        as_root = os.geteuid() == 0
        check_host(as_root=as_root)
        found = await _host_apt(mirror=job.mirror)
        self._prepare(job, found=found)
        argv = plan.mmdebstrap(
            recipe=job.recipe,
            contents=job.contents,
            archive=found.archive,
            files=job.workspace.files,
            cache=self._cache,
            as_root=as_root,
        )
        await _run(argv, job=job, progress=progress)
        keep_downloads(job.workspace.files.downloads, cache=self._cache)
        return parse_packages(job.workspace.files.packages.read_text("utf-8"))

    def _prepare(self, job: BuildJob, *, found: HostApt) -> None:
        """Write what the build reads."""
        files.make_folder(self._cache)
        own = job.workspace.files
        contents = job.contents
        sources = {_SOURCES: plan.guest_sources(recipe=job.recipe, archive=found.archive)}
        files.write(own.early, archive(contents.early), mode=files.PUBLIC)
        files.write(own.files, archive({**contents.files, **sources}), mode=files.PUBLIC)
        files.write(own.apt_options, plan.apt_options(dict(found.proxies)), mode=files.SECRET)


def check_host(*, as_root: bool, keyring: Path = plan.KEYRING) -> None:
    """Raise Exhausted (code ProgramMissing) when this computer lacks what a build needs; names the Debian package."""
    for program, package in (_PROGRAMS if as_root else _PROGRAMS | _PROGRAMS_FOR_USERS).items():
        processes.require(program, package=package)
    if not keyring.is_file():
        raise Exhausted(
            "The keys of Debian's archive are not installed",
            details=f"Packages are verified with '{keyring}'.",
            resolution="Install them, on Debian and Ubuntu with: sudo apt-get install debian-archive-keyring",
            code="ProgramMissing",
        )


async def _host_apt(*, mirror: str | None) -> HostApt:
    dump = await processes.output(["apt-config", "dump"])
    found = Archive.at(mirror) if mirror else host_apt.read_archive()
    return HostApt(found, host_apt.parse_proxies(dump))


async def _run(argv: list[str], *, job: BuildJob, progress: Callable[[str], None]) -> None:
    """Run the build and report on it; keep its log when it fails."""
    own = job.workspace.files
    started, follower = time.monotonic(), Progress()

    def report(line: str) -> None:
        if follower.follow(line):
            progress(f"{follower.text}, {time.monotonic() - started:.0f} s")

    with _disk(own) as descriptor:
        code = await processes.follow(
            argv,
            mark=job.workspace.mark,
            environment=_environment(job, descriptor=descriptor),
            descriptors=[descriptor],
            log=own.log,
            on_line=report,
        )
    if code:
        shutil.copyfile(own.log, job.kept_log)
        lines = own.log.read_text("utf-8", errors="replace").splitlines()
        raise explain(alias=job.recipe.alias, code=code, lines=lines, log=job.kept_log)


def _environment(job: BuildJob, *, descriptor: int) -> dict[str, str]:
    """Return what mmdebstrap and ``customize/disk.sh`` are told."""
    return {
        "TMPDIR": str(job.workspace.scratch),
        "DISK": f"/proc/self/fd/{descriptor}",
        "DISK_SIZE": f"{job.recipe.disk_bytes // 1024}k",
    }


@contextmanager
def _disk(own: BuildFiles) -> Iterator[int]:
    """Make the file for the disk, open for writing to whoever is given the descriptor.

    It is another user's who writes it, the namespace's root. Nobody but that one can come to it meanwhile, for the
    folder is closed.
    """
    descriptor = os.open(own.disk, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, files.SECRET)
    try:
        os.fchmod(descriptor, 0o666)
        yield descriptor
        os.fchmod(descriptor, 0o444)
    finally:
        os.close(descriptor)


def keep_downloads(downloads: Path, *, cache: Path) -> None:
    """Take packages into the cache, whole or not at all, in place of other versions of theirs."""
    for path in downloads.glob("*.deb"):
        kept = cache / path.name
        if not kept.exists():
            unfinished = cache / f".{path.name}.unfinished"
            shutil.copyfile(path, unfinished)
            unfinished.replace(kept)
        for other in cache.glob(f"{path.name.partition('_')[0]}_*.deb"):
            if other != kept:
                other.unlink(missing_ok=True)

"""The gallery: an image appears whole or not at all, is built once for all who ask, and dead builders leave nothing."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from dockyard.gallery import processes
from dockyard.gallery.recipes import Recipe
from dockyard.model.errors import Exhausted, NotFound, OperationFailed
from dockyard.model.image import Image, ImageBuildOptions, ImageReference
from tests.unit.gallery.bench import RECIPE, FakeBuilder, gallery, is_running, left_over

REFRESH = ImageBuildOptions(refresh=True)


def ignore(_: str) -> None:
    """Take progress and forget it."""


async def build(
    folder: Path,
    *,
    builder: FakeBuilder | None = None,
    options: ImageBuildOptions = ImageBuildOptions(),  # noqa: B008 - frozen
    recipe: Recipe = RECIPE,
) -> Image:
    opened = gallery(folder, builder=builder or FakeBuilder(), recipe=recipe)
    return await opened.build(alias="small", options=options, progress=ignore)


async def test_a_built_image_is_found_by_alias_and_by_content(tmp_path: Path) -> None:
    image = await build(tmp_path, builder=FakeBuilder(packages={"one": "1.0", "two": "2.0"}))
    again = gallery(tmp_path, builder=FakeBuilder())
    assert again.find(alias="small") == image == again.get(image_id=image.id)
    assert again.list() == (image,)
    assert image.packages == {"one": "1.0", "two": "2.0"}
    assert image.sha256 == hashlib.sha256(b"disk").hexdigest()
    assert (image.kernel.read_bytes(), image.initrd.read_bytes()) == (b"kernel", b"initrd")
    assert image.built_at.tzinfo is not None


async def test_what_is_not_built_is_not_found(tmp_path: Path) -> None:
    opened = gallery(tmp_path, builder=FakeBuilder())
    assert opened.find(alias="small") is None
    assert opened.find(alias="unknown") is None
    assert opened.get(image_id="0" * 64) is None
    assert opened.list() == ()


async def test_names_are_resolved_both_ways(tmp_path: Path) -> None:
    opened = gallery(tmp_path, builder=FakeBuilder())
    assert opened.resolve(name="small") == RECIPE.urn
    assert opened.resolve(name="Tests:small:1:latest") == RECIPE.urn
    assert opened.alias(reference=ImageReference("tests", "SMALL", "1")) == "small"
    with pytest.raises(NotFound):
        opened.resolve(name="other")


async def test_an_unknown_alias_is_not_built(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no VM image 'other'"):
        await gallery(tmp_path, builder=FakeBuilder()).build(
            alias="other", options=ImageBuildOptions(), progress=ignore
        )


async def test_an_image_that_is_there_is_not_built_again(tmp_path: Path) -> None:
    builder = FakeBuilder()
    assert await build(tmp_path, builder=builder) == await build(tmp_path, builder=builder)
    assert len(builder.jobs) == 1


async def test_refreshing_with_newer_packages_makes_a_second_image_beside_the_first(tmp_path: Path) -> None:
    first = await build(tmp_path)
    second = await build(tmp_path, builder=FakeBuilder(packages={"one": "1.1"}), options=REFRESH)
    opened = gallery(tmp_path, builder=FakeBuilder())
    assert first.id != second.id
    assert first.disk.exists()
    assert opened.find(alias="small") == second
    assert opened.get(image_id=first.id) == first


async def test_refreshing_without_news_keeps_the_image_under_its_machines(tmp_path: Path) -> None:
    first = await build(tmp_path)
    inode = first.disk.stat().st_ino
    assert await build(tmp_path, options=REFRESH) == first
    assert first.disk.stat().st_ino == inode
    assert left_over(tmp_path) == []


async def test_a_changed_recipe_asks_for_another_build_and_keeps_what_was_built(tmp_path: Path) -> None:
    old = await build(tmp_path)
    changed = gallery(tmp_path, builder=FakeBuilder(), recipe=replace(RECIPE, packages=("three",)))
    assert changed.find(alias="small") is None
    assert changed.get(image_id=old.id) == old


async def test_two_who_ask_at_once_get_one_build(tmp_path: Path) -> None:
    builder, heard, said = FakeBuilder(gate=asyncio.Event()), asyncio.Event(), list[str]()

    def hear(text: str) -> None:
        said.append(text)
        heard.set()

    first = asyncio.create_task(build(tmp_path, builder=builder))
    await builder.begun.wait()
    opened = gallery(tmp_path, builder=builder)
    second = asyncio.create_task(opened.build(alias="small", options=REFRESH, progress=hear))
    await heard.wait()
    assert builder.gate
    builder.gate.set()
    assert await first == await second
    assert (len(builder.jobs), said) == (1, ["waiting for a build under way"])


async def test_nothing_is_to_be_seen_before_all_is_complete(tmp_path: Path) -> None:
    builder = FakeBuilder(gate=asyncio.Event())
    task = asyncio.create_task(build(tmp_path, builder=builder))
    await builder.begun.wait()
    opened = gallery(tmp_path, builder=builder)
    assert opened.list() == ()
    assert left_over(tmp_path) != []
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_cancelled_build_leaves_nothing(tmp_path: Path) -> None:
    builder = FakeBuilder(gate=asyncio.Event())
    task = asyncio.create_task(build(tmp_path, builder=builder))
    await builder.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left_over(tmp_path) == []


async def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OperationFailed, match="no luck"):
        await build(tmp_path, builder=FakeBuilder(error=OperationFailed("no luck")))
    assert left_over(tmp_path) == []
    assert gallery(tmp_path, builder=FakeBuilder()).list() == ()


async def test_a_failed_build_can_be_repeated(tmp_path: Path) -> None:
    with suppress(OperationFailed):
        await build(tmp_path, builder=FakeBuilder(error=OperationFailed("no luck")))
    assert (await build(tmp_path)).disk.exists()


async def test_too_little_disk_space_is_told_before_anything_is_made(tmp_path: Path) -> None:
    builder = FakeBuilder()
    with pytest.raises(Exhausted) as caught:
        await build(tmp_path, builder=builder, recipe=replace(RECIPE, tree_bytes=2**60))
    assert caught.value.code == "InsufficientDiskSpace"
    assert (builder.jobs, left_over(tmp_path)) == ([], [])


DIES = """
import asyncio, os, signal, subprocess, sys
from pathlib import Path
from dockyard.gallery import processes
from tests.unit.gallery.bench import FakeBuilder, gallery
from dockyard.model.image import ImageBuildOptions

class Builder(FakeBuilder):
    async def build(self, job, *, progress):
        (job.workspace.scratch / "tree").mkdir()
        environ = {**os.environ, processes.MARK: job.workspace.mark}
        child = subprocess.Popen(["sleep", "600"], env=environ, start_new_session=True, stdout=-3, stderr=-3)
        print(child.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

opened = gallery(Path(sys.argv[1]), builder=Builder())
asyncio.run(opened.build(alias="small", options=ImageBuildOptions(), progress=print))
"""


def killed_builder(folder: Path) -> int:
    """Run a builder that is killed in the middle; return the number of a process it has left."""
    root = Path(__file__).parents[3]
    environ = {**os.environ, "PYTHONPATH": f"{root / 'src'}:{root}"}
    done = subprocess.run(
        [sys.executable, "-c", DIES, str(folder)], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    return int(done.stdout)


async def test_what_a_killed_builder_left_is_swept(tmp_path: Path) -> None:
    orphan = killed_builder(tmp_path)
    assert left_over(tmp_path) != []
    assert is_running(orphan)
    await gallery(tmp_path, builder=FakeBuilder()).sweep()
    assert left_over(tmp_path) == []
    assert not is_running(orphan)


async def test_the_next_build_sweeps_and_succeeds(tmp_path: Path) -> None:
    orphan = killed_builder(tmp_path)
    assert (await build(tmp_path)).disk.exists()
    assert left_over(tmp_path) == []
    assert not is_running(orphan)


async def test_sweeping_leaves_a_build_under_way_alone(tmp_path: Path) -> None:
    builder = FakeBuilder(gate=asyncio.Event())
    task = asyncio.create_task(build(tmp_path, builder=builder))
    await builder.begun.wait()
    await gallery(tmp_path, builder=builder).sweep()
    assert builder.gate
    builder.gate.set()
    assert (await task).disk.exists()


async def test_an_interrupted_publication_is_not_an_image(tmp_path: Path) -> None:
    image = await build(tmp_path)
    (image.disk.parent / "image.json").unlink()
    opened = gallery(tmp_path, builder=FakeBuilder())
    assert opened.list() == ()
    assert (await build(tmp_path)).disk.exists()


async def test_deleting_removes_every_version(tmp_path: Path) -> None:
    first = await build(tmp_path)
    second = await build(tmp_path, builder=FakeBuilder(packages={"one": "1.1"}), options=REFRESH)
    opened = gallery(tmp_path, builder=FakeBuilder())
    opened.delete(alias="small")
    assert opened.list() == ()
    assert not first.disk.exists()
    assert not second.disk.exists()


async def test_deleting_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no built image 'small'"):
        gallery(tmp_path, builder=FakeBuilder()).delete(alias="small")


async def test_ending_a_mark_spares_other_processes() -> None:
    mine = await asyncio.create_subprocess_exec("sleep", "600", env={processes.MARK: "mine"})
    other = await asyncio.create_subprocess_exec("sleep", "600", env={processes.MARK: "mine-too"})
    await processes.end("mine")
    assert (await mine.wait(), other.returncode) == (-signal.SIGKILL, None)
    other.kill()
    await other.wait()

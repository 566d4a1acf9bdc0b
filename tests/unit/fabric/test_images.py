"""Images are built once, however many ask, and kept while a machine's disk stands on them."""

from __future__ import annotations

import pytest

from dockyard.model.errors import NotFound
from dockyard.model.image import ImageBuildOptions
from dockyard.model.operation import OperationStatus
from dockyard.model.resource_id import IMAGES, ResourceId
from tests.support.fabric import World
from tests.support.values import GROUP, SUBSCRIPTION

ID = ResourceId(SUBSCRIPTION, GROUP, IMAGES, ("debian-13",))


async def test_two_who_ask_follow_one_build(world: World) -> None:
    world.images.may_finish.clear()
    first = world.fabric.images.build(id=ID, options=ImageBuildOptions())
    second = world.fabric.images.build(id=ID, options=ImageBuildOptions())
    world.images.may_finish.set()
    done = await world.fabric.operations.wait(operation_id=first.id)
    assert (second.id, done.status, world.images.builds) == (first.id, OperationStatus.SUCCEEDED, 1)


async def test_the_build_of_a_killed_server_is_followed_by_whoever_asks_next(world: World) -> None:
    world.images.may_finish.clear()
    before = world.fabric.images.build(id=ID, options=ImageBuildOptions())
    await world.reopen()
    world.images.may_finish.set()
    after = world.fabric.images.build(id=ID, options=ImageBuildOptions())
    assert after.id == before.id


async def test_an_unknown_image_is_refused(world: World) -> None:
    with pytest.raises(NotFound):
        unknown = ResourceId(SUBSCRIPTION, GROUP, IMAGES, ("windows",))
        world.fabric.images.build(id=unknown, options=ImageBuildOptions())


async def test_deleting_what_was_never_built_is_refused(world: World) -> None:
    with pytest.raises(NotFound):
        world.fabric.images.delete(alias="windows")

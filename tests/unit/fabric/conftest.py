"""A fabric on fakes for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.fabric import World, machine_request


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    yield made
    await made.fabric.operations.suspend()
    made.close()


@pytest.fixture
async def booted(world: World) -> World:
    """The same with a machine that runs."""
    _, operation = world.fabric.virtual_machines.create(request=machine_request(), only_if_absent=True)
    assert operation is not None
    await world.boot()
    await world.fabric.operations.wait(operation_id=operation.id)
    return world

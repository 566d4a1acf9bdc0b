"""The machine all tests of this room talk for."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.wire_bench import GOAL, Bench, open_bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with open_bench(GOAL) as bench:
        yield bench


@pytest.fixture
async def wire(bench: Bench) -> AsyncIterator[httpx.AsyncClient]:
    async with bench.client(GOAL.vm_id, "wire") as client:
        yield client


@pytest.fixture
async def host(bench: Bench) -> AsyncIterator[httpx.AsyncClient]:
    async with bench.client(GOAL.vm_id, "host") as client:
        yield client


@pytest.fixture
async def meta(bench: Bench) -> AsyncIterator[httpx.AsyncClient]:
    async with bench.client(GOAL.vm_id, "meta") as client:
        yield client

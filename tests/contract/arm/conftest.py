"""The served API, for every test of the API's contract."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.arm_api import Api, serving_api
from tests.support.callers import Directory, directory


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with serving_api(tmp_path) as made:
        yield made
    gc.collect()  # here, where the marks of the tests about unclosed sockets still hold


@pytest.fixture
async def calls(tmp_path: Path) -> AsyncIterator[Directory]:
    async with directory(tmp_path) as made:
        yield made

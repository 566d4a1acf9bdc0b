"""A real QEMU for every test of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from dockyard.model.image import Image
from tests.support import qemu_guest
from tests.support.qemu_bench import QemuBench, qemu_bench


@pytest.fixture(scope="session")
def tiny_image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return qemu_guest.tiny_image(tmp_path_factory.mktemp("image"))


@pytest.fixture
async def bench(tiny_image: Image) -> AsyncIterator[QemuBench]:
    async with qemu_bench(tiny_image) as bench:
        yield bench

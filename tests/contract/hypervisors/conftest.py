"""Run every contract test on the fake and on a real QEMU."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from dockyard.model.image import Image
from tests.contract.hypervisors.bench import Bench, FakeBench
from tests.support import qemu_guest
from tests.support.qemu_bench import qemu_bench


@pytest.fixture(scope="session")
def tiny_image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return qemu_guest.tiny_image(tmp_path_factory.mktemp("image"))


@pytest.fixture(params=["fake", pytest.param("qemu", marks=pytest.mark.e2e)])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    if request.param == "fake":
        yield FakeBench()
        return
    async with qemu_bench(request.getfixturevalue("tiny_image")) as bench:
        yield bench

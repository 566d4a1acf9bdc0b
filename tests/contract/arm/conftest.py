"""The served API, for every test of the API's contract."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from dockyard.cli.main import run
from dockyard.config import Paths
from tests.support.arm_api import Api, serving_api
from tests.support.callers import Directory, directory


@dataclass(frozen=True)
class Result:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Cli = Callable[..., Awaitable[Result]]


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with serving_api(tmp_path) as made:
        yield made
    gc.collect()  # here, where the marks of the tests about unclosed sockets still hold


@pytest.fixture
async def calls(tmp_path: Path) -> AsyncIterator[Directory]:
    async with directory(tmp_path) as made:
        yield made


@pytest.fixture
def cli(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The command line of the user whose server this is, beside the server."""
    monkeypatch.setenv("DOCKYARD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("DOCKYARD_CREDENTIALS", raising=False)
    paths = Paths.from_environ(os.environ)
    paths.make()
    api.principal.write_credentials(paths.credentials, endpoint=api.endpoint, ca=Path(api.ca))

    async def call(*arguments: str) -> Result:
        capsys.readouterr()
        code = await asyncio.to_thread(run, arguments)
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return call

"""What all tests share: which of them follow each other in one process when there are several (`pytest -n 2`)."""

from __future__ import annotations

import os

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of one group stay together: the group they name, else their file.

    Those that name one come first: they sit on real machines, and take longest.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    own = {item for item in items if item.get_closest_marker("xdist_group") is not None}
    for item in items:
        if item not in own:
            item.add_marker(pytest.mark.xdist_group(item.path.relative_to(config.rootpath).as_posix()))
    items.sort(key=lambda item: item not in own)


@pytest.hookimpl
def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to run when the groups have no effect: tests of one machine would get in each other's way."""
    if "PYTEST_XDIST_WORKER" in os.environ and any("@" not in item.nodeid for item in session.items):
        raise pytest.UsageError("pytest-xdist does not keep groups together: the tests need --dist loadgroup")

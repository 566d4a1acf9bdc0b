"""The library's binding: what it says when the library is missing, and what it refuses."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from dockyard.model.errors import Exhausted
from dockyard.wire.link import slirp


@pytest.fixture
def stack() -> slirp.Slirp:
    return slirp.Slirp(send=lambda _frame: None, opened=lambda _fd: None, closing=lambda _fd: None)


def test_a_missing_library_is_named_with_its_package() -> None:
    with pytest.raises(Exhausted, match=r"libnothing\.so\.9.*\n.*\n.*libslirp0"):
        slirp.load("libnothing.so.9")


def test_a_stack_without_connections_waits_for_nothing(stack: slirp.Slirp) -> None:
    assert stack.wish() == slirp.Wish({}, None)
    stack.close()


@pytest.mark.parametrize("address", ["10.0.0.4", "168.0.0.2", "170.0.0.1"])
def test_only_the_platforms_network_can_be_answered_in(stack: slirp.Slirp, address: str) -> None:
    with pytest.raises(ValueError, match="outside"):
        stack.add_unix(address=IPv4Address(address), port=80, path=Path("/nowhere"))
    stack.close()


def test_closing_twice_is_closing_once(stack: slirp.Slirp) -> None:
    stack.close()
    stack.close()

"""The API's socket."""

from __future__ import annotations

import socket
from pathlib import Path

from dockyard.arm import server


def test_answers_do_not_wait_for_acknowledgements(tmp_path: Path) -> None:
    """The event loop turns Nagle's algorithm off on connections whose protocol it can see to be TCP, and only there."""
    with server.listen(port=None, remembered=tmp_path / "port.json") as listener:
        assert listener.proto == socket.IPPROTO_TCP

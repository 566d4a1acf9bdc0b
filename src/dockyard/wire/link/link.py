"""One machine's whole platform link: cable, rules and TCP stack together.

Used by ``wire.machine``. What a frame may do is decided in ``switch``; here it is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address
from pathlib import Path

from dockyard.model.errors import Exhausted
from dockyard.wire.link.cable import Cable
from dockyard.wire.link.stack import Stack
from dockyard.wire.link.switch import Switch, Verdict


class Link:
    """An open link. Made and closed within the loop's thread.

    Args:
        switch: the machine's rules.
        platform_socket: this end of the cable.
        machine_socket: the machine's end.
        endpoints: for each address and port of the platform, the UNIX stream socket that answers there.

    Raises:
        Exhausted: libslirp is missing, or the cable's socket cannot be made.
    """

    def __init__(
        self,
        *,
        switch: Switch,
        platform_socket: Path,
        machine_socket: Path,
        endpoints: Mapping[tuple[IPv4Address, int], Path],
    ) -> None:
        self._switch = switch
        self._stack = Stack(endpoints=endpoints, introduction=switch.introduction(), send=self._deliver)
        try:
            self._cable = Cable(platform_socket=platform_socket, machine_socket=machine_socket, take=self._take)
        except Exhausted:
            self._stack.close()
            raise

    def accepted(self) -> None:
        """Take note that one more of the machine's connections has been accepted at its endpoint."""
        self._stack.accepted()

    def close(self) -> None:
        """Close all connections, then the cable."""
        self._stack.close()
        self._cable.close()

    def _take(self, frame: bytes) -> None:
        decision = self._switch.decide(frame)
        if decision.verdict is Verdict.ANSWER:
            self._cable.send(decision.reply)
        elif decision.verdict is Verdict.FORWARD or (decision.verdict is Verdict.CONNECT and not self._stack.is_full):
            self._stack.input(frame)

    def _deliver(self, frame: bytes) -> None:
        self._cable.send(self._switch.outbound(frame))

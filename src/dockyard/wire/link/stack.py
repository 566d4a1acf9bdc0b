"""A machine's TCP stack inside the event loop: frames in and out on one side, UNIX sockets on the other.

Used by ``link.link``. Nothing here blocks: descriptors are watched by the loop, and the library is asked anew what it
waits for once after each burst of work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address
from pathlib import Path

from dockyard.wire.link.slirp import Events, Slirp

MAX_CONNECTIONS = 256
"""Connections one machine can have at a time. An agent uses two or three; but one the platform closed first, as HTTP
wants it after most requests, holds its descriptor for ten seconds more (TIME_WAIT)."""

MAX_UNACCEPTED = 64
"""Connections that may wait to be accepted. Far below `BACKLOG`: the library connects blocking, and a full backlog,
which only this same thread could empty, would stop every machine's platform at once."""

BACKLOG = 128
"""The backlog of the sockets that answer."""


class Stack:
    """One running stack. Made and closed within the loop's thread.

    Args:
        endpoints: for each address and port, the UNIX stream socket that answers there.
        introduction: the frame that tells the stack where the machine is.
        send: takes frames for the machine; must neither block nor raise.
    """

    def __init__(
        self,
        *,
        endpoints: Mapping[tuple[IPv4Address, int], Path],
        introduction: bytes,
        send: Callable[[bytes], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._slirp = Slirp(send=send, opened=self._opened, closing=self._closing)
        self._open: set[int] = set()
        self._unaccepted = 0
        self._watched: dict[int, Events] = {}
        self._ready: dict[int, Events] = {}
        self._turn: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None
        for (address, port), path in endpoints.items():
            self._slirp.add_unix(address=address, port=port, path=path)
        self._slirp.input(introduction)

    @property
    def is_full(self) -> bool:
        """Whether the machine has as many connections as it may."""
        return len(self._open) >= MAX_CONNECTIONS or self._unaccepted >= MAX_UNACCEPTED

    def accepted(self) -> None:
        """Take note that one more connection has been accepted at its socket."""
        self._unaccepted -= 1

    def input(self, frame: bytes) -> None:
        """Take a frame from the machine."""
        self._slirp.input(frame)
        self._soon()

    def close(self) -> None:
        """Close every connection."""
        for handle in (self._turn, self._timer):
            if handle is not None:
                handle.cancel()
        self._slirp.close()

    def _soon(self) -> None:
        if self._turn is None:
            self._turn = self._loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._turn = None
        ready, self._ready = self._ready, {}
        self._slirp.poll(ready)
        wish = self._slirp.wish()
        for descriptor in self._watched.keys() - wish.descriptors.keys():
            self._watch(descriptor, Events(0))
        for descriptor, events in wish.descriptors.items():
            self._watch(descriptor, events)
        self._wait(wish.seconds)

    def _wait(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self._loop.call_later(seconds, self._soon)

    def _watch(self, descriptor: int, events: Events) -> None:
        before = self._watched.get(descriptor, Events(0))
        if events == before:
            return
        if (events ^ before) & Events.IN:
            if events & Events.IN:
                self._loop.add_reader(descriptor, self._mark, descriptor, Events.IN)
            else:
                self._loop.remove_reader(descriptor)
        if (events ^ before) & Events.OUT:
            if events & Events.OUT:
                self._loop.add_writer(descriptor, self._mark, descriptor, Events.OUT)
            else:
                self._loop.remove_writer(descriptor)
        if events:
            self._watched[descriptor] = events
        else:
            self._watched.pop(descriptor, None)

    def _mark(self, descriptor: int, events: Events) -> None:
        # Never ERROR or HANG_UP: on these the library reads and writes at once, and takes the nothing it had to write
        # for the end of the connection. Reading tells it of both.
        self._ready[descriptor] = self._ready.get(descriptor, Events(0)) | events
        self._soon()

    def _opened(self, descriptor: int) -> None:
        self._open.add(descriptor)
        self._unaccepted += 1

    def _closing(self, descriptor: int) -> None:
        # The number may be another file's by the time the loop looks again, so everything about it is forgotten now.
        self._watch(descriptor, Events(0))
        self._ready.pop(descriptor, None)
        self._open.discard(descriptor)

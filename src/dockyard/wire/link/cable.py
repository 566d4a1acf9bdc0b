"""The platform's end of a machine's network cable: datagram sockets with one Ethernet frame a datagram.

Used by `link.Link`. Frames are dropped rather than waited for, as on any wire; only a burst the machine's side has no
room for at this moment is kept, up to a bound.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections import deque
from collections.abc import Callable
from pathlib import Path

from dockyard.model.errors import Exhausted

_LARGEST_FRAME = 2048
_BURST = 32
_BACKLOG_FRAMES = 256
_LONGEST_PATH = 107


class Cable:
    """One open end. Made and closed within the loop's thread.

    Two sockets: one bound, on which frames arrive from whatever process holds the other end now; and one connected to
    the machine's, as only a connected datagram socket says when there is room again.

    Args:
        platform_socket: where this end is bound; a socket left there by an earlier process is replaced.
        machine_socket: where the machine's end is; it need not be there yet.
        take: takes a frame from the machine.
    """

    def __init__(self, *, platform_socket: Path, machine_socket: Path, take: Callable[[bytes], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._path = platform_socket
        self._peer = machine_socket
        self._take = take
        self._waiting: deque[bytes] = deque()
        self._out: socket.socket | None = None
        self._in = bind(path=platform_socket, kind=socket.SOCK_DGRAM)
        self._loop.add_reader(self._in, self._receive)

    def send(self, frame: bytes) -> None:
        """Send a frame to the machine, or lose it when nobody is there."""
        if self._waiting:
            if len(self._waiting) < _BACKLOG_FRAMES:
                self._waiting.append(frame)
        elif not self._try(frame):
            self._waiting.append(frame)
            if self._out is not None:
                self._loop.add_writer(self._out, self._drain)

    def close(self) -> None:
        """Close this end and remove its socket."""
        self._loop.remove_reader(self._in)
        self._in.close()
        self._hang_up()
        self._path.unlink(missing_ok=True)

    def _receive(self) -> None:
        for _ in range(_BURST):
            try:
                frame = self._in.recv(_LARGEST_FRAME)
            except (BlockingIOError, InterruptedError):
                return
            self._take(frame)

    def _try(self, frame: bytes) -> bool:
        """Send one frame now; False when there is no room for it. Without a listener, it counts as sent."""
        try:
            if self._out is None:
                self._out = self._connect()
            self._out.send(frame)
        except BlockingIOError:
            return False
        except OSError:
            # The machine is off or has been started anew: the next frame looks for it again.
            self._hang_up()
        return True

    def _connect(self) -> socket.socket:
        end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            end.connect(bytes(self._peer))
        except OSError:
            end.close()
            raise
        return end

    def _drain(self) -> None:
        while self._waiting:
            if not self._try(self._waiting[0]):
                return
            if self._waiting:
                self._waiting.popleft()
        if self._out is not None:
            self._loop.remove_writer(self._out)

    def _hang_up(self) -> None:
        self._waiting.clear()
        if self._out is not None:
            self._loop.remove_writer(self._out)
            self._out.close()
            self._out = None


def bind(*, path: Path, kind: socket.SocketKind) -> socket.socket:
    """Bind a non-blocking UNIX socket that only this user can reach, in the place of whatever is there.

    Raises:
        Exhausted: the path is too long for a socket, or cannot be bound.
    """
    if len(bytes(path)) > _LONGEST_PATH:
        raise Exhausted(
            "The path of a machine's socket is too long",
            details=f"{path} has {len(bytes(path))} bytes, the kernel takes {_LONGEST_PATH}",
            resolution="Set DOCKYARD_HOME or XDG_RUNTIME_DIR to a folder with a shorter path.",
        )
    path.unlink(missing_ok=True)
    end = socket.socket(socket.AF_UNIX, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        os.fchmod(end.fileno(), 0o600)  # the file takes its mode from here, so it is private from the first moment
        end.bind(bytes(path))
    except OSError as error:
        with contextlib.closing(end):
            raise Exhausted(
                "A machine's socket cannot be made",
                details=f"{path}: {error.strerror}",
                resolution="Make sure that the folder exists and is writable for this user.",
            ) from error
    return end


def is_dead(path: Path) -> bool:
    """Whether a datagram socket's file is there and no process holds it any more."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as probe:
        try:
            probe.connect(bytes(path))
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False

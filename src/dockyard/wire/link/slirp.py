"""Binding of libslirp, the TCP/IP stack in user space that QEMU's own user network stands on; the only door to it.

Used by ``stack``. Written against ``libslirp.h`` of 4.7 with version 1 of its configuration, which all later releases
accept. One `Slirp` is one network with one machine; it is called from one thread only. The calls are short and call
back into Python, so the interpreter lock is kept (PyDLL).

The network is restricted: a guest reaches the UNIX sockets given to `add_unix` and nothing else, least of all the host.
"""

from __future__ import annotations

import ctypes
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntFlag
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from dockyard.model.errors import Exhausted

LIBRARY = "libslirp.so.0"
_CONFIG_VERSION = 1
# A stack takes only guest-side addresses inside its own network, so this one spans both of the platform's.
_NETWORK = IPv4Network("168.0.0.0/7")
_HOST = IPv4Address("168.0.0.2")
_NAME_SERVER = IPv4Address("168.0.0.3")
_NO_TIMEOUT = 0xFFFFFFFF
_IDLE_MILLISECONDS = 1000  # what it answers when nothing waits: poll loops like to look around once a second


class Events(IntFlag):
    """What a descriptor is waited for, or ready for."""

    IN = 1 << 0
    OUT = 1 << 1
    PRIORITY = 1 << 2
    ERROR = 1 << 3
    HANG_UP = 1 << 4


@dataclass(frozen=True)
class Wish:
    """What the stack waits for: descriptors, and the seconds after which it wants to look at its own timers."""

    descriptors: dict[int, Events]
    seconds: float | None


class _InAddr(ctypes.Structure):
    _fields_ = [("s_addr", ctypes.c_uint32)]

    @classmethod
    def of(cls, address: IPv4Address) -> _InAddr:
        return cls.from_buffer_copy(address.packed)


class _In6Addr(ctypes.Structure):
    _fields_ = [("s6_addr", ctypes.c_uint8 * 16)]


class _Config(ctypes.Structure):
    """``SlirpConfig`` as far as version 1 goes; the library reads no further."""

    _fields_ = [
        ("version", ctypes.c_uint32),
        ("restricted", ctypes.c_int),
        ("in_enabled", ctypes.c_bool),
        ("vnetwork", _InAddr),
        ("vnetmask", _InAddr),
        ("vhost", _InAddr),
        ("in6_enabled", ctypes.c_bool),
        ("vprefix_addr6", _In6Addr),
        ("vprefix_len", ctypes.c_uint8),
        ("vhost6", _In6Addr),
        ("vhostname", ctypes.c_char_p),
        ("tftp_server_name", ctypes.c_char_p),
        ("tftp_path", ctypes.c_char_p),
        ("bootfile", ctypes.c_char_p),
        ("vdhcp_start", _InAddr),
        ("vnameserver", _InAddr),
        ("vnameserver6", _In6Addr),
        ("vdnssearch", ctypes.c_void_p),
        ("vdomainname", ctypes.c_char_p),
        ("if_mtu", ctypes.c_size_t),
        ("if_mru", ctypes.c_size_t),
        ("disable_host_loopback", ctypes.c_bool),
        ("enable_emu", ctypes.c_bool),
    ]


_SendPacket = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
_GuestError = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_void_p)
_ClockGetNs = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)
_TimerNew = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
_TimerFree = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
_TimerMod = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
_PollFd = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p)
_Notify = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_AddPoll = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
_GetEvents = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)


class _Callbacks(ctypes.Structure):
    """``SlirpCb`` as far as version 1 goes."""

    _fields_ = [
        ("send_packet", _SendPacket),
        ("guest_error", _GuestError),
        ("clock_get_ns", _ClockGetNs),
        ("timer_new", _TimerNew),
        ("timer_free", _TimerFree),
        ("timer_mod", _TimerMod),
        ("register_poll_fd", _PollFd),
        ("unregister_poll_fd", _PollFd),
        ("notify", _Notify),
    ]


@functools.cache
def load(name: str = LIBRARY) -> ctypes.PyDLL:
    """Load the library and tell ctypes its functions' types. Raises Exhausted when it is not installed."""
    try:
        library = ctypes.PyDLL(name)
    except OSError as error:
        raise Exhausted(
            f"The library {name} cannot be loaded",
            details=str(error),
            resolution="Install the package libslirp0 (Debian, Ubuntu) or libslirp (elsewhere); QEMU needs it too.",
            code="MissingDependency",
        ) from error
    library.slirp_new.restype = ctypes.c_void_p
    library.slirp_new.argtypes = [ctypes.POINTER(_Config), ctypes.POINTER(_Callbacks), ctypes.c_void_p]
    library.slirp_cleanup.argtypes = [ctypes.c_void_p]
    library.slirp_input.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    library.slirp_pollfds_fill.argtypes = [
        ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint32), _AddPoll, ctypes.c_void_p,
    ]  # fmt: skip
    library.slirp_pollfds_poll.argtypes = [ctypes.c_void_p, ctypes.c_int, _GetEvents, ctypes.c_void_p]
    library.slirp_add_unix.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(_InAddr), ctypes.c_int]
    for function in ("slirp_cleanup", "slirp_input", "slirp_pollfds_fill", "slirp_pollfds_poll"):
        library[function].restype = None
    return library


class Slirp:
    """One stack. After `close`, every other method is an error of the caller.

    Args:
        send: takes an Ethernet frame for the machine; must neither block nor raise.
        opened: told each descriptor the stack has opened.
        closing: told each descriptor before it is closed, also from within `close`.
    """

    def __init__(
        self, *, send: Callable[[bytes], None], opened: Callable[[int], None], closing: Callable[[int], None]
    ) -> None:
        self._library = load()
        self._polled: list[tuple[int, Events]] = []
        self._ready: dict[int, Events] = {}
        # The library keeps pointers to these; they must live as long as the stack.
        self._callbacks = _callbacks(send=send, opened=opened, closing=closing)
        self._add_poll = _AddPoll(self._take_descriptor)
        self._get_events = _GetEvents(self._events_of)
        handle = self._library.slirp_new(_config(), self._callbacks, None)
        if not handle:
            raise Exhausted(
                "libslirp refused its configuration",
                resolution="Report this together with the version of the package libslirp0.",
                code="MissingDependency",
            )
        self._handle: int | None = handle

    def add_unix(self, *, address: IPv4Address, port: int, path: Path) -> None:
        """Lead TCP connections to an address and port to a UNIX stream socket. Raises ValueError when it cannot."""
        where = _InAddr.of(address)
        if self._library.slirp_add_unix(self._handle, bytes(path), where, port) != 0:
            raise ValueError(f"{address} lies outside {_NETWORK} or is the stack's own")

    def input(self, frame: bytes) -> None:
        """Give the stack a frame from the machine."""
        self._library.slirp_input(self._handle, frame, len(frame))

    def wish(self) -> Wish:
        """Ask what to wait for; to be asked anew after each call of `input` and `poll`."""
        timeout = ctypes.c_uint32(_NO_TIMEOUT)
        self._polled = []
        self._library.slirp_pollfds_fill(self._handle, timeout, self._add_poll, None)
        waits = timeout.value < _IDLE_MILLISECONDS
        return Wish(dict(self._polled), timeout.value / 1000 if waits else None)

    def poll(self, ready: dict[int, Events]) -> None:
        """Tell which of the descriptors last wished for are ready; with none, only timers are looked at."""
        self._ready = ready
        self._library.slirp_pollfds_poll(self._handle, 0, self._get_events, None)

    def close(self) -> None:
        """Close all connections and free the stack; no error when that was done before."""
        handle, self._handle = self._handle, None
        if handle is not None:
            self._library.slirp_cleanup(handle)

    def _take_descriptor(self, descriptor: int, events: int, _opaque: int | None) -> int:
        self._polled.append((descriptor, Events(events)))
        return len(self._polled) - 1

    def _events_of(self, index: int, _opaque: int | None) -> int:
        descriptor, wanted = self._polled[index]
        return self._ready.get(descriptor, Events(0)) & wanted


def _callbacks(
    *, send: Callable[[bytes], None], opened: Callable[[int], None], closing: Callable[[int], None]
) -> _Callbacks:
    def send_packet(data: int, length: int, _opaque: int | None) -> int:
        send(ctypes.string_at(data, length))
        return length

    # Timers serve IPv6 router advertisements only, and that is off: none is ever made.
    return _Callbacks(
        send_packet=_SendPacket(send_packet),
        guest_error=_GuestError(lambda _message, _opaque: None),
        clock_get_ns=_ClockGetNs(lambda _opaque: time.monotonic_ns()),
        timer_new=_TimerNew(lambda _function, _argument, _opaque: None),
        timer_free=_TimerFree(lambda _timer, _opaque: None),
        timer_mod=_TimerMod(lambda _timer, _expires, _opaque: None),
        register_poll_fd=_PollFd(lambda descriptor, _opaque: opened(descriptor)),
        unregister_poll_fd=_PollFd(lambda descriptor, _opaque: closing(descriptor)),
        notify=_Notify(lambda _opaque: None),
    )


def _config() -> _Config:
    return _Config(
        version=_CONFIG_VERSION,
        restricted=1,
        in_enabled=True,
        vnetwork=_InAddr.of(_NETWORK.network_address),
        vnetmask=_InAddr.of(_NETWORK.netmask),
        vhost=_InAddr.of(_HOST),
        vnameserver=_InAddr.of(_NAME_SERVER),
        in6_enabled=False,
        disable_host_loopback=True,
        enable_emu=False,
    )

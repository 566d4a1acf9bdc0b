"""A machine's loopback ports: whether they are free, who holds one that is not, and how QEMU is told of them.

Called by ``driver``, and by the fabric through ``LoopbackPorts``. Only looks and words; QEMU itself opens the ports.
"""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dockyard.hypervisors.qemu import procfs
from dockyard.hypervisors.qemu.argv import NETDEV, forwarding_rule
from dockyard.model.errors import Exhausted
from dockyard.model.virtual_machine import PortForward

_LISTENING = "0A"  # the state's number in /proc/net/tcp
_QEMU_REFUSAL = re.compile(r"Could not set up host forwarding rule '(?:tcp|udp):127\.0\.0\.1:(\d+)-", re.IGNORECASE)
_LISTENER = re.compile(r"\s*(TCP|UDP)\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s+\S+\s+(\d+)\s")


class LoopbackPorts:
    """The port ``HostPorts`` of the fabric, for choosing a new machine's forwards."""

    def is_free(self, *, port: int, protocol: str = "tcp") -> bool:
        """Tell whether something could listen on the port of 127.0.0.1 now."""
        return _is_free(port, protocol=protocol)


@dataclass(frozen=True)
class Listener:
    """One forward as QEMU has it."""

    protocol: str
    host_port: int
    guest_port: int

    @property
    def removal(self) -> str:
        """The monitor's command that takes it away; no port of another address is meant by it."""
        return f"hostfwd_remove {NETDEV} {self.protocol}:127.0.0.1:{self.host_port}"


def addition(forward: PortForward) -> str:
    """Return the monitor's command that opens a forward."""
    return f"hostfwd_add {NETDEV} {forwarding_rule(forward)}"


def listeners(table: str) -> frozenset[Listener]:
    """Read the forwards out of what ``info usernet`` prints (QEMU 7.2)."""
    found = (_LISTENER.match(line) for line in table.splitlines())
    return frozenset(Listener(match[1].lower(), int(match[2]), int(match[3])) for match in found if match)


def changes(table: str, *, wanted: Sequence[PortForward]) -> tuple[list[str], list[PortForward]]:
    """Return the commands that take away what is not wanted, and the forwards that lack."""
    present = listeners(table)
    kept = {Listener(forward.protocol, forward.host_port, forward.guest_port): forward for forward in wanted}
    removed = sorted(listener.removal for listener in present - kept.keys())
    return removed, [forward for listener, forward in kept.items() if listener not in present]


def check_free(forwards: Sequence[PortForward]) -> None:
    """Raise Exhausted (code PortInUse) for the first port that cannot be opened; names port and holder."""
    for forward in forwards:
        if not _is_free(forward.host_port, protocol=forward.protocol):
            raise port_in_use(forward.host_port)


def refused_port(output: str) -> int | None:
    """Return the port QEMU could not open, read from what it wrote as it died (QEMU 7.2 with libslirp 4.7)."""
    match = _QEMU_REFUSAL.search(output)
    return int(match[1]) if match else None


def port_in_use(port: int) -> Exhausted:
    """Return the error for a port that is taken."""
    holder = _holder(port)
    return Exhausted(
        f"Port {port} of this computer is in use",
        details=f"It is held by {holder}." if holder else "",
        resolution="End that program, or give the machine another port.",
        code="PortInUse",
        temporary=True,
    )


def listening_inode(table: Iterable[str], *, port: int) -> str | None:
    """Find a listener in the lines of ``/proc/net/tcp``: local address is field 2, state 4, inode 10."""
    suffix = f":{port:04X}"
    for line in table:
        fields = line.split()
        if len(fields) > 9 and fields[1].endswith(suffix) and fields[3] == _LISTENING:
            return fields[9]
    return None


def _is_free(port: int, *, protocol: str) -> bool:
    stream = protocol == "tcp"
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM) as probe:
        try:
            if stream:  # as QEMU does: connections of an earlier run that wait for their time to end are no hindrance
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            if stream:
                probe.listen()
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def _holder(port: int) -> str:
    for name in ("tcp", "tcp6"):
        table = Path("/proc/net", name)
        inode = listening_inode(table.read_text().splitlines(), port=port) if table.exists() else None
        if inode is not None:
            pid = procfs.socket_holder(inode)
            return procfs.describe(pid) if pid else "a program of another user"
    return ""

"""Tell before a start whether a machine's loopback ports are free, and who holds one that is not.

Called by ``driver``, and by the fabric through ``LoopbackPorts``. Only looks; QEMU itself opens the ports.
"""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Iterable, Sequence
from pathlib import Path

from dockyard.hypervisors.qemu import procfs
from dockyard.model.errors import Exhausted
from dockyard.model.virtual_machine import PortForward

_LISTENING = "0A"  # the state's number in /proc/net/tcp
_QEMU_REFUSAL = re.compile(r"Could not set up host forwarding rule 'tcp:127\.0\.0\.1:(\d+)-")


class LoopbackPorts:
    """The port ``HostPorts`` of the fabric, for choosing a new machine's forwards."""

    def is_free(self, *, port: int) -> bool:
        """Tell whether something could listen on the port of 127.0.0.1 now."""
        return _is_free(port)


def check_free(forwards: Sequence[PortForward]) -> None:
    """Raise Exhausted (code PortInUse) for the first port that cannot be opened; names port and holder."""
    for forward in forwards:
        if not _is_free(forward.host_port):
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


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As QEMU does: connections of an earlier run that still wait for their time to end are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
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

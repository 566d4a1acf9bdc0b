"""Start one machine's QEMU and wait until it answers, or say why it does not.

Called by ``driver``, with everything prepared. Does not decide what to start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from dockyard.hypervisors.qemu import console, forwards, monitor, processes, procfs
from dockyard.hypervisors.qemu.files import MachineFiles
from dockyard.model.errors import DeadlineExceeded, DockyardError, OperationFailed
from dockyard.model.virtual_machine import ProcessIdentity

START_SECONDS = 30.0
"""How long QEMU may take to set a machine up, memory and disk included, on a busy host."""

_RETRY_SECONDS = 0.02
_SHOWN_LINES = 12


async def launch(argv: Sequence[str], *, vm_id: str, files: MachineFiles) -> ProcessIdentity:
    """Start QEMU; return once it runs the machine, or once it turned out that another QEMU already does.

    Raises:
        Exhausted: QEMU could not open a port (code PortInUse).
        OperationFailed: it ended at once; details are its last lines.
        DeadlineExceeded: it did not answer in time; it was ended.
    """
    offset = console.size(files.log)
    identity = processes.start(argv, log=files.log)
    try:
        if await wait_answering(identity, vm_id=vm_id, files=files):
            return identity
    except DeadlineExceeded:
        await processes.end(identity)
        raise
    # QEMU locks pidfile and disk: the loser of a race between two servers ends at once, and the winner is the machine.
    other = processes.find(vm_id=vm_id, pidfile=files.pid)
    if other is None:
        raise explain(console.since(files.log, offset=offset), files=files)
    return other


async def wait_answering(identity: ProcessIdentity, *, vm_id: str, files: MachineFiles) -> bool:
    """Wait until the process answers as this machine; False when it is gone.

    Raises:
        DeadlineExceeded: it runs and does not answer.
    """
    try:
        async with asyncio.timeout(START_SECONDS):
            while procfs.is_alive(identity):
                with suppress(monitor.MonitorUnavailable):
                    if (await monitor.uuid(files.monitor, process=identity)).lower() == vm_id.lower():
                        return True
                await processes.wait_gone(identity, deadline=_RETRY_SECONDS)
    except TimeoutError as error:
        raise DeadlineExceeded(
            f"QEMU (process {identity.pid}) runs the machine but did not answer within {START_SECONDS:.0f} s",
            details=f"Its control socket is '{files.monitor}'.",
            resolution="Power the machine off and start it again.",
            temporary=True,
        ) from error
    return False


def explain(output: str, *, files: MachineFiles) -> DockyardError:
    """Turn QEMU's last words into the error they mean."""
    port = forwards.refused_port(output)
    if port is not None:
        return forwards.port_in_use(port)
    lines = [line for line in output.splitlines() if line.strip()]
    return OperationFailed(
        "QEMU ended as soon as it was started",
        details="\n".join(lines[-_SHOWN_LINES:]) or "It wrote nothing.",
        resolution=f"Its whole output is in '{files.log}'.",
    )

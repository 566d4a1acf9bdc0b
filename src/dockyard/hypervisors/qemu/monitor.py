"""Talk to a running QEMU over its control protocol (QMP); the only module that knows ``qemu.qmp``.

Called by ``driver``. QEMU serves one client at a time, so every action is a short connection of its own and a second
one waits its turn, within its deadline. Errors of the library end here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from qemu.qmp import QMPClient, QMPError

from dockyard.model.errors import OperationFailed

ANSWER_SECONDS = 10.0
"""How long QEMU may take to accept a connection and to answer one command."""


class MonitorUnavailable(OperationFailed):
    """QEMU does not answer on its control socket: it is starting, ending, hangs or is gone."""


class _QuietClient(QMPClient):
    """The library logs refused connections as errors; here they are an expected answer, raised and dealt with."""

    logger = logging.getLogger(f"{__name__}.qmp")


logging.getLogger(f"{__name__}.qmp").setLevel(logging.CRITICAL)


async def run_state(socket: Path) -> str:
    """Return QEMU's word for what the machine does: ``running``, ``paused``, ``io-error``, ``shutdown`` and others.

    Raises:
        MonitorUnavailable: no answer in time.
    """
    answer = await _execute(socket, "query-status")
    return str(answer["status"]) if isinstance(answer, dict) else ""


async def uuid(socket: Path) -> str:
    """Return the UUID of the machine that listens there. Raises MonitorUnavailable."""
    answer = await _execute(socket, "query-uuid")
    return str(answer["UUID"]) if isinstance(answer, dict) else ""


async def press_power_button(socket: Path) -> None:
    """Ask the guest, by ACPI, to shut down; it may take its time or not listen. Raises MonitorUnavailable."""
    await _execute(socket, "system_powerdown")


async def _execute(socket: Path, command: str) -> object:
    try:
        async with asyncio.timeout(ANSWER_SECONDS), _session(socket) as client:
            return await client.execute(command)
    except (QMPError, TimeoutError, EOFError, OSError) as error:
        raise MonitorUnavailable(
            f"QEMU did not answer '{command}'", details=f"{socket}: {error}", temporary=True
        ) from error


@asynccontextmanager
async def _session(socket: Path) -> AsyncIterator[QMPClient]:
    client = _QuietClient()
    await client.connect(str(socket))
    try:
        yield client
    finally:
        await client.disconnect()

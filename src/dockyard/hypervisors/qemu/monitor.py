"""Talk to a running QEMU over its control protocol (QMP); the only module that knows ``qemu.qmp``.

Called by ``driver``. QEMU serves one client at a time, so every action is a short connection of its own and a second
one waits its turn, within its deadline. Errors of the library end here.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from qemu.qmp import ExecuteError, QMPClient, QMPError

from dockyard.model.errors import OperationFailed
from dockyard.model.virtual_machine import ProcessIdentity

_log = logging.getLogger(f"{__name__}.library")
_log.setLevel(logging.CRITICAL)  # the library logs refused connections as errors; here they are raised and dealt with

ANSWER_SECONDS = 10.0
"""How long QEMU may take to accept a connection and to answer one command."""


class MonitorUnavailable(OperationFailed):
    """QEMU does not answer on its control socket: it is starting, ending, hangs or is gone."""


async def uuid(path: Path, *, process: ProcessIdentity) -> str:
    """Return the UUID of the machine ``process`` runs. Raises MonitorUnavailable."""
    answer = await execute(path, "query-uuid", process=process)
    return str(answer["UUID"]) if isinstance(answer, dict) else ""


async def press_power_button(path: Path, *, process: ProcessIdentity) -> None:
    """Ask the guest, by ACPI, to shut down; it may take its time or not listen. Raises MonitorUnavailable."""
    await execute(path, "system_powerdown", process=process)


async def human_command(path: Path, line: str, *, process: ProcessIdentity) -> str:
    """Return what a command of QEMU's human monitor prints: what QMP has no command for. Raises MonitorUnavailable."""
    answer = await execute(path, "human-monitor-command", {"command-line": line}, process=process)
    return str(answer)


async def block_devices(path: Path, *, process: ProcessIdentity) -> dict[str, str]:
    """Return the disks' devices, by id or path, with the node each reads. Raises MonitorUnavailable."""
    answer = await execute(path, "query-block", process=process)
    return {
        str(entry["qdev"]): str(entry["inserted"]["node-name"])
        for entry in (answer if isinstance(answer, list) else [])
        if "qdev" in entry and "inserted" in entry
    }


async def device_ids(path: Path, *, process: ProcessIdentity) -> set[str]:
    """Return the ids of the devices that have one. Raises MonitorUnavailable."""
    answer = await execute(path, "qom-list", {"path": "/machine/peripheral"}, process=process)
    return {str(entry["name"]) for entry in (answer if isinstance(answer, list) else [])}


async def block_nodes(path: Path, *, process: ProcessIdentity) -> list[str]:
    """Return the names of all block nodes. Raises MonitorUnavailable."""
    answer = await execute(path, "query-named-block-nodes", {"flat": True}, process=process)
    return [str(entry["node-name"]) for entry in (answer if isinstance(answer, list) else [])]


async def execute(
    path: Path, command: str, arguments: Mapping[str, object] | None = None, *, process: ProcessIdentity
) -> object:
    """Return the answer to one command of QMP. Raises MonitorUnavailable, OperationFailed when QEMU refuses."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS), _session(path, process=process) as client:
            return await client.execute(command, dict(arguments) if arguments else None)
    except ExecuteError as error:
        raise OperationFailed(f"QEMU refused '{command}'", details=str(error)) from error
    except (QMPError, TimeoutError, EOFError, OSError) as error:
        raise MonitorUnavailable(
            f"QEMU did not answer '{command}'", details=f"{path}: {error}", temporary=True
        ) from error


@asynccontextmanager
async def _session(path: Path, *, process: ProcessIdentity) -> AsyncIterator[QMPClient]:
    client = QMPClient()
    client.logger = _log
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(0)
        await asyncio.get_running_loop().sock_connect(connection, str(path))
        _check_listener(connection, process=process)
        await client.connect(connection)
        try:
            yield client
        finally:
            await client.disconnect()


def _check_listener(connection: socket.socket, *, process: ProcessIdentity) -> None:
    """Make sure of who listens: a path may still lead to the QEMU before, or to one that is about to take its place."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    listener, _, _ = struct.unpack("3i", credentials)
    if listener != process.pid:
        raise ConnectionRefusedError(f"process {listener} listens there, not {process.pid}")

"""Where a machine's files are. Names only: nothing here touches the disk.

Used by every module of this room; the layout is described in ``MachineFiles``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dockyard.model.errors import InvalidRequest

LONGEST_SOCKET_PATH = 107
"""Bytes the kernel takes for the path of a Unix socket (``sun_path`` without its final zero)."""


@dataclass(frozen=True, kw_only=True)
class MachineFiles:
    """All files of one machine.

    Attributes:
        folder: ``<machines>/<vm id>``, mode 0700; lasts as long as the machine.
        sockets: ``<runtime>/<vm id>``, on a short path; other rooms keep sockets there too.
    """

    folder: Path
    sockets: Path

    @property
    def disk(self) -> Path:
        """The machine's own layer over its image, qcow2. It exists only when it is complete."""
        return self.folder / "disk.qcow2"

    @property
    def unfinished_disk(self) -> Path:
        """The disk while it is being made."""
        return self.folder / "disk.qcow2.new"

    def data_disk(self, id: str) -> Path:
        """A disk beside the first, qcow2 without a backing file."""
        return self.folder / f"data-{id}.qcow2"

    @property
    def data_disks(self) -> str:
        """A pattern that the names of all data disks fit."""
        return "data-*.qcow2"

    @property
    def disc(self) -> Path:
        """What the machine is given to read in one run alone; there only while QEMU starts."""
        return self.folder / "disc.iso"

    @property
    def console(self) -> Path:
        """What the guest wrote to its serial port, all runs one after the other."""
        return self.folder / "console.log"

    @property
    def log(self) -> Path:
        """What QEMU itself wrote."""
        return self.folder / "qemu.log"

    @property
    def pid(self) -> Path:
        """QEMU's own process number, written and locked by QEMU."""
        return self.folder / "pid"

    @property
    def monitor(self) -> Path:
        """The socket QEMU's control protocol is spoken on."""
        return self.sockets / "qmp.sock"


@dataclass(frozen=True, kw_only=True)
class Folders:
    """The two roots all machines share; absolute paths."""

    machines: Path
    runtime: Path

    def of(self, vm_id: str) -> MachineFiles:
        """Return the files of one machine.

        Raises:
            InvalidRequest: ``vm_id`` is not a plain name, or the runtime folder's path is too long for sockets.
        """
        if not vm_id or vm_id in (".", "..") or "/" in vm_id:
            raise InvalidRequest(f"'{vm_id}' cannot name a machine's folder")
        files = MachineFiles(folder=self.machines / vm_id, sockets=self.runtime / vm_id)
        if len(bytes(files.monitor)) > LONGEST_SOCKET_PATH:
            raise InvalidRequest(
                f"The runtime folder '{self.runtime}' has too long a name for sockets",
                resolution="Set DOCKYARD_HOME or XDG_RUNTIME_DIR to a shorter path.",
            )
        return files

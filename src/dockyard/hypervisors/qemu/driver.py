"""Machines as QEMU processes: the port ``HypervisorDriver``, joined from the parts of this room.

Made by ``dockyard.serve``, called by the fabric. Keeps no record of what runs: every answer is observed anew from files
and processes, so a server that was killed at any moment, or another one after it, finds everything again.
"""

from __future__ import annotations

import asyncio
import shlex
import shutil
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from weakref import WeakValueDictionary

from dockyard import files as written
from dockyard.fabric.ports import Clock, MachineSpec, MachineState
from dockyard.hypervisors.qemu import argv, console, data_disks, disc, disks, monitor, processes, procfs
from dockyard.hypervisors.qemu import forwards as loopback
from dockyard.hypervisors.qemu.acceleration import (
    Acceleration,
    AccelerationChoice,
    AccelerationMode,
    KvmProber,
)
from dockyard.hypervisors.qemu.files import Folders, MachineFiles
from dockyard.hypervisors.qemu.launch import launch, wait_answering
from dockyard.model.disk import DataDisk
from dockyard.model.errors import NotFound, OperationFailed
from dockyard.model.virtual_machine import PortForward, ProcessIdentity

PRESS_AGAIN_SECONDS = 5.0
"""A guest that is still starting misses the power button; it is pressed again until the guest is gone."""

_DETACHING_LOOK_SECONDS = 0.05


def qemu_driver(
    *, machines: Path, runtime: Path, state: Path, clock: Clock, mode: AccelerationMode = AccelerationMode.AUTO
) -> QemuDriver:
    """Return the driver for this host.

    Args:
        machines: where machines' folders are.
        runtime: where sockets are; a short path.
        state: where the verdict on KVM is kept.
        clock: tells the time for marks in the logs.
        mode: what the user wants machines to be run by.
    """
    choice = AccelerationChoice(mode=mode, verdict_file=state / "acceleration.json", prober=KvmProber())
    folders = Folders(machines=machines.resolve(), runtime=runtime.absolute())
    return QemuDriver(folders=folders, acceleration=choice, clock=clock)


class QemuDriver:
    """See ``dockyard.fabric.ports.HypervisorDriver`` for what each method promises."""

    def __init__(self, *, folders: Folders, acceleration: AccelerationChoice, clock: Clock) -> None:
        self._folders = folders
        self._acceleration = acceleration
        self._clock = clock
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def create(self, *, spec: MachineSpec) -> None:
        """Make the machine's folder and disk."""
        files = self._folders.of(spec.machine.vm_id)
        async with self._changing(spec.machine.vm_id):
            files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                await self._create_disk(spec, files=files)
                await self._keep_data_disks(spec, files=files)
            finally:
                with suppress(OSError):  # not empty: the disk is there
                    files.folder.rmdir()

    async def start(self, *, spec: MachineSpec) -> ProcessIdentity:
        """Start the machine, or return the identity of the process that already runs it."""
        vm_id = spec.machine.vm_id
        files = self._folders.of(vm_id)
        async with self._changing(vm_id):
            running = await processes.find_settled(vm_id=vm_id, pidfile=files.pid)
            if running and await wait_answering(running, vm_id=vm_id, files=files):
                return running
            started = await self._start(spec, files=files)
            files.disc.unlink(missing_ok=True)  # QEMU holds it open; it stays on the host no longer than the run
            return started

    async def observe(self, *, vm_id: str) -> MachineState:
        """Look at files and process."""
        files = self._folders.of(vm_id)
        if processes.find(vm_id=vm_id, pidfile=files.pid):
            return MachineState.RUNNING
        return MachineState.STOPPED if files.disk.exists() else MachineState.ABSENT

    async def identify(self, *, vm_id: str) -> ProcessIdentity | None:
        """Return the identity of the process that runs the machine, None when none does."""
        return processes.find(vm_id=vm_id, pidfile=self._folders.of(vm_id).pid)

    async def shut_down(self, *, vm_id: str, deadline_seconds: float) -> None:
        """Ask the guest to power off, wait, then power off by force."""
        files = self._folders.of(vm_id)
        running = processes.find(vm_id=vm_id, pidfile=files.pid)
        if running and not await _ask_to_power_off(running, files=files, deadline=deadline_seconds):
            await self.power_off(vm_id=vm_id)

    async def set_forwards(self, *, vm_id: str, forwards: Sequence[PortForward]) -> None:
        """Compare with what QEMU has, then take away and open; nothing is remembered."""
        files = self._folders.of(vm_id)
        async with self._changing(vm_id):
            running = processes.find(vm_id=vm_id, pidfile=files.pid)
            if running:
                await _set_forwards(running, files=files, wanted=forwards)

    async def set_data_disks(self, *, spec: MachineSpec) -> None:
        """Compare with what QEMU has, then take away and attach; nothing is remembered."""
        vm_id = spec.machine.vm_id
        files = self._folders.of(vm_id)
        async with self._changing(vm_id):
            running = processes.find(vm_id=vm_id, pidfile=files.pid)
            if running:
                await _set_data_disks(running, files=files, wanted=spec.machine.attached_disks)

    async def power_off(self, *, vm_id: str) -> None:
        """Cut the power; what QEMU itself holds in caches is written."""
        async with self._changing(vm_id):
            await self._power_off(self._folders.of(vm_id), vm_id=vm_id)

    async def delete(self, *, vm_id: str) -> None:
        """Power off and remove every file of the machine."""
        files = self._folders.of(vm_id)
        async with self._changing(vm_id):
            await self._remove(files, vm_id=vm_id)
            # A server killed within the start of a QEMU leaves one that shows itself a moment later. Without its files
            # it either ends by itself, or had opened them before they were removed and is found by this second look.
            if processes.find(vm_id=vm_id, pidfile=files.pid):
                await self._remove(files, vm_id=vm_id)

    async def list(self) -> Sequence[str]:
        """Return the ids of the machines of which a folder or a process exists."""
        machines = self._folders.machines
        folders = {entry.name for entry in machines.iterdir() if entry.is_dir()} if machines.exists() else set()
        running = {
            machine.marks.vm_id
            for machine in procfs.running_machines()
            if machine.marks.pidfile.parent.parent == machines
        }
        return sorted(folders | running)

    def console_tail(self, *, vm_id: str, lines: int) -> Sequence[str]:
        """Return the last lines the guest wrote to its serial console, escape sequences removed."""
        return console.tail(self._folders.of(vm_id).console, lines=lines)

    def console_log(self, *, vm_id: str) -> bytes:
        """Return the whole serial console log."""
        return console.whole(self._folders.of(vm_id).console)

    def hypervisor_log(self, *, vm_id: str) -> bytes:
        """Return QEMU's command lines and what it wrote."""
        return console.whole(self._folders.of(vm_id).log)

    async def acceleration(self, *, kernel: Path) -> Acceleration:
        """Return what machines with this kernel are started with, and why; may try KVM for a few seconds."""
        return await self._acceleration.choose(kernel=kernel)

    def _changing(self, vm_id: str) -> asyncio.Lock:
        """Return the lock under which a machine is changed; it lives while somebody holds or awaits it."""
        return self._locks.setdefault(vm_id, asyncio.Lock())

    async def _create_disk(self, spec: MachineSpec, *, files: MachineFiles) -> None:
        if not files.disk.exists():
            await disks.create_overlay(
                path=files.disk,
                unfinished=files.unfinished_disk,
                backing=spec.image.disk.absolute(),
                size_gib=spec.machine.disk_gib,
            )

    async def _keep_data_disks(self, spec: MachineSpec, *, files: MachineFiles) -> None:
        wanted = {files.data_disk(disk.id): disk.size_gib for disk in spec.machine.data_disks}
        for path in set(files.folder.glob(files.data_disks)) - set(wanted):
            path.unlink()
        for path, size in wanted.items():
            if not path.exists():
                await disks.create_empty(path=path, unfinished=files.unfinished_disk, size_gib=size)
        if processes.find(vm_id=spec.machine.vm_id, pidfile=files.pid) is None:
            for path, size in {files.disk: spec.machine.disk_gib, **wanted}.items():
                await disks.grow(path=path, size_gib=size)

    async def _start(self, spec: MachineSpec, *, files: MachineFiles) -> ProcessIdentity:
        if not files.disk.exists():
            raise NotFound(f"The machine '{spec.machine.id.name}' has no disk; it was not created")
        program = processes.program(processes.SYSTEM_PROGRAM)
        loopback.check_free(spec.machine.network.forwards)
        acceleration = await self._acceleration.choose(kernel=spec.image.kernel)
        _put_disc(spec, files=files)
        files.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
        now = self._clock.now()
        console.mark_start(files.console, at=now, text="machine started")
        console.mark_start(files.log, at=now, text=acceleration.why)
        arguments = argv.machine_arguments(program=program, spec=spec, files=files, acceleration=acceleration.kind)
        console.append(files.log, text=shlex.join(arguments))
        return await launch(arguments, vm_id=spec.machine.vm_id, files=files)

    async def _remove(self, files: MachineFiles, *, vm_id: str) -> None:
        await self._power_off(files, vm_id=vm_id)
        await asyncio.to_thread(_remove_files, files)

    async def _power_off(self, files: MachineFiles, *, vm_id: str) -> None:
        running = await processes.find_settled(vm_id=vm_id, pidfile=files.pid)
        if running:
            await processes.end(running)


def _put_disc(spec: MachineSpec, *, files: MachineFiles) -> None:
    if spec.disc:
        written.write(files.disc, disc.image(spec.disc), mode=written.SECRET)
    else:
        files.disc.unlink(missing_ok=True)


async def _set_forwards(running: ProcessIdentity, *, files: MachineFiles, wanted: Sequence[PortForward]) -> None:
    table = await monitor.human_command(files.monitor, "info usernet", process=running)
    removals, lacking = loopback.changes(table, wanted=wanted)
    for command in removals:
        await monitor.human_command(files.monitor, command, process=running)
    for forward in lacking:
        if await monitor.human_command(files.monitor, loopback.addition(forward), process=running):
            raise loopback.port_in_use(forward.host_port)  # the monitor speaks only of what it could not do


async def _set_data_disks(running: ProcessIdentity, *, files: MachineFiles, wanted: Sequence[DataDisk]) -> None:
    """Take away what is not wanted, then attach what lacks; what an earlier call left half-made goes too."""
    devices = await monitor.block_devices(files.monitor, process=running)
    going = data_disks.to_take_away(devices, wanted=wanted)
    for name in going:
        await monitor.execute(files.monitor, "device_del", {"id": name}, process=running)
    if going:
        devices = await _without(set(going), running=running, files=files)
    nodes = await monitor.block_nodes(files.monitor, process=running)
    for name in data_disks.unused(nodes, devices=devices):
        await monitor.execute(files.monitor, "blockdev-del", {"node-name": name}, process=running)
    lacking = data_disks.lacking(devices, wanted=wanted)
    if lacking and data_disks.CONTROLLER["id"] not in await monitor.device_ids(files.monitor, process=running):
        await monitor.execute(files.monitor, "device_add", data_disks.CONTROLLER, process=running)
    for disk in lacking:
        for block in data_disks.blocks(disk, path=files.data_disk(disk.id)):
            await monitor.execute(files.monitor, "blockdev-add", block, process=running)
        await monitor.execute(files.monitor, "device_add", data_disks.device(disk), process=running)


async def _without(going: set[str], *, running: ProcessIdentity, files: MachineFiles) -> dict[str, str]:
    """Return the devices once some are gone: QEMU lets go of a disk's node a moment after its answer."""
    look = partial(monitor.block_devices, files.monitor, process=running)
    try:
        async with asyncio.timeout(monitor.ANSWER_SECONDS):
            while going & (devices := await look()).keys():  # noqa: ASYNC110 - QEMU tells it to nobody who comes later
                await asyncio.sleep(_DETACHING_LOOK_SECONDS)
    except TimeoutError as error:
        raise OperationFailed(f"QEMU does not let go of {', '.join(going)}", temporary=True) from error
    return devices


async def _ask_to_power_off(running: ProcessIdentity, *, files: MachineFiles, deadline: float) -> bool:
    """Press the power button until the process is gone; False when it still runs after ``deadline`` seconds."""
    try:
        async with asyncio.timeout(deadline):
            while procfs.is_alive(running):
                with suppress(monitor.MonitorUnavailable):
                    await monitor.press_power_button(files.monitor, process=running)
                await processes.wait_gone(running, deadline=PRESS_AGAIN_SECONDS)
    except TimeoutError:
        return False
    return True


def _remove_files(files: MachineFiles) -> None:
    """Remove all files, the folder last: while it is there, ``list`` tells that there is something left to do.

    Other rooms keep sockets beside ours; those are theirs to remove.
    """
    try:
        files.monitor.unlink(missing_ok=True)
        with suppress(OSError):  # not empty, or gone already
            files.sockets.rmdir()
        with suppress(FileNotFoundError):
            shutil.rmtree(files.folder)
    except OSError as error:
        raise OperationFailed(
            f"The machine's files below '{files.folder}' could not be removed",
            details=str(error),
            resolution="See to the cause, then delete the machine again.",
            temporary=True,
        ) from error

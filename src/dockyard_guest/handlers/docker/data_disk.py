"""The data disk: a disk of its own for ``/var/lib/docker``, found, formatted when blank, mounted before the engine.

Only a disk without any signature is formatted; one that carries this extension's label is taken as it is, so that a
machine made anew finds its images and volumes. The engine depends on the mount, not the boot on it: a machine whose
disk is missing comes up, and its engine does not start on the wrong disk. Existing data is never moved: an engine that
has containers, images or volumes keeps them where they are, and the change is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard_contract.documents import parse_json
from dockyard_contract.environment import ExitCode
from dockyard_contract.errors import MalformedDocument
from dockyard_guest.errors import GuestError, PermanentError

from .places import DATA_ROOT, DISK_DROP_IN, MOUNT_FILE, MOUNT_UNIT, SERVICE, SOCKET_UNIT, SWARM_STATE
from .settings_daemon import ANY_DISK

if TYPE_CHECKING:
    from dockyard_contract.documents import JsonObject
    from dockyard_guest.ports import Machine, Step

LABEL = "docker-data"

_COLUMNS = "PATH,TYPE,FSTYPE,LABEL,MOUNTPOINT,MODEL,RO"
_LUN_FOLDERS = (("/dev/disk/azure/data/by-lun", ""), ("/dev/disk/azure/scsi1", "lun"))
_PASSING = "NVMe Direct Disk"
_LIMIT = 60.0
_FORMAT_LIMIT = 240.0
_PUBLIC = 0o644
_NOTHING_FOUND = 2
_MARKS = frozenset({"metadata.db", "backingFsBlockDev"})
_DROP_IN_TEXT = f"""# Written by the Docker extension: the engine does not start without its data disk.
[Unit]
RequiresMountsFor={DATA_ROOT}
"""
_MOUNT_TEXT = """# Written by the Docker extension; docker.data-disk of its settings says which disk.
[Unit]
Description=Data of the Docker engine
Before=docker.service
[Mount]
What=/dev/disk/by-uuid/{uuid}
Where={where}
Type={type}
Options=defaults,nodev
"""


@dataclass(frozen=True)
class Disk:
    """One block device as ``lsblk`` tells it.

    Attributes:
        path: Its node.
        kind: ``disk``, ``part``, ``loop`` and so on.
        file_system: Type of the file system, as far as is known without looking.
        label: Label of the file system.
        mounted_at: Where it is mounted; empty for nowhere.
        is_lasting: Whether what is written stays: it is not read-only, and not the machine's passing disk.
        is_divided: Whether it has partitions or is held by something else.
    """

    path: str
    kind: str
    file_system: str
    label: str
    mounted_at: str
    is_lasting: bool
    is_divided: bool

    @property
    def is_ours(self) -> bool:
        """Whether an extension like this one has formatted it."""
        return self.label == LABEL and self.file_system in ("ext4", "xfs")

    @property
    def may_be_blank(self) -> bool:
        """Whether nothing is known to be on it."""
        return not (self.file_system or self.mounted_at or self.is_divided) and self.is_lasting


def ensure_mounted(machine: Machine, *, wanted: str | int, step: Step) -> str:
    """Have the engine's data on the disk that is wanted. Answers what was found or done.

    Raises:
        PermanentError: There is no such disk, it holds something else, or the engine has data already.
    """
    disk = choose(read_disks(_lsblk(machine)), wanted=wanted, node=_node(machine, wanted))
    if disk.mounted_at == DATA_ROOT:
        _write_units(machine, disk)
        return f"{disk.path} holds {DATA_ROOT}"
    if disk.mounted_at:
        raise _refused(disk, f"is mounted at {disk.mounted_at}")
    _check_no_data(machine)
    if not disk.is_ours:
        _check_blank(machine, disk)
    step.checkpoint()
    if not disk.is_ours:
        step.say(f"formatting {disk.path}, which is blank")
        _format(machine, disk)
    _mount(machine, disk)
    return f"{disk.path} {'is' if disk.is_ours else 'was formatted and is'} mounted at {DATA_ROOT}"


def take_back(machine: Machine) -> None:
    """Let go of the disk once the engine is gone; what is on it stays."""
    if machine.files.read(MOUNT_FILE) is None:
        return
    machine.services.stop((MOUNT_UNIT,))
    _remove_units(machine)


def read_disks(text: bytes) -> tuple[Disk, ...]:
    """Read the answer of ``lsblk --json``, partitions and what stands on them included.

    Raises:
        PermanentError: It cannot be read.
    """
    try:
        root = parse_json(text, document="lsblk").object()
        return tuple(disk for item in root.array("blockdevices") for disk in _read(item.object()))
    except MalformedDocument as error:
        raise PermanentError("The machine's disks cannot be listed.", details=str(error)) from error


def choose(disks: tuple[Disk, ...], *, wanted: str | int, node: str | None) -> Disk:
    """The disk that is wanted; `node` is where the name that was given leads.

    Raises:
        PermanentError: There is none, or more than one could be meant.
    """
    if wanted != ANY_DISK:
        found = [disk for disk in disks if disk.path == node]
        if not found:
            name = f"at LUN {wanted}" if isinstance(wanted, int) else f"{wanted}"
            raise _no_disk(f"There is no disk {name} in this machine.", disks)
        return found[0]
    ours = [disk for disk in disks if disk.is_ours]
    there = [disk for disk in ours if disk.mounted_at == DATA_ROOT]
    candidates = there or ours or [disk for disk in disks if disk.kind == "disk" and disk.may_be_blank]
    if len(candidates) != 1:
        raise _no_disk(f"{len(candidates) or 'None'} of the machine's disks could be the data disk.", disks)
    return candidates[0]


def _read(item: JsonObject) -> list[Disk]:
    children = item.optional_array("children") or ()
    disk = Disk(
        path=item.string("path"),
        kind=item.optional_string("type") or "",
        file_system=item.optional_string("fstype") or "",
        label=item.optional_string("label") or "",
        mounted_at=item.optional_string("mountpoint") or "",
        is_lasting=item.value("ro").raw in (False, "0") and _PASSING not in (item.optional_string("model") or ""),
        is_divided=bool(children),
    )
    return [disk, *(inner for child in children for inner in _read(child.object()))]


def _lsblk(machine: Machine) -> bytes:
    return machine.commands.run(["lsblk", "--json", f"--output={_COLUMNS}"], timeout=_LIMIT).stdout


def _node(machine: Machine, wanted: str | int) -> str | None:
    if wanted == ANY_DISK:
        return None
    names = [f"{folder}/{prefix}{wanted}" for folder, prefix in _LUN_FOLDERS] if isinstance(wanted, int) else [wanted]
    for name in names:
        done = machine.commands.run(["readlink", "--canonicalize-existing", name], timeout=_LIMIT)
        if done.succeeded:
            return done.output.strip()
    return None


def _check_no_data(machine: Machine) -> None:
    def names(path: str) -> set[str]:
        return set(machine.files.names(f"{DATA_ROOT}/{path}")) - _MARKS

    stores = [f"image/{driver}/imagedb/content/sha256" for driver in names("image")]
    if machine.files.read(SWARM_STATE) is None and not any(map(names, ("containers", "volumes", *stores))):
        return
    raise PermanentError(
        f"The engine has containers, images or volumes in {DATA_ROOT}, which a disk would hide.",
        resolution="Give docker.data-disk to a machine without them, or leave it out; nothing has been changed.",
        exit_code=ExitCode.BAD_CONFIGURATION,
    )


def _check_blank(machine: Machine, disk: Disk) -> None:
    """Look at the disk itself: what the device manager remembers of it may be old."""
    if disk.file_system or disk.is_divided or not disk.is_lasting:
        raise _refused(disk, f"is not blank: it holds {disk.file_system or 'partitions or passing data'}")
    probe = machine.commands.run(["blkid", "--probe", disk.path], timeout=_LIMIT)
    signatures = machine.commands.run(["wipefs", "--no-act", disk.path], timeout=_LIMIT)
    if probe.exit_code != _NOTHING_FOUND or not signatures.succeeded or signatures.output.strip():
        raise _refused(disk, "is not blank: it carries the signature of something")


def _format(machine: Machine, disk: Disk) -> None:
    done = machine.commands.run(["mkfs.ext4", "-q", "-L", LABEL, "-m", "1", disk.path], timeout=_FORMAT_LIMIT)
    if not done.succeeded:
        raise PermanentError(f"{disk.path} could not be formatted.", details=done.complaint)


def _write_units(machine: Machine, disk: Disk) -> None:
    uuid, kind = (_probe(machine, disk, tag=tag) for tag in ("UUID", "TYPE"))
    texts = {MOUNT_FILE: _MOUNT_TEXT.format(uuid=uuid, where=DATA_ROOT, type=kind), DISK_DROP_IN: _DROP_IN_TEXT}
    for path, text in texts.items():
        if machine.files.read(path) != text.encode():
            machine.files.make_folder(path.rpartition("/")[0], mode=0o755)
            machine.files.write(path, text.encode(), mode=_PUBLIC)


def _mount(machine: Machine, disk: Disk) -> None:
    """Mount the disk under an engine that is stopped; one that ran, runs again when this cannot be done."""
    active = [unit.name for unit in machine.services.units((SOCKET_UNIT, SERVICE)) if unit.is_active]
    if active:
        machine.services.stop(active)
    _write_units(machine, disk)
    machine.services.reload_units()
    try:
        machine.services.start(MOUNT_UNIT)
    except GuestError:
        _remove_units(machine)
        if SERVICE in active:
            machine.services.start(SERVICE)
        raise


def _remove_units(machine: Machine) -> None:
    for path in (DISK_DROP_IN, MOUNT_FILE):
        machine.files.remove(path)
    machine.services.reload_units()


def _probe(machine: Machine, disk: Disk, *, tag: str) -> str:
    argv = ["blkid", "--probe", "--match-tag", tag, "--output", "value", disk.path]
    value = machine.commands.run(argv, timeout=_LIMIT).output.strip()
    if not value:
        raise _refused(disk, "has a file system that cannot be told")
    return value


def _refused(disk: Disk, reason: str) -> PermanentError:
    return PermanentError(
        f"The disk {disk.path} {reason}.",
        resolution="Name another disk as docker.data-disk, or clear this one with wipefs; nothing has been changed.",
        exit_code=ExitCode.BAD_CONFIGURATION,
    )


def _no_disk(brief: str, disks: tuple[Disk, ...]) -> PermanentError:
    seen = ", ".join(f"{disk.path} ({disk.file_system or disk.kind})" for disk in disks) or "none"
    return PermanentError(
        brief,
        details=f"Disks and their parts: {seen}",
        resolution="Name the disk as docker.data-disk, by its device or its LUN.",
        exit_code=ExitCode.BAD_CONFIGURATION,
    )

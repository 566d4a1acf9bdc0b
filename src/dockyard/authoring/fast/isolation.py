"""A private copy of this machine's files for a handler: what it writes is kept apart, and is what it changed.

Called by ``inside``, which ``runner`` has started in new mount, process, network, IPC and host name namespaces. The
root file system is the lower layer of an overlay whose upper layer is in memory; /tmp and /run are new and empty, so
that no socket of this machine's services is there; other file systems are read-only, /dev has no disks.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dockyard.model.errors import Exhausted

_DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
_PSEUDO = frozenset(
    (
        *("proc", "sysfs", "devtmpfs", "devpts", "tmpfs", "ramfs", "overlay", "cgroup", "cgroup2", "mqueue"),
        *("hugetlbfs", "debugfs", "tracefs", "securityfs", "pstore", "bpf", "fusectl", "configfs", "binfmt_misc"),
        *("autofs", "rpc_pipefs", "nsfs", "efivarfs", "selinuxfs"),
    )
)
_PR_CAPBSET_DROP = 24
_DROPPED = {"SYS_MODULE": 16, "SYS_RAWIO": 17, "SYS_BOOT": 22, "SYS_TIME": 25, "MKNOD": 27, "MAC_ADMIN": 33}

NAMESPACES = ("--mount", "--pid", "--fork", "--kill-child", "--net", "--ipc", "--uts")
NOTES = (
    "Isolated: files (a copy in memory), processes, network (loopback only), host name, /tmp, /run.",
    "There is no systemd, no service of this machine and no way out: what needs one is judged under a real agent.",
    "Not isolated: the kernel and its limits, processor and memory.",
)


@dataclass(frozen=True)
class Layers:
    """The files of this machine before the handler came, and those it wrote, as open folders."""

    lower: int
    upper: int


def enter(scratch: Path) -> Layers:
    """Make the copy below the empty folder ``scratch`` and make it this process's root.

    Raises:
        Exhausted: this kernel or these rights do not allow it.
    """
    _mount("--make-rprivate", "/")
    _mount("-t", "tmpfs", "-o", "mode=0700", "tmpfs", str(scratch))
    upper, work, root = (scratch / name for name in ("upper", "work", "root"))
    for folder in (upper, work, root):
        folder.mkdir(mode=0o755)
    _mount("-t", "overlay", "-o", f"lowerdir=/,upperdir={upper},workdir={work}", "overlay", str(root))
    layers = Layers(lower=_open("/"), upper=_open(upper))
    for place in _other_file_systems():
        _mount("--bind", str(place), f"{root}{place}")
        _mount("-o", "remount,bind,ro", f"{root}{place}")
    _furnish(root)
    os.chroot(root)
    os.chdir("/")
    _loopback()
    _drop_capabilities()
    return layers


def _furnish(root: Path) -> None:
    _mount("-t", "proc", "proc", f"{root}/proc")
    _mount("--bind", f"{root}/proc/sys", f"{root}/proc/sys")
    _mount("-o", "remount,bind,ro", f"{root}/proc/sys")
    _mount("-t", "sysfs", "-o", "ro", "sysfs", f"{root}/sys")
    for folder, mode in (("run", "0755"), ("tmp", "1777"), ("dev", "0755")):
        _mount("-t", "tmpfs", "-o", f"mode={mode}", "tmpfs", f"{root}/{folder}")
    for folder in ("run/lock", "dev/shm"):
        (root / folder).mkdir()
        (root / folder).chmod(0o1777)
    for name, (major, minor) in _DEVICES.items():
        os.mknod(root / "dev" / name, stat.S_IFCHR | 0o666, os.makedev(major, minor))
        (root / "dev" / name).chmod(0o666)
    (root / "dev/fd").symlink_to("/proc/self/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        (root / "dev" / name).symlink_to(f"/proc/self/fd/{number}")


def _other_file_systems() -> Iterator[Path]:
    """Return where file systems with files of their own are mounted, beside the root and what is made new."""
    new = ("/proc", "/sys", "/dev", "/run", "/tmp")  # noqa: S108 - these are mount points, not files
    for line in Path("/proc/self/mountinfo").read_text("utf-8").splitlines():
        fields = line.split()
        place, kind = fields[4].encode().decode("unicode_escape"), fields[fields.index("-") + 1]
        is_new = any(place == folder or place.startswith(f"{folder}/") for folder in new)
        if place != "/" and kind not in _PSEUDO and not is_new:
            yield Path(place)


def _loopback() -> None:
    program = shutil.which("ip")
    if program:
        subprocess.run([program, "link", "set", "lo", "up"], check=False, capture_output=True)


def _drop_capabilities() -> None:
    """Take from whatever is started from now on what would reach past the copy: modules, clock, disks, power."""
    library = ctypes.CDLL(None, use_errno=True)
    for number in _DROPPED.values():
        library.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0)


def _mount(*words: str) -> None:
    done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Exhausted(
            "A private copy of this machine's files cannot be made",
            details=f"mount {' '.join(words)}: {done.stderr.strip()}",
            resolution="Run the test as root on a kernel with overlay file systems. --no-isolation runs the handler "
            "with your own rights on this very machine; use that in throw-away places only, such as a CI container.",
            code="IsolationUnavailable",
        )


def _open(path: str | Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

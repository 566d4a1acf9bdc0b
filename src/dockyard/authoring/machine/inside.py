"""Runs in the machine, as root: remembers how it was, tells what the handler did, finds what it left. Prints JSON.

Sent there as text by ``arm`` with a request, which comes on standard input for it holds the canary. Standard library,
Python 3.9; a program, never imported by us but for its source.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import zlib
from pathlib import Path

_LOOKED_AT = ("etc", "opt", "srv", "root", "home", "usr/local", "usr/lib/systemd", "var/lib", "var/opt", "var/spool")
_OF_NOBODY = (  # what the agent, the package manager and the system keep for themselves
    *("var/lib/apt", "var/lib/dpkg", "var/lib/systemd", "var/lib/dhcp", "var/lib/private", "var/lib/chrony"),
    *("var/lib/containerd", "var/lib/docker", "var/lib/cloud", "var/lib/logrotate", "var/lib/sudo", "var/lib/waagent"),
    *("etc/ld.so.cache", "etc/mtab"),
)
_ACCOUNTS = {"user": "etc/passwd", "group": "etc/group"}
_UNITS = ("etc/systemd/system/", "usr/lib/systemd/system/")
_BIG = 4 * 1024 * 1024


class Machine:
    """The machine's files below a root, and the request: handler, record, secrets."""

    def __init__(self, request: dict[str, object], root: Path) -> None:
        self._root = root
        self._handler = str(request["handler"])
        self._record = root / str(request["record"]).lstrip("/")
        self._hidden = [str(secret).encode() for secret in list(request["hidden"])]  # type: ignore[call-overload]
        self._kept = self._record.with_suffix(".before")
        self._lib = root / "var/lib/waagent"

    def before(self) -> dict[str, object]:
        """Remember how the machine is."""
        self._kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = {"files": self._files({}), "packages": sorted(self._packages()), "accounts": self._accounts()}
        self._kept.write_text(json.dumps(state))
        return {}

    def progress(self) -> dict[str, object]:
        """Tell what was recorded and what stands in the statuses; quick, to be asked again and again."""
        lines = self._record.read_text("utf-8").splitlines() if self._record.exists() else []
        folders = self._folders()
        statuses = {
            str(path.relative_to(self._lib)): _text(path) for f in folders for path in f.glob("status/*.status")
        }
        return {
            "records": [json.loads(line) for line in lines],
            "statuses": statuses,
        }

    def look(self) -> dict[str, object]:
        """Tell that, who has seen a secret, and what the handler keeps."""
        folders = self._folders()
        return {
            **self.progress(),
            "sightings": [*self._in_logs(), *self._in_arguments()],
            "works": self._works(),
            "heartbeat": next((_text(f / "heartbeat.log") for f in folders if (f / "heartbeat.log").exists()), None),
            "keeps_number": any(any(folder.glob("*mrseq*")) for folder in folders),
        }

    def _folders(self) -> list[Path]:
        return sorted(self._lib.glob(f"{self._handler}-*"))

    def after(self) -> dict[str, object]:
        """Tell what was not there before: it was left behind."""
        known = json.loads(self._kept.read_text())
        files = self._files(known["files"])
        packages = sorted(self._packages() - set(known["packages"]))
        owned = {line for name in packages for line in self._files_of(name)}
        left: list[list[object]] = [["package", name, False] for name in packages]
        sightings = []
        for name, mark in sorted(files.items()):
            if known["files"].get(name) == mark or f"/{name}" in owned:
                continue
            content = _content(self._root / name)
            if any(secret in content for secret in self._hidden):
                sightings.append(["file left behind", f"/{name}"])
            if name not in known["files"]:
                is_unit = name.startswith(_UNITS) and not name.endswith("/")
                left.append(["unit" if is_unit else "file", f"/{name}", is_unit and self._handler.encode() in content])
            elif not name.startswith(("etc/passwd", "etc/group", "etc/shadow", "etc/gshadow", "etc/sub")):
                left.append(["changed file", f"/{name}", False])
        left += [["removed file", f"/{name}", False] for name in sorted(set(known["files"]) - set(files))]
        for kind, names in self._accounts().items():
            left += [[kind, name, False] for name in sorted(set(names) - set(known["accounts"][kind]))]
        left += [["process", work["name"], True] for work in self._works()]
        return {"leftovers": left, "sightings": sightings}

    def forget(self) -> dict[str, object]:
        """Remove what this program itself wrote."""
        for path in (self._record, self._kept):
            if path.exists():
                path.unlink()
        shutil.rmtree(self._root / "var/log/azure" / self._handler, ignore_errors=True)
        return {}

    def _files(self, known: dict[str, list[object]]) -> dict[str, list[object]]:
        """Return every file with what tells whether it is another; those that look as in ``known`` are not read."""
        found = {}
        for part in _LOOKED_AT:
            for folder, folders, names in os.walk(self._root / part):
                inner = os.path.relpath(folder, self._root)
                folders[:] = [name for name in folders if f"{inner}/{name}" not in _OF_NOBODY]
                for name in names:
                    path = f"{inner}/{name}"
                    state = _lstat(self._root / path)
                    if state is not None and path not in _OF_NOBODY and self._record.parent.name not in path:
                        found[path] = _mark(self._root / path, state, known=known.get(path))
        return found

    def _new_files(self) -> list[str]:
        known = json.loads(self._kept.read_text())["files"] if self._kept.exists() else {}
        return [name for name, mark in sorted(self._files(known).items()) if known.get(name) != mark]

    def _packages(self) -> set[str]:
        status = _text(self._root / "var/lib/dpkg/status") or ""
        parts = [part for part in status.split("\n\n") if "Status: install ok installed" in part]
        return {part.partition("\n")[0][len("Package: ") :] for part in parts}

    def _files_of(self, package: str) -> list[str]:
        lists = (self._root / "var/lib/dpkg/info").glob(f"{package}*.list")
        return [
            line
            for path in lists
            if path.name[: -len(".list")].partition(":")[0] == package
            for line in (_text(path) or "").splitlines()
        ]

    def _accounts(self) -> dict[str, list[str]]:
        return {
            kind: [line.partition(":")[0] for line in (_text(self._root / name) or "").splitlines()]
            for kind, name in _ACCOUNTS.items()
        }

    def _in_logs(self) -> list[list[str]]:
        logs = self._root / "var/log"
        paths = [logs / "waagent.log", logs / "syslog", *sorted((logs / "azure" / self._handler).rglob("*"))]
        found = [["log", str(path)] for path in paths if self._is_in(_content(path))]
        if self._root == Path("/") and shutil.which("journalctl"):
            journal = subprocess.run(["journalctl", "-b", "-q", "-o", "cat"], capture_output=True, check=False).stdout
            found += [["log", "the system's journal"]] if self._is_in(journal) else []
        for name in self._new_files():
            path = self._root / name
            if _is_open(path) and self._is_in(_content(path)):
                found.append(["file that others can read", f"/{name}"])
        return found

    def _in_arguments(self) -> list[list[str]]:
        own = {os.getpid(), os.getppid()}
        return [
            ["arguments of a process", _name(arguments)]
            for pid, arguments in _processes(self._root)
            if pid not in own and self._is_in(arguments.encode())
        ]

    def _works(self) -> list[dict[str, object]]:
        """Return the handler's processes: its folder is in their variables, in their arguments, or is their place."""
        mark = f"{self._lib}/{self._handler}-"
        found = []
        for pid, arguments in _processes(self._root):
            folder = self._root / "proc" / str(pid)
            variables = _content(folder / "environ")
            place = os.readlink(folder / "cwd") if os.path.islink(folder / "cwd") else ""  # noqa: PTH114, PTH115
            if f"AZURE_GUEST_AGENT_EXTENSION_PATH={mark}".encode() in variables or mark in f"{place} {arguments}":
                group = _text(folder / "cgroup") or ""
                found.append({"name": arguments[:120], "in_agent": "walinuxagent.service" in group})
        return found

    def _is_in(self, content: bytes) -> bool:
        return any(secret in content for secret in self._hidden)


def answer(request: dict[str, object], root: Path) -> dict[str, object]:
    """Do what a request asks: ``before``, ``progress``, ``look``, ``after`` or ``forget``."""
    machine = Machine(request, root)
    ways = {
        "before": machine.before,
        "progress": machine.progress,
        "look": machine.look,
        "after": machine.after,
        "forget": machine.forget,
    }
    return ways[str(request["verb"])]()


def _processes(root: Path) -> list[tuple[int, str]]:
    found = []
    for folder in (root / "proc").glob("[0-9]*"):
        arguments = _content(folder / "cmdline").replace(b"\0", b" ").decode("utf-8", "replace").strip()
        if arguments:
            found.append((int(folder.name), arguments))
    return found


def _name(arguments: str) -> str:
    return arguments.partition(" ")[0].rpartition("/")[2]


def _lstat(path: Path) -> os.stat_result | None:
    try:
        state = path.lstat()
    except OSError:
        return None
    return state if stat.S_ISREG(state.st_mode) or stat.S_ISLNK(state.st_mode) else None


def _mark(path: Path, state: os.stat_result, *, known: list[object] | None) -> list[object]:
    """Return size, time and sum of a file; ``known`` when its content is the same although the time may not be."""
    found: list[object] = [state.st_size, state.st_mtime_ns]
    if known is not None and known[:2] == found:
        return known
    content = b"" if stat.S_ISLNK(state.st_mode) or state.st_size > _BIG else _content(path)
    mark = [*found, zlib.crc32(content)]
    is_read = bool(content) or state.st_size == 0
    return known if known is not None and is_read and known[2] == mark[2] else mark


def _is_open(path: Path) -> bool:
    try:
        if not path.lstat().st_mode & stat.S_IROTH:
            return False
        return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.parents)
    except OSError:
        return False


def _content(path: Path) -> bytes:
    try:
        is_small = not path.is_symlink() and path.is_file() and path.stat().st_size <= _BIG
        return path.read_bytes() if is_small else b""
    except OSError:
        return b""


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return None


if __name__ == "__main__":
    REQUEST: dict[str, object] = {}  # put here by whoever sends this text
    sys.stdout.write(json.dumps(answer(REQUEST, Path("/"))))

"""Goes with an observed package into the machine: runs the manifest's own command, and writes down how it went.

The agent starts it in the command's place. It starts the command as the agent would, in the same process group and with
the same files, waits, notes, and ends as the command ended. Standard library, Python 3.9; read as text by ``observed``.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

CONFIG = "dockyard-observe.json"
_NUMBER, _NAME, _VERSION = "ConfigSequenceNumber", "ConfigExtensionName", "AZURE_GUEST_AGENT_EXTENSION_VERSION"
_TAIL = 16384


def main(command: str) -> int:
    """Run one command of the manifest. Answers its exit code."""
    home = Path(__file__).resolve().parent
    told = json.loads((home / CONFIG).read_text("utf-8"))
    record = Path(told["record"])
    record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    number, name = os.environ.get(_NUMBER, "0"), os.environ.get(_NAME, "")
    stem = f"{name}.{number}" if name else number
    run = f"{os.getpid()}-{time.time_ns()}"
    before = _names(home)
    sizes = [_size(descriptor) for descriptor in (1, 2)]
    _note(
        record,
        event="begin",
        run=run,
        command=command,
        version=os.environ.get(_VERSION, ""),
        number=int(number) if number.isdigit() else 0,
        has_settings=(home / "config" / f"{stem}.settings").exists(),
    )
    begun = time.monotonic()
    line = os.path.join(home, told["commands"][command].lstrip("/"))  # noqa: PTH118 - a command line, not a path
    process = subprocess.Popen(["/bin/sh", "-c", line])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    code = process.returncode
    _note(
        record,
        event="end",
        run=run,
        code=code if code >= 0 else 128 - code,
        seconds=time.monotonic() - begun,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        memory_kib=usage.ru_maxrss,
        output_bytes=sum(_size(descriptor) for descriptor in (1, 2)) - sum(sizes),
        tail="\n".join(part for part in map(_written, (1, 2), sizes) if part),
        status=_text(home / "status" / f"{stem}.status"),
        others=sorted(_names(home) - before - {f"{stem}.status"}),
    )
    if code < 0:  # the agent shall see the same ending
        os.kill(os.getpid(), -code)
    return code if code >= 0 else 128 - code


def _note(record: Path, **members: object) -> None:
    """Append one line, whole."""
    descriptor = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, json.dumps(members).encode() + b"\n")
    finally:
        os.close(descriptor)


def _names(home: Path) -> set[str]:
    return {path.name for path in (home / "status").glob("[!.]*")}


def _size(descriptor: int) -> int:
    found = os.fstat(descriptor)
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _written(descriptor: int, begin: int) -> str:
    """Return the end of what was written to a file since ``begin``; the agent's files can be read."""
    end = _size(descriptor)
    try:
        return os.pread(descriptor, min(_TAIL, end - begin), max(begin, end - _TAIL)).decode("utf-8", "replace")
    except OSError:
        return ""


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

"""An enable that has nothing to do, against the same wrapper around an interpreter that does nothing at all.

The agent repeats enable after every boot and every restart; all beyond the interpreter's own start is ours. Used by
``python -m benchmarks``; compares the time on the clock and the processor's time.
"""

from __future__ import annotations

import io
import os
import resource
import statistics
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dockyard.gallery.archive import handler_archive
from dockyard_guest.system.files import SystemFiles
from dockyard_guest.system.settled import SettledMarker

_RUNS = 60
_VERSION = "1.3.0"
_FILES = 7
_MONTH = 30 * 86400.0


@dataclass(frozen=True)
class Cost:
    """Medians in seconds: time on the clock, and time of the processor."""

    clock: float
    processor: float


def noop_enable(folder: Path) -> tuple[Cost, Cost]:
    """Measure ours and the bare interpreter, turn by turn, so that both meet the same load."""
    # The interpreter itself under the name the wrapper looks for first: what stands before it on a search path may be
    # a script of a version manager, and cost more than all else.
    (folder / "python3").symlink_to(Path(sys.executable).resolve())
    ours, bare = _handler(folder / "ours"), _handler(folder / "bare")
    (bare / "lib/dockyard_guest/main.py").write_text("def main(argv):\n    return 0\n")
    (bare / "lib/dockyard_guest/__init__.py").write_text("")
    _settle(ours)
    costs: dict[Path, list[Cost]] = {ours: [], bare: []}
    for handler in _turns(ours, bare):
        costs[handler].append(_enable(handler))
    return _median(costs[ours]), _median(costs[bare])


def _turns(*handlers: Path) -> Iterator[Path]:
    for handler in handlers:  # the first keeps byte code and does not count
        _enable(handler)
    for _ in range(_RUNS):
        yield from handlers


def _handler(folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(handler_archive(handler="docker"))) as archive:
        archive.extractall(folder)
    (folder / "bin/docker-extension").chmod(0o744)
    return folder


def _settle(handler: Path) -> None:
    """The marker as a machine with remote access has it: its files, its engine, the day its certificates end."""
    watched = [handler / f"file-{number}" for number in range(_FILES)]
    for path in watched:
        path.write_text("x")
    pid_file = handler / "engine.pid"
    pid_file.write_text(str(os.getpid()))
    SettledMarker(files=SystemFiles()).record(
        folder=str(handler),
        version=_VERSION,
        sequence_number=0,
        watched=[str(path) for path in watched],
        pid_files=[str(pid_file)],
        until=time.time() + _MONTH,
    )


def _enable(handler: Path) -> Cost:
    variables = {
        "PATH": str(handler.parent),
        "AZURE_GUEST_AGENT_EXTENSION_PATH": str(handler),
        "AZURE_GUEST_AGENT_EXTENSION_VERSION": _VERSION,
        "ConfigSequenceNumber": "0",
    }
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([str(handler / "bin/docker-extension"), "enable"], env=variables, check=True, cwd=handler)
    seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _median(costs: list[Cost]) -> Cost:
    return Cost(statistics.median(cost.clock for cost in costs), statistics.median(cost.processor for cost in costs))

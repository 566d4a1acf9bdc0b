"""Run every benchmark: ``python -m benchmarks``. Figures are medians; a ratio says how many times the rival's time."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.api import show_api
from benchmarks.noop_enable import noop_enable
from dockyard.gallery.archive import handler_archive
from dockyard.model.resource_group import ResourceGroup
from dockyard.store.database import Database

_RUNS = 9
_BARE = [sys.executable, "-S", "-c", "pass"]


def seconds(action: Callable[[], object]) -> float:
    """Return the median of several runs, after one that does not count."""
    action()
    taken = []
    for _ in range(_RUNS):
        begun = time.perf_counter()
        action()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def process(*argv: str) -> Callable[[], object]:
    """Return an action that runs a program to its end."""
    return lambda: subprocess.run(argv, capture_output=True, check=True)


def compare(name: str, action: Callable[[], object], *, rival: str, against: Callable[[], object]) -> None:
    """Print one line: ours, the rival's, the ratio."""
    ours, theirs = seconds(action), seconds(against)
    print(line(name, ours, rival=rival, against=theirs))


def line(name: str, ours: float, *, rival: str, against: float) -> str:
    """One line: a figure in seconds, the rival's, the ratio."""
    return f"{name:42} {ours * 1000:9.2f} ms   {rival:34} {against * 1000:9.2f} ms   x {ours / against:6.2f}"


def write_groups(path: Path, *, pragma: Sequence[str] = ()) -> Callable[[], object]:
    """Return an action that writes a hundred documents, each on the disk before the next."""
    store = Database.open(path)
    for statement in pragma:
        store._connection.execute(statement)  # noqa: SLF001 - the rival is our own store made careless

    def write() -> None:
        for number in range(100):
            store.put_resource_group(ResourceGroup("s", f"group-{number}", "local"))

    return write


def main() -> None:
    """Print all figures."""
    program = str(Path(sys.executable).parent / "dockyard")
    bare = process(*_BARE)
    compare("dockyard --help", process(program, "--help"), rival="bare interpreter", against=bare)
    compare("dockyard --version", process(program, "--version"), rival="bare interpreter", against=bare)
    with tempfile.TemporaryDirectory() as folder:
        careless = write_groups(Path(folder, "careless.db"), pragma=["PRAGMA synchronous = OFF"])
        compare(
            "100 documents, each synced to the disk",
            write_groups(Path(folder, "careful.db")),
            rival="the same without syncing",
            against=careless,
        )
    compare(
        "package the Docker handler", lambda: handler_archive(handler="docker"), rival="bare interpreter", against=bare
    )
    show_noop_enable()
    show_api()


def show_noop_enable() -> None:
    """Print what an enable with nothing to do costs beyond the interpreter's own start."""
    with tempfile.TemporaryDirectory() as folder:
        ours, bare = noop_enable(Path(folder))
    for name, mine, theirs in (
        ("enable with nothing to do, on the clock", ours.clock, bare.clock),
        ("enable with nothing to do, processor", ours.processor, bare.processor),
    ):
        print(line(name, mine, rival="same wrapper, main() that returns", against=theirs))


if __name__ == "__main__":
    main()

"""The program that leads a handler's life in the fast runner: reads a request from standard input, answers in JSON.

Started by ``runner`` with ``python -m``, in namespaces of its own unless the user wanted none. Progress goes to
standard error, a step a line. The request holds the protected settings, therefore it comes by standard input.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from pathlib import Path

from dockyard.authoring import package
from dockyard.authoring.fast import isolation
from dockyard.authoring.fast.agent import StandIn
from dockyard.authoring.fast.life import Life, Plan
from dockyard.authoring.fast.onlooker import Onlooker
from dockyard.authoring.fast.request import Request, answer, read_request
from dockyard.authoring.fast.tenant import Tenant
from dockyard.authoring.fast.traces import Traces
from dockyard.authoring.fast.watch import Processes
from dockyard.authoring.observations import Observations
from dockyard.model.errors import DockyardError

CONFIGURATION = "test"
"""The name of the one configuration that a handler of several gets."""


def main() -> int:
    """Run the request on standard input; the answer says what was seen, or why nothing could be."""
    request = read_request(sys.stdin.read())
    try:
        seen = _apart(request) if request.scratch else lead_here(request)
    except DockyardError as error:
        sys.stdout.write(json.dumps({"error": [error.brief, error.details, error.resolution, error.code]}))
        return 1
    sys.stdout.write(answer(seen))
    return 0


def _apart(request: Request) -> Observations:
    """Lead the life in a private copy of this machine, at the places where the agent has its folders."""
    layers = isolation.enter(Path(request.scratch))
    return _lead(request, Path("/var/lib/waagent"), Path("/var/log/azure"), layers=layers)


def lead_here(request: Request) -> Observations:
    """Lead the life in a temporary folder, on this very machine."""
    with tempfile.TemporaryDirectory(prefix="dockyard-agent-") as folder:
        return _lead(request, Path(folder, "lib"), Path(folder, "log"), layers=None)


def _lead(request: Request, lib: Path, logs: Path, *, layers: isolation.Layers | None) -> Observations:
    tested = package.Package(handler=request.handler, version=request.version, archive=request.archive)
    seen = package.look_at(tested)
    configuration = CONFIGURATION if seen.takes_several else None
    stand_in = StandIn(lib=lib, logs=logs, handler=request.handler, tenant=Tenant.new(), configuration=configuration)
    hidden = request.given.hidden
    processes = Processes(mark=None if layers else str(lib), hidden=hidden)
    traces = Traces(layers, hidden=hidden, ignored=stand_in.tenant_files) if layers else None
    onlooker = Onlooker(stand_in, processes=processes, traces=traces, hidden=hidden, patience=request.patience)
    plan = Plan(package=tested, seen=seen, given=request.given, limit=request.limit)
    try:
        return Life(plan, stand_in, onlooker).lead()
    finally:
        for process in processes.running():
            os.kill(process.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
